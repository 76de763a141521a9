"""What a run does when memory runs out: it goes on from its last optimizer step with smaller batches.

Whenever that happens: while the base is unpacked, while layers are compiled, in a step, in a check, after a pause. The
effective batch stays what the recipe says (modes.smaller), so that what is learnt is the same.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ResourceError
from engine.model.device_errors import is_out_of_memory, without_frames
from engine.training.errors import OUT_OF_MEMORY
from engine.training.memory.modes import Settings, smaller
from engine.training.runs import checkpoints
from engine.training.runs.events import Emit, LogNote
from engine.training.setup import release_trainer

if TYPE_CHECKING:
    from engine.training.qlora_trainer import QLoRATrainer


log = logging.getLogger(__name__)


class NeedsLess(ResourceError):
    """Memory ran out in one of several processes that share a run: all have to begin again, with smaller settings.

    They cannot recover as one process does: the others wait in the middle of a step for the one that failed.

    Args:
        before: The settings that were too large.
    """

    def __init__(self, before: Settings) -> None:
        super().__init__(*OUT_OF_MEMORY)
        after = smaller(before)
        self.settings = asdict(after) if after else None
        """What to begin again with; None where nothing is left to give up."""


def attempt(
    make: Callable[[], "QLoRATrainer"], checkpoint: Path | None
) -> tuple["QLoRATrainer | None", Exception | None]:
    """Make a trainer and train to the end.

    Args:
        make: Returns a trainer that is ready to train.
        checkpoint: The folder to go on from, or None.

    Returns:
        The trainer, None where memory ran out before there was one; and the error when it ran out, without the frames
        that would hold on to what filled it, None at the end of the run.
    """
    trainer = None
    try:
        trainer = make()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        return trainer, trainer.out_of_memory
    except Exception as error:
        if is_out_of_memory(error):
            return trainer, without_frames(error)
        release_trainer(trainer)
        raise


def save(trainer: "QLoRATrainer | None", folder: Path, resume_step: int) -> int:
    """Save the last optimizer step of a trainer that cannot go on.

    Args:
        trainer: As :func:`attempt` returned it.
        folder: Of the checkpoints.
        resume_step: The step that it went on from.

    Returns:
        The step to go on from: the last one; if the optimizer was at work, that of the newest checkpoint, since some
        weights are of the next step already.
    """
    if trainer is None or trainer.state.global_step <= resume_step:
        return resume_step
    if trainer.is_mid_step:
        return max(resume_step, checkpoints.newest_sound(folder))
    trainer.model.zero_grad(set_to_none=True)
    step: int = trainer.state.global_step
    if trainer.saved_step != step:
        trainer.save_now()
    return step


def give_way(before: Settings, step: int, full: Exception, emit: Emit) -> Settings:
    """Return settings that need less memory.

    Args:
        before: Those that were too large.
        step: Where the run goes on from.
        full: The error.
        emit: Told in words what changes.

    Raises:
        Exception: ``out_of_memory``, when nothing is left to give up.
    """
    after = smaller(before)
    if after is None:
        raise full
    log.warning("memory ran out at step %d: %s", step, full)
    if after.resident < before.resident:
        how = f"{after.resident} instead of {before.resident} layers that stay on the device"
    elif after.micro_batch < before.micro_batch:
        how = f"{after.micro_batch} instead of {before.micro_batch} rows at a time"
    elif after.ahead < before.ahead:
        how = "one place less for layers that come"
    else:
        how = "the base packed again" if before.unpack and not after.unpack else "layers recomputed"
    emit(LogNote(f"Memory ran out; going on from step {step} with {how}. What is learnt stays the same.", "warning"))
    return after
