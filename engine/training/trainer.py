"""run_training: recipe and conversations in, checkpoints and an adapter out.

It knows no thread and no window: events go to ``emit``, and ``should_stop`` is asked between steps. It trains on a
weight-sharing copy of the base and throws the copy away, so that the base stays as it was loaded.
"""

import gc
import importlib.metadata
import json
import logging
import platform
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import TicketsError
from engine.training import checkpoints
from engine.training.events import Emit, Finished, Noted, Started
from engine.training.examples import ExampleSet, build_examples
from engine.training.recipe import Recipe
from engine.workspace import write_json

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.training.qlora_trainer import QLoRATrainer

log = logging.getLogger(__name__)

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The conversations of a run, as in train.jsonl and heldout.jsonl."""

    train: Sequence[Mapping[str, Any]]
    heldout: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls, folder: Path) -> "TrainingData":
        """Read a prepared data set.

        Raises:
            TicketsError: It is missing, damaged or empty.
        """
        train, heldout = (_read(folder / name) for name in ("train.jsonl", "heldout.jsonl"))
        if not train:
            raise TicketsError(f"{folder} holds no conversations to learn from.", "Prepare the export again.")
        return cls(train, heldout)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    step: int
    """The last step that was taken."""
    kept: int
    """The step whose weights are in the adapter folder."""
    stopped: bool
    """Whether it ended because should_stop said so."""
    seconds: float


def run_training(
    recipe: Recipe,
    data: TrainingData,
    base: "BaseModel",
    folder: Path,
    emit: Emit,
    should_stop: Callable[[], bool] = lambda: False,
    resume_step: int = 0,
) -> Outcome:
    """Train an adapter.

    Args:
        recipe: The hyperparameters.
        data: The conversations.
        base: The loaded base model, which is left as it is.
        folder: The run's folder; checkpoints/ and adapter/ are written there.
        emit: Takes every event, in the calling thread.
        should_stop: Asked between steps; True ends the run with a checkpoint. It may block: that is a pause.
        resume_step: The step of the checkpoint to go on from, or 0.

    Raises:
        StudioError: What happened, in words; the cause is chained. Checkpoints made so far stay.
    """
    from engine.training import healing
    from engine.training.assembling import make_trainer
    from engine.training.failures import explain

    trainer = None
    began = time.monotonic()
    try:
        train = build_examples(data.train, base.chat, recipe)
        heldout = build_examples(data.heldout, base.chat, recipe)
        for sentence in train.warnings():
            emit(Noted(sentence, "warning"))
        write_json(folder / "environment.json", environment(base))
        trainer = make_trainer(recipe, train, heldout, base, folder, emit, should_stop)
        paused = 0.0
        if trainer.args.optim != recipe.optimizer:
            emit(Noted(f"Without a GPU the optimizer is {trainer.args.optim.value}: {recipe.optimizer} is slow there."))
        emit(_started(trainer, train, heldout, base, resume_step))
        while full := healing.train(trainer, _checkpoint(folder, resume_step)):
            settings, resume_step = healing.give_way(trainer, resume_step, full, emit)
            paused += trainer.paused_seconds
            _throw_away(trainer)
            trainer = make_trainer(recipe, train, heldout, base, folder, emit, should_stop, settings)
            emit(_started(trainer, train, heldout, base, resume_step))
        kept = _keep(trainer, recipe, folder, base)
        seconds = time.monotonic() - began - trainer.paused_seconds - paused
        if not trainer.stopped:
            emit(Finished(kept, round(seconds, 1)))
        return Outcome(trainer.state.global_step, kept, trainer.stopped, seconds)
    except Exception as error:
        if trainer is not None:
            with suppress(OSError):
                _keep(trainer, recipe, folder, base)
        raise explain(error, folder) from error
    finally:
        _throw_away(trainer)


def _checkpoint(folder: Path, step: int) -> str | None:
    return str(folder / "checkpoints" / f"{checkpoints.PREFIX}{step}") if step else None


def environment(base: "BaseModel") -> dict[str, Any]:
    """What a run's numbers depend on: versions, device, compute type."""
    import torch

    packages = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")
    on_gpu = base.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {torch.get_num_threads()} threads",
        "compute_type": str(base.model.dtype).removeprefix("torch."),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def _started(
    trainer: "QLoRATrainer", train: ExampleSet, heldout: ExampleSet, base: "BaseModel", resume_step: int
) -> Started:
    trainable, total = trainer.model.get_nb_trainable_parameters()
    return Started(
        trainable=trainable,
        total=total,
        steps=trainer.args.max_steps,
        first_step=resume_step,
        train_examples=len(train.examples),
        heldout_examples=len(heldout.examples),
        device=environment(base)["device"],
    )


def _keep(trainer: "QLoRATrainer", recipe: Recipe, folder: Path, base: "BaseModel") -> int:
    """Put the chosen checkpoint's weights into adapter/, complete or not at all; return its step.

    The best where the recipe wants it, else the last; 0 where there is no checkpoint yet.
    """
    best: int | None = trainer.state.best_global_step if recipe.keep_best else None
    known = checkpoints.steps(folder / "checkpoints")
    if not known:
        return 0
    step = best if best in known else known[-1]
    source = folder / "checkpoints" / f"checkpoint-{step}"
    made = folder / ".adapter"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for name in ADAPTER_FILES:
        shutil.copyfile(source / name, made / name)
    base.chat.save(made)
    old = folder / "adapter"
    shutil.rmtree(old, ignore_errors=True)
    made.rename(old)
    return step


def _throw_away(trainer: "QLoRATrainer | None") -> None:
    """Free the copy: after training it stays in train mode, with hooks and layers of another kind.

    Everything that the trainer holds goes: its caller still holds the trainer, and transformers' callback handler, the
    scheduler and compiled code each hold the model, with the unpacked weights of a spacious run.
    """
    import torch

    if trainer is not None:
        compiled = trainer.settings.compiled
        trainer.accelerator.free_memory()
        trainer.__dict__.clear()
        if compiled:
            torch._dynamo.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _read(file: Path) -> list[Mapping[str, Any]]:
    if not file.exists():
        return []
    rows: list[Mapping[str, Any]] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                rows.append({"ticket": str(row["ticket"]), "messages": row["messages"]})
            except (ValueError, KeyError, TypeError) as error:
                raise TicketsError(f"Line {number} of {file.name} is damaged.", "Prepare the export again.") from error
    return rows
