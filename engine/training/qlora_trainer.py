"""QLoRATrainer: trl's SFTTrainer that tells what it does and ends where it is asked to.

What it adds: an order of the examples that survives a resume, events instead of log lines, real tokens counted, a
held-out loss that is a mean over tokens, a check before the first and after the last step, an end at step boundaries,
a halt when the loss is no number.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import SFTTrainer

from engine.errors import RunError
from engine.training.batching import FlatBatches, real_tokens
from engine.training.checkpoints import MAKING, PREFIX, STATE, remove_older, written_aside
from engine.training.events import Checkpointed, Emit, Evaluated, Noted, Stepped
from engine.training.examples import IGNORED
from engine.training.modes import Settings
from engine.training.ordering import EpochOrder
from engine.training.recipe import Recipe
from engine.training.rehearsal import rehearse

GIB = 2**30
SMALL_LOGITS = GIB // 2
"""Bytes of a micro-batch's float32 logits up to which they are made whole on the CPU; training needs thrice that."""


class QLoRATrainer(SFTTrainer):  # type: ignore[misc]  # trl has no types
    """See the module.

    Args:
        recipe: For the sentences of failures, and for the order of the examples.
        settings: How steps are computed.
        emit: Takes every event.
        should_stop: Looked at between steps and between held-out batches; may block, which is a pause.
        **options: As for SFTTrainer.
    """

    def __init__(
        self, *, recipe: Recipe, settings: Settings, emit: Emit, should_stop: Callable[[], bool], **options: Any
    ) -> None:
        self.recipe = recipe
        self.settings = settings
        super().__init__(**options)
        if settings.flat:
            pad = self.processing_class.pad_token_id
            self.data_collator = FlatBatches(pad, settings.batch_tokens, recipe.max_length)
        self.emit = emit
        self.stopped = False
        self.tokens = 0
        self.paused_seconds = 0.0
        self._ask_to_stop = should_stop
        self._saving_to: Path | None = None
        self.remove_callback(PrinterCallback)
        self.add_callback(_Boundaries(self))
        for parameter in self.model.parameters():
            if parameter.requires_grad:  # trl made them bfloat16, and resuming would make them float32 again: drift
                parameter.data = parameter.data.to(torch.float32)

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        """Order by seed and epoch alone; similar lengths together only where that saves padding."""
        dataset = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(row) for row in dataset["input_ids"]]
        by_length = self.recipe.group_by_length and not self.settings.flat
        return EpochOrder(lengths, self.recipe.batch_size, self.recipe.seed, by_length=by_length)

    @property
    def eval_collator(self) -> Any:
        """Makes the batches of a check, without filling: they are not compiled."""
        return FlatBatches(self.processing_class.pad_token_id) if self.settings.flat else self.data_collator

    def get_eval_dataloader(self, *args: Any, **kwargs: Any) -> Any:
        """Check in batches of their own kind."""
        for_training, self.data_collator = self.data_collator, self.eval_collator
        try:
            return super().get_eval_dataloader(*args, **kwargs)
        finally:
            self.data_collator = for_training

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count nothing: transformers' count walks through all modules in every micro-batch, while the GPU waits."""
        return 0

    def should_stop(self) -> bool:
        """Ask whether to end; remembers the answer, and how long a pause took."""
        if not self.stopped:
            asked = time.monotonic()
            self.stopped = self._ask_to_stop()
            self.paused_seconds += time.monotonic() - asked
        return self.stopped

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Return the loss, in whichever way is the fastest where it runs; all give the same.

        On a GPU trl's head scores the learnt positions tile by tile; asked through trl it also measures entropy and
        accuracy, for which processor and GPU wait for each other in every micro-batch. On the CPU a few passes over
        tiles cost more than the memory is worth: a step of SmolLM2 135M took 1.35 times as long as with whole logits.
        """
        inputs = {name: value for name, value in inputs.items() if name != "real_tokens"} | {"use_cache": False}
        if self.settings.batch_tokens and model.training:
            torch._dynamo.mark_dynamic(inputs["cu_seq_lens_q"], 0)
        ids = inputs["input_ids"]
        if ids.device.type == "cpu" and 4 * ids.numel() * model.get_output_embeddings().weight.shape[0] <= SMALL_LOGITS:
            return Trainer.compute_loss(self, model, inputs, *args, **kwargs)
        if ids.device.type == "cpu" or self.aux_loss_enabled:
            return super().compute_loss(model, inputs, *args, **kwargs)
        learnt = kwargs.get("num_items_in_batch")
        loss = model(**inputs, fused_lm_head=True, num_items_in_batch=learnt).loss
        alone = learnt is None or not self.args.average_tokens_across_devices
        return loss if alone else loss * self.accelerator.num_processes

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Count real tokens on the way."""
        self.tokens += real_tokens(inputs)
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
        self._stop_early()
        return metrics

    def _stop_early(self) -> None:
        """End the run when the held-out loss has not fallen for as many checks as the recipe allows."""
        checks = [(seen["eval_loss"], seen["step"]) for seen in self.state.log_history if "eval_loss" in seen]
        trained = [check for check in checks if check[1] > 0]
        patience = self.recipe.patience
        if not patience or len(trained) <= patience or self.state.global_step >= self.state.max_steps:
            return
        best = min(range(len(trained)), key=lambda number: trained[number])
        if len(trained) - 1 - best >= patience:
            self.control.should_training_stop = self.control.should_save = True
            self.emit(
                Noted(
                    f"Held-out loss has not fallen for {patience} checks, since step {trained[best][1]}: more steps "
                    "would teach the tickets by heart, so the run ends here."
                )
            )

    def _get_output_dir(self, trial: Any) -> str:
        """Where the checkpoint that is being saved goes."""
        return str(self._saving_to) if self._saving_to else str(super()._get_output_dir(trial))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write to the side and rename, so that what a crash cuts off never looks like a checkpoint."""
        self._check_weights()
        checkpoints, step = Path(self.args.output_dir), self.state.global_step
        first = self.is_world_process_zero()
        with written_aside(checkpoints, step) if first else nullcontext(checkpoints / MAKING) as side:
            self.accelerator.wait_for_everyone()
            self._saving_to = side
            try:
                super()._save_checkpoint(model, trial)
            finally:
                self._saving_to = None
            self.state.best_model_checkpoint = None  # a path on the side; the best step is what counts
            if first:
                self.state.save_to_json(str(side / f"{PREFIX}{step}" / STATE))
            self.accelerator.wait_for_everyone()
        if first:
            remove_older(checkpoints, self.recipe.keep_checkpoints, {self.state.best_global_step})

    def save_now(self) -> None:
        """Save a checkpoint of the last optimizer step."""
        self._save_checkpoint(self.model, None)
        self.emit(Checkpointed(self.state.global_step))

    def _check_weights(self) -> None:
        """Keep a broken adapter out of the checkpoints: the loss is looked at less often than weights are saved."""
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
            raise no_longer_a_number(self.state.global_step, self.recipe.learning_rate)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """A check that was broken off by a stop has no metric."""
        return bool(metrics) and bool(super()._determine_best_metric(metrics=metrics, trial=trial))


def no_longer_a_number(step: int, rate: float) -> RunError:
    """Return the failure of a run whose loss or weights are NaN or infinite at ``step``."""
    return RunError(
        f"The loss is no longer a number at step {step}: too large steps have broken the model.",
        f"Start again with a lower learning rate ({rate / 5:.2g} instead of {rate:g}); the best checkpoint is kept.",
    )


class _Boundaries(TrainerCallback):  # type: ignore[misc]  # transformers' types are not followed
    """What happens between steps."""

    def __init__(self, trainer: QLoRATrainer) -> None:
        self.trainer = trainer
        self.started = self.last_seen = time.monotonic()
        self.last_tokens = 0
        self.last_paused = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Rehearse on a GPU; check the untouched base first, or what a run that ran out of memory could not check."""
        if self.trainer.model.device.type == "cuda":
            rehearsed = rehearse(self.trainer, self.trainer.model_wrapped)
            self.trainer.emit(rehearsed)
            took = f"{rehearsed.peak_gib:.1f} GiB at the peak, about {rehearsed.seconds / 60:.0f} minutes to go"
            self.trainer.emit(Noted(f"Tried the longest conversations: {took}."))
        if self.trainer.eval_dataset is not None and self._is_due(state, args):
            self.trainer.evaluate()
            self.trainer.model.train()
        self.started = self.last_seen = time.monotonic()
        self.last_paused = self.trainer.paused_seconds
        if self.trainer.stopped:
            control.should_training_stop = True

    def _is_due(self, state: TrainerState, args: TrainingArguments) -> bool:
        """Whether the step that a run begins or goes on from should have been checked and was not."""
        checked = any(seen.get("step") == state.global_step for seen in state.log_history if "eval_loss" in seen)
        return not checked and state.global_step % max(1, int(args.eval_steps)) == 0

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
            raise no_longer_a_number(state.global_step, self.trainer.recipe.learning_rate)
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
