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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import TicketsError
from engine.training.events import Emit, Finished, Noted, Started
from engine.training.examples import ExampleSet, build_examples
from engine.training.recipe import Recipe
from engine.workspace import write_json

if TYPE_CHECKING:
    from datasets import Dataset

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
    from engine.training.failures import explain

    trainer = None
    began = time.monotonic()
    try:
        train = build_examples(data.train, base.chat, recipe)
        heldout = build_examples(data.heldout, base.chat, recipe)
        for sentence in train.warnings():
            emit(Noted(sentence, "warning"))
        write_json(folder / "environment.json", environment(base))
        trainer = _make_trainer(recipe, train, heldout, base, folder, emit, should_stop)
        if trainer.args.optim != recipe.optimizer:
            emit(Noted(f"Without a GPU the optimizer is {trainer.args.optim.value}: {recipe.optimizer} is slow there."))
        emit(_started(trainer, train, heldout, base, resume_step))
        checkpoint = str(folder / "checkpoints" / f"checkpoint-{resume_step}") if resume_step else None
        trainer.train(resume_from_checkpoint=checkpoint)
        kept = _keep(trainer, recipe, folder, base)
        seconds = time.monotonic() - began - trainer.paused_seconds
        if not trainer.stopped:
            emit(Finished(kept, round(seconds, 1)))
        return Outcome(trainer.state.global_step, kept, trainer.stopped, seconds)
    except Exception as error:
        raise explain(error, folder) from error
    finally:
        _throw_away(trainer)


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


def _make_trainer(
    recipe: Recipe,
    train: ExampleSet,
    heldout: ExampleSet,
    base: "BaseModel",
    folder: Path,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> "QLoRATrainer":
    from accelerate.state import AcceleratorState
    from peft import get_peft_model
    from transformers import set_seed

    from engine.training.qlora_trainer import QLoRATrainer
    from engine.training.sft import lora_config, sft_config, total_steps

    AcceleratorState._reset_state(reset_partial_state=True)  # a run of another compute type may have left its own
    copy = base.copy()
    if recipe.bias != "none":
        _own_biases(copy)
    packing = recipe.packing and _packing_allowed(copy, emit)
    batches = _batches(train, recipe, packing)
    steps = total_steps(recipe, batches)
    set_seed(recipe.seed)
    return QLoRATrainer(
        recipe=recipe,
        emit=emit,
        should_stop=should_stop,
        model=get_peft_model(copy, lora_config(recipe)),
        args=sft_config(
            recipe,
            folder / "checkpoints",
            base.device,
            base.model.dtype,
            steps,
            packing=packing,
            heldout=bool(heldout.examples),
        ),
        train_dataset=_dataset(train),
        eval_dataset=_dataset(heldout) if heldout.examples else None,
        processing_class=base.chat.tokenizer,
    )


def _own_biases(model: Any) -> None:
    """Give a copy biases of its own: peft would train the shared ones of the base in place."""
    from torch import nn

    for module in model.modules():
        if isinstance(getattr(module, "bias", None), nn.Parameter):
            module.bias = nn.Parameter(module.bias.detach().clone(), requires_grad=False)


def _packing_allowed(model: Any, emit: Emit) -> bool:
    from engine.model.attention import keeps_packed_texts_apart

    clean = keeps_packed_texts_apart(model, model.config.get_text_config().vocab_size)
    if not clean:
        emit(Noted("Packing is off: this model does not keep packed conversations apart.", "warning"))
    return clean


def _batches(train: ExampleSet, recipe: Recipe, packing: bool) -> int:
    """Batches of one epoch; packed rows are counted as trl's best-fit packing will make them."""
    rows = len(train.examples)
    if packing:
        from trl.data_utils import pack_dataset

        rows = len(pack_dataset(_dataset(train), recipe.max_length, strategy="bfd"))
    return -(-rows // recipe.batch_size)


def _dataset(examples: ExampleSet) -> "Dataset":
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    return Dataset.from_dict(
        {
            "input_ids": [list(example.input_ids) for example in examples.examples],
            "labels": [list(example.labels) for example in examples.examples],
        }
    )


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
    """Put the chosen checkpoint's weights into adapter/, complete or not at all; return its step."""
    last: int = trainer.state.global_step
    best: int | None = trainer.state.best_global_step if recipe.keep_best else None
    checkpoints = folder / "checkpoints"
    step: int = best if best and (checkpoints / f"checkpoint-{best}" / ADAPTER_FILES[1]).exists() else last
    source = checkpoints / f"checkpoint-{step}"
    if not (source / ADAPTER_FILES[1]).exists():
        return 0  # stopped before the first step: there is nothing to keep
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
    """Free the copy: after training it stays in train mode, with hooks and a wrapped forward."""
    import torch

    if trainer is not None:
        trainer.accelerator.free_memory()
        trainer.model = trainer.model_wrapped = trainer.optimizer = None
        trainer.callback_handler.callbacks.clear()
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
