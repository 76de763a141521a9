"""run_training: recipe and conversations in, checkpoints and an adapter out.

It knows no thread and no window: events go to ``emit``, and ``should_stop`` is asked between steps. It trains on a
weight-sharing copy of the base and throws the copy away, so that the base stays as it was loaded.
"""

import importlib.metadata
import logging
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import RunError, TicketsError
from engine.model.adapter_files import write_mark
from engine.recipe import Recipe
from engine.task import Report
from engine.tickets.dataset.files import HELDOUT, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.training import early_stopping
from engine.training.best_check import why_best
from engine.training.data.examples import ExampleSet, build_examples
from engine.training.data.looked_up import with_lookup
from engine.training.distributed import process_group
from engine.training.forgetting.mixing import with_general
from engine.training.replies import AskReplies
from engine.training.runs import checkpoints, keeping
from engine.training.runs.events import Emit, Finished, LogNote, Started
from engine.workspace import read_json, write_json

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.model.snapshot import Snapshot
    from engine.training.memory.modes import Settings
    from engine.training.qlora_trainer import QLoRATrainer

log = logging.getLogger(__name__)

ENVIRONMENT = "environment.json"
MARK = "base_weights"
"""Under this name the environment says which weights the base has (engine/model/fingerprint.py)."""


TakeSnapshots = Callable[["Callable[[], Snapshot] | None"], None]
"""Given a function that copies the adapter as it is; None when there is none any more."""
MakeTrainer = Callable[["Settings", int], "QLoRATrainer"]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The conversations of a run, as in train.jsonl and heldout.jsonl."""

    train: Sequence[StoredConversation]
    heldout: Sequence[StoredConversation]
    """Both with what was looked up for each, where the recipe learns with look-up."""

    @classmethod
    def load(cls, folder: Path, recipe: Recipe, report: Report = lambda *_: None) -> "TrainingData":
        """Read a prepared data set.

        Args:
            folder: The data set, or a run's copy of it.
            recipe: Whether it learns with look-up counts, and its seed.
            report: Progress of the look-up.

        Raises:
            TicketsError: It is missing, damaged or empty.
        """
        train = list(conversations(folder / TRAIN))
        heldout = list(conversations(folder / HELDOUT))
        if not train:
            raise TicketsError(
                f"{folder} holds no conversations to learn from.",
                "Prepare the export again and start a new run; what this one has learnt is kept.",
            )
        if recipe.lookup:
            train = with_lookup(train, folder, recipe.seed, report)
            heldout = with_lookup(heldout, folder, None, report)
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
    is_paused: Callable[[], bool] = lambda: False,
    begin_with: "Settings | None" = None,
    take_snapshots: TakeSnapshots = lambda _: None,
    ask_replies: AskReplies | None = None,
) -> Outcome:
    """Train an adapter; where several processes share the run (distributed/), each calls this with the same arguments.

    Args:
        recipe: The hyperparameters.
        data: The conversations.
        base: The loaded base model, which is left as it is.
        folder: The run's folder; checkpoints/ and adapter/ are written there.
        emit: Takes every event, in the calling thread.
        should_stop: Asked between steps; True ends the run with a checkpoint. It may block: that is a pause.
        resume_step: The step of the checkpoint to go on from, or 0.
        is_paused: Asked before ``should_stop``; True says that it is about to block, so that memory can be given back.
        begin_with: How steps are computed at first; chosen for this machine where None.
        take_snapshots: Given a function that copies the adapter as it is, which ``should_stop`` may call; None when
            there is none any more.
        ask_replies: Answers a few held-out tickets with the weights of a check; None where nobody can.

    Raises:
        StudioError: What happened, in words; the cause is chained. Checkpoints made so far stay.
    """
    from engine.model.snapshot import snapshot_of
    from engine.training.errors import explain
    from engine.training.setup import choose_settings, make_trainer, release_trainer

    trainer: QLoRATrainer | None = None
    began = time.monotonic()
    try:
        train, general = with_general(build_examples(data.train, base.chat, recipe), base.chat, recipe)
        heldout = build_examples(data.heldout, base.chat, recipe, may_be_empty=True)
        if recipe.general:
            emit(LogNote(f"{general} general examples are mixed in, each once in a pass."))
        can_ask = ask_replies is not None
        _check_and_say(recipe, train, heldout, base, folder, emit, goes_on=resume_step > 0, can_ask=can_ask)
        settings = begin_with or choose_settings(recipe, train, base, emit)

        def make(settings: "Settings", resume_step: int) -> "QLoRATrainer":
            trainer = make_trainer(
                recipe, train, heldout, base, folder, emit, should_stop, settings, is_paused, ask_replies
            )
            emit(_started(trainer, train.lessons - general, heldout, base, resume_step))
            take_snapshots(lambda: snapshot_of(trainer.model, folder.name, trainer.state.global_step))
            return trainer

        trainer, paused = _trained(make, settings, folder / "checkpoints", resume_step, emit, take_snapshots)
        kept = _keep(trainer.state.best_global_step, recipe, folder, base)
        ended = Outcome(trainer.state.global_step, kept, trainer.stopped, time.monotonic() - began - paused)
        _say_how_it_ended(ended, recipe, emit)
        return ended
    except Exception as error:
        with suppress(OSError):
            _keep(checkpoints.best_step(folder / "checkpoints"), recipe, folder, base)
        told = explain(error, folder)
        if told is error:
            raise  # with what is behind it
        raise told from error
    finally:
        take_snapshots(None)
        release_trainer(trainer)


def _say_how_it_ended(ended: Outcome, recipe: Recipe, emit: Emit) -> None:
    if ended.kept != ended.step and recipe.keep_best:
        emit(LogNote(f"The adapter is that of step {ended.kept}, {why_best(recipe.best_by)}."))
    if not ended.stopped:
        emit(Finished(ended.kept, round(ended.seconds, 1)))


def _check_and_say(
    recipe: Recipe,
    train: ExampleSet,
    heldout: ExampleSet,
    base: "BaseModel",
    folder: Path,
    emit: Emit,
    *,
    goes_on: bool,
    can_ask: bool,
) -> None:
    """Look at what can be known before the first step, and say what a person may not expect."""
    from engine.training.target_modules import check_target_modules
    from engine.training.trl_config import optimizer_for

    for sentence in train.warnings():
        emit(LogNote(sentence, "warning"))
    check_target_modules(base.model, recipe)
    if goes_on:
        _check_same_weights(folder, base)
    if process_group.is_rank_zero():
        write_json(folder / ENVIRONMENT, environment(base))
    if (used := optimizer_for(recipe, base.device)) != recipe.optimizer:
        emit(LogNote(f"Without a GPU the optimizer is {used}: {recipe.optimizer} is slow there."))
    if recipe.best_by != "loss" and heldout.examples and not can_ask:
        emit(LogNote("Nobody answers tickets on the way of this run: the best is by held-out loss alone.", "warning"))
    emit(LogNote(early_stopping.in_words(recipe, steps=recipe.max_steps, heldout=bool(heldout.examples))))


def _trained(
    make: MakeTrainer,
    settings: "Settings",
    folder: Path,
    resume_step: int,
    emit: Emit,
    take_snapshots: TakeSnapshots,
) -> "tuple[QLoRATrainer, float]":
    """Train to the end, with settings that need less wherever memory runs out.

    Args:
        make: Makes a trainer for settings and the step that it goes on from.
        settings: To begin with.
        folder: Of the checkpoints.
        resume_step: The step to go on from, or 0.
        emit: Told what changes.
        take_snapshots: As for :func:`run_training`.

    Returns:
        The trainer that came to the end, and the seconds that all of them were paused.
    """
    from engine.training import oom_recovery
    from engine.training.setup import release_trainer

    paused = 0.0
    while True:
        begin = partial(make, settings, resume_step)
        trainer, full = oom_recovery.attempt(begin, checkpoints.place(folder, resume_step) if resume_step else None)
        paused += trainer.paused_seconds if trainer else 0.0
        if trainer and full is None:
            return trainer, paused
        assert full is not None
        try:
            if process_group.is_distributed():
                raise oom_recovery.NeedsLess(settings) from full
            take_snapshots(None)
            resume_step = oom_recovery.save(trainer, folder, resume_step)
        finally:
            release_trainer(trainer)
        trainer = None  # what it holds is needed for the next one
        settings = oom_recovery.give_way(settings, resume_step, full, emit)


def environment(base: "BaseModel") -> dict[str, Any]:
    """What a run's numbers depend on: versions, device, compute type."""
    import torch

    packages = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")
    device = torch.cuda.get_device_name() if base.device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return {
        "device": f"{process_group.world_size()} x {device}" if process_group.is_distributed() else device,
        "compute_type": str(base.model.dtype).removeprefix("torch."),
        **({MARK: base.mark} if base.mark else {}),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def _check_same_weights(folder: Path, base: "BaseModel") -> None:
    """Raise a RunError if a run that goes on was begun over other weights of the base."""
    file = folder / ENVIRONMENT
    noted = read_json(file) if file.exists() else {}
    before = noted.get(MARK) if isinstance(noted, dict) else None
    if before and base.mark and before != base.mark:
        raise RunError(
            f"{base.title} has other weights than when this run was begun.",
            "Put the base model back that it was begun with, or start a new run.",
        )


def _started(
    trainer: "QLoRATrainer", tickets: int, heldout: ExampleSet, base: "BaseModel", resume_step: int
) -> Started:
    from engine.model.streaming.layer_stream import stream_of

    trainable, total = trainer.model.get_nb_trainable_parameters()
    stream = stream_of(trainer.model)
    return Started(
        trainable=trainable,
        total=total,
        steps=trainer.args.max_steps,
        first_step=resume_step,
        train_examples=tickets,
        heldout_examples=heldout.lessons,
        device=environment(base)["device"],
        resident=len(stream.resident) if stream else 0,
        streamed=stream.streamed if stream else 0,
    )


def _keep(best: int | None, recipe: Recipe, folder: Path, base: "BaseModel") -> int:
    """Put the chosen checkpoint's weights into adapter/, complete or not at all; return its step.

    ``best`` where the recipe wants it, else the last; 0 where there is no checkpoint yet.
    """
    known = checkpoints.steps(folder / "checkpoints")
    if not known or not process_group.is_rank_zero():
        return 0
    step = best if recipe.keep_best and best in known else known[-1]

    def complete(made: Path) -> None:
        base.chat.save(made)
        write_mark(made, base.mark)

    keeping.keep(folder, step, complete)
    return step
