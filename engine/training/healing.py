"""What a run does when memory runs out in the middle: it goes on from its last optimizer step with smaller batches.

The effective batch stays what the recipe says (modes.smaller), so that what is learnt is the same.
"""

from typing import TYPE_CHECKING

from engine.training.events import Emit, Noted
from engine.training.failures import is_out_of_memory
from engine.training.modes import Settings, smaller

if TYPE_CHECKING:
    from engine.training.qlora_trainer import QLoRATrainer


def train(trainer: "QLoRATrainer", checkpoint: str | None) -> Exception | None:
    """Train to the end.

    Args:
        trainer: Ready to train.
        checkpoint: The folder to go on from, or None.

    Returns:
        The error when memory ran out, without the frames that would hold on to what filled it; None at the end.
    """
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return error.with_traceback(None)
    return None


def give_way(trainer: "QLoRATrainer", resume_step: int, full: Exception, emit: Emit) -> tuple[Settings, int]:
    """Save what is learnt and say how to go on.

    Args:
        trainer: The one whose memory ran out.
        resume_step: The step that it went on from.
        full: The error.
        emit: Told in words what changes.

    Returns:
        Settings that need less memory, and the step to go on from.

    Raises:
        Exception: ``full``, when nothing is left to give up; the last optimizer step is saved even then.
    """
    trainer.model.zero_grad(set_to_none=True)
    step: int = trainer.state.global_step
    if step > resume_step:
        trainer.save_now()
    before, after = trainer.settings, smaller(trainer.settings)
    if after is None:
        raise full
    if after.micro_batch < before.micro_batch:
        how = f"{after.micro_batch} instead of {before.micro_batch} rows at a time"
    else:
        how = "the base packed again" if before.unpack and not after.unpack else "layers recomputed"
    emit(Noted(f"Memory ran out; going on from step {step} with {how}. What is learnt stays the same.", "warning"))
    return after, step
