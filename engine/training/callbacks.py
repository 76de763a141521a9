"""What happens between the steps of a run: the dry run, checks, stops, and the events of each step.

transformers calls these; what is done about it is the trainer's (QLoRATrainer).
"""

import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from engine.hardware import GIB
from engine.model.streaming.layer_stream import stream_of
from engine.recipe import Recipe
from engine.training.distributed import process_group
from engine.training.dry_run import DryRunTrainer, dry_run
from engine.training.errors import diverged
from engine.training.replies import Replies
from engine.training.runs.events import Checkpointed, Emit, LogNote, Stepped


class ObservedTrainer(DryRunTrainer, Protocol):
    """The trainer, as far as its callbacks know it (QLoRATrainer)."""

    recipe: Recipe
    emit: Emit
    should_stop: Callable[[], bool]
    model_wrapped: Any
    tokens: int
    paused_seconds: float
    replies: Replies
    is_mid_step: bool

    def check_general(self) -> None:
        """Measure what the model knew before."""

    def make_up_check(self) -> None:
        """Check what is not checked yet: the untouched base, or a step at which memory ran out."""


class RunCallback(TrainerCallback):  # type: ignore[misc]  # transformers' types are not followed
    """See the module.

    Args:
        trainer: Whose steps they are.
    """

    def __init__(self, trainer: ObservedTrainer) -> None:
        self.trainer = trainer
        self.started = self.last_seen = time.monotonic()
        self.last_tokens = 0
        self.last_paused = self.paused_before = 0.0
        self.stalled = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Make a dry run on a GPU; check the untouched base, or the step that had no memory for its check."""
        if self.trainer.model.device.type == "cuda":
            measured = dry_run(self.trainer, self.trainer.model_wrapped)
            self.trainer.emit(measured)
            took = f"{measured.peak_gib:.1f} GiB at the peak, about {measured.seconds / 60:.0f} minutes to go"
            self.trainer.emit(LogNote(f"Tried the longest conversations: {took}."))
        self.trainer.make_up_check()
        self._stalled_seconds()  # what came before the first step is no part of its time
        self.started = self.last_seen = time.monotonic()
        self.paused_before = self.last_paused = self.trainer.paused_seconds
        self.trainer.replies.begin(state.global_step, self.paused_before)
        if state.global_step >= state.max_steps:
            control.should_training_stop = True

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        """From here on the weights are neither those of one step nor those of the next."""
        self.trainer.is_mid_step = True

    def on_optimizer_step(self, *_: Any, **__: Any) -> None:
        """The weights are those of the next step."""
        self.trainer.is_mid_step = False

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Check and save after the last step, and end when asked."""
        last = state.global_step >= state.max_steps
        if last:
            control.should_save = True
            control.should_evaluate = self.trainer.eval_dataset is not None
            if not control.should_evaluate:
                self.trainer.check_general()
        else:
            self.trainer.should_stop()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report a step; a loss that is no number ends the run at once."""
        if not logs or "loss" not in logs or "grad_norm" not in logs:
            return
        loss, norm = float(logs["loss"]), float(logs["grad_norm"])
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise diverged(state.global_step, self.trainer.recipe.learning_rate)
        now, paused = time.monotonic(), self.trainer.paused_seconds
        told = process_group.all_gather(
            [self.trainer.tokens, _memory_gib(self.trainer.model.device), self._stalled_seconds()]
        )
        tokens = round(sum(row[0] for row in told))
        busy = max(1e-9, now - self.last_seen - (paused - self.last_paused))
        new = tokens - self.last_tokens
        stalled = max(row[2] for row in told)
        self.stalled += stalled
        self.last_seen, self.last_tokens, self.last_paused = now, tokens, paused
        self.trainer.emit(
            Stepped(
                step=state.global_step,
                epoch=round(float(state.epoch or 0), 4),
                loss=loss,
                learning_rate=float(logs["learning_rate"]),
                grad_norm=norm,
                tokens_per_second=round(new / busy, 1),
                memory_gib=round(max(row[1] for row in told), 3),
                seconds=round(now - self.started - (paused - self.paused_before), 3),
                tokens=new,
                stalled=round(stalled, 6),
            )
        )

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Keep the time of a check out of the training speed."""
        self.last_seen = time.monotonic()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Say what each of several GPUs has needed, and how long a streamed base waited for its layers."""
        stream, seconds = stream_of(self.trainer.model), self.last_seen - self.started - self._paused_seconds()
        if stream is not None and stream.streamed and seconds > 0:
            share = min(1.0, self.stalled / seconds)
            self.trainer.emit(LogNote(f"Waited {share:.1%} of the time for layers from the computer's memory."))
        if process_group.is_distributed():
            peaks = [f"{peak:.2f}" for (peak,) in process_group.all_gather([_memory_gib(self.trainer.model.device)])]
            self.trainer.emit(LogNote(f"Most memory in use, by process: {', '.join(peaks)} GiB."))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Say that a checkpoint is complete."""
        self.trainer.emit(Checkpointed(state.global_step))
        self.last_seen = time.monotonic()

    def _stalled_seconds(self) -> float:
        """Return how long a streamed base has waited for its layers since the last call; 0 for any other."""
        stream = stream_of(self.trainer.model)
        return stream.stalled_seconds() if stream is not None else 0.0

    def _paused_seconds(self) -> float:
        return self.last_paused - self.paused_before


def _memory_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    return int(psutil.Process().memory_info().rss) / GIB
