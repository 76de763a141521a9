"""QLoRATrainer: trl's SFTTrainer that tells what it does and ends where it is asked to.

What it adds: an order of the examples that survives a resume, events instead of log lines, real tokens counted, a
held-out loss that is a mean over tokens, a check before the first and after the last step, an end at step boundaries,
a halt when the loss is no number.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import SFTTrainer

from engine.errors import RunError
from engine.training.events import Checkpointed, Emit, Evaluated, Stepped
from engine.training.examples import IGNORED
from engine.training.ordering import EpochOrder
from engine.training.recipe import Recipe

GIB = 2**30
SMALL_LOGITS = GIB // 2
"""Bytes of a micro-batch's float32 logits up to which they are made whole on the CPU; training needs thrice that."""


class QLoRATrainer(SFTTrainer):  # type: ignore[misc]  # trl has no types
    """See the module.

    Args:
        recipe: For the sentences of failures.
        emit: Takes every event.
        should_stop: Looked at between steps and between held-out batches; may block, which is a pause.
        **options: As for SFTTrainer.
    """

    def __init__(self, *, recipe: Recipe, emit: Emit, should_stop: Callable[[], bool], **options: Any) -> None:
        self.recipe = recipe
        super().__init__(**options)
        self.emit = emit
        self.stopped = False
        self.tokens = 0
        self.paused_seconds = 0.0
        self._ask_to_stop = should_stop
        self.remove_callback(PrinterCallback)
        self.add_callback(_Boundaries(self))
        for parameter in self.model.parameters():
            if parameter.requires_grad:  # trl made them bfloat16, and resuming would make them float32 again: drift
                parameter.data = parameter.data.to(torch.float32)

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        """Order by seed and epoch alone; packed rows are full: grouping them changes nothing."""
        dataset = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(row) for row in dataset["input_ids"]]
        by_length = self.recipe.group_by_length and not self.args.packing
        return EpochOrder(lengths, self.recipe.batch_size, self.recipe.seed, by_length=by_length)

    def should_stop(self) -> bool:
        """Ask whether to end; remembers the answer, and how long a pause took."""
        if not self.stopped:
            asked = time.monotonic()
            self.stopped = self._ask_to_stop()
            self.paused_seconds += time.monotonic() - asked
        return self.stopped

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the loss; on the CPU with whole logits where they are small.

        trl scores every position tile by tile in several passes, which saves memory on a GPU; on two CPU cores a step
        of SmolLM2 135M took 1.35 times as long. Both give the same loss.
        """
        ids = inputs["input_ids"]
        logits = 4 * ids.numel() * model.get_output_embeddings().weight.shape[0]
        if ids.device.type == "cpu" and logits <= SMALL_LOGITS:
            return Trainer.compute_loss(self, model, inputs, *args, **kwargs)
        return super().compute_loss(model, inputs, *args, **kwargs)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Count real tokens on the way."""
        mask = inputs.get("attention_mask")
        self.tokens += int(mask.sum()) if mask is not None else inputs["input_ids"].numel()
        return super().training_step(model, inputs, *args, **kwargs)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the held-out loss, a mean over the agents' tokens.

        transformers' own is a mean of batch means, in which a short answer weighs as much as a long one.
        """
        self.model.eval()
        nats, count = 0.0, 0
        with torch.no_grad():
            for batch in self.get_eval_dataloader():
                if self.should_stop():
                    self._metrics["eval"].clear()
                    return {}
                learnt = int((batch["labels"][:, 1:] != IGNORED).sum())
                loss = self.prediction_step(self.model, batch, prediction_loss_only=True)[0]
                nats += float(loss) * learnt
                count += learnt
        self._metrics["eval"].clear()
        loss = nats / max(1, count)
        metrics = {"eval_loss": loss}
        self.state.log_history.append({**metrics, "step": self.state.global_step})
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.emit(Evaluated(self.state.global_step, loss))
        return metrics

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """A check that was broken off by a stop has no metric."""
        return bool(metrics) and bool(super()._determine_best_metric(metrics=metrics, trial=trial))


class _Boundaries(TrainerCallback):  # type: ignore[misc]  # transformers' types are not followed
    """What happens between steps."""

    def __init__(self, trainer: QLoRATrainer) -> None:
        self.trainer = trainer
        self.started = self.last_seen = time.monotonic()
        self.last_tokens = 0
        self.last_paused = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Check the untouched base first, unless this is a resume."""
        if self.trainer.eval_dataset is not None and state.global_step == 0:
            self.trainer.evaluate()
            self.trainer.model.train()
        self.started = self.last_seen = time.monotonic()
        self.last_paused = self.trainer.paused_seconds
        if self.trainer.stopped:
            control.should_training_stop = True

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Check and save after the last step, and end when asked."""
        last = state.global_step >= state.max_steps
        if last:
            control.should_save = True
            control.should_evaluate = self.trainer.eval_dataset is not None
        if not last and self.trainer.should_stop():
            control.should_training_stop = control.should_save = True
            control.should_evaluate = False

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
            rate = self.trainer.recipe.learning_rate
            raise RunError(
                f"The loss is no longer a number at step {state.global_step}: too large steps have broken the model.",
                f"Start again with a lower learning rate ({rate / 5:.2g} instead of {rate:g}); checkpoints are kept.",
            )
        now, tokens, paused = time.monotonic(), self.trainer.tokens, self.trainer.paused_seconds
        busy = max(1e-9, now - self.last_seen - (paused - self.last_paused))
        speed = (tokens - self.last_tokens) / busy
        self.last_seen, self.last_tokens, self.last_paused = now, tokens, paused
        self.trainer.emit(
            Stepped(
                step=state.global_step,
                epoch=round(float(state.epoch or 0), 4),
                loss=loss,
                learning_rate=float(logs["learning_rate"]),
                grad_norm=norm,
                tokens_per_second=round(speed, 1),
                memory_gib=round(_memory_gib(self.trainer.model.device), 3),
                seconds=round(now - self.started - paused, 3),
            )
        )

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Keep the time of a check out of the training speed."""
        self.last_seen = time.monotonic()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Say that a checkpoint is complete."""
        self.trainer.emit(Checkpointed(state.global_step))
        self.last_seen = time.monotonic()


def _memory_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / GIB
    return int(psutil.Process().memory_info().rss) / GIB
