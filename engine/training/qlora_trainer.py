"""QLoRATrainer: trl's SFTTrainer that tells what it does and ends where it is asked to.

What it adds: an order of the examples that survives a resume, events instead of log lines, real tokens counted, a
held-out loss that is a mean over tokens, checks before the first and after the last step, pause and stop between steps.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerControl
from trl import SFTTrainer

from engine.model.snapshot import snapshot_of
from engine.model.streaming.layer_stream import stream_of
from engine.model.unpacking import linear_4bit_layers
from engine.recipe import Recipe
from engine.training.best_check import Check, best_check, checks_of, may_be_best
from engine.training.callbacks import RunCallback
from engine.training.data.collating import FlatBatches, real_tokens
from engine.training.data.sampling import EpochOrder
from engine.training.distributed import process_group
from engine.training.distributed.ddp import rank_loader, share_model
from engine.training.distributed.fsdp import average_gradients
from engine.training.early_stopping import stalled_since
from engine.training.errors import diverged
from engine.training.evaluation import heldout_loss, mean_loss
from engine.training.forgetting.alarm import alarm
from engine.training.kernels.async_optimizer import make_async
from engine.training.memory.cpu import WHOLE_LOGITS
from engine.training.memory.modes import Settings
from engine.training.pausing import PausedMemory, is_worth_it, wait_without_memory
from engine.training.replies import Replies
from engine.training.runs.checkpoints import MAKING, STATE, place, remove_older, written_aside
from engine.training.runs.events import Checkpointed, Emit, Evaluated, GeneralChecked, LogNote
from engine.training.warmup import start_above_zero


@dataclass(frozen=True, slots=True)
class GeneralRows:
    """What a model knew before, as data sets of token ids and labels."""

    texts: Any
    instructions: Any
    """None where the model's template takes no plain question."""


class QLoRATrainer(SFTTrainer):  # type: ignore[misc]  # trl has no types
    """See the module.

    Args:
        recipe: For the sentences of failures, and for the order of the examples.
        settings: How steps are computed.
        emit: Takes every event.
        should_stop: Looked at between steps and between held-out batches; may block, which is a pause.
        is_paused: Asked just before; True says that ``should_stop`` is about to block for long.
        general: Rows of general texts and of plain instructions, to see what is forgotten.
        replies: Asks held-out tickets at the checks.
        **options: As for SFTTrainer.
    """

    def __init__(
        self,
        *,
        recipe: Recipe,
        settings: Settings,
        emit: Emit,
        should_stop: Callable[[], bool],
        is_paused: Callable[[], bool] = lambda: False,
        general: GeneralRows | None = None,
        replies: Replies | None = None,
        **options: Any,
    ) -> None:
        self.recipe = recipe
        self.general = general
        self.replies = replies or Replies(None, recipe, emit)
        self.settings = settings
        super().__init__(**options)
        if settings.flat:
            pad = self.processing_class.pad_token_id
            self.data_collator = FlatBatches(pad, settings.batch_tokens, recipe.max_length)
        self.emit = emit
        self.stopped = False
        self.tokens = 0
        self.paused_seconds = 0.0
        self.out_of_memory: Exception | None = None
        """Set where memory ran out between two steps: after a pause."""
        self.saved_step = 0
        """The step of the newest checkpoint that this trainer made."""
        self.is_mid_step = False
        """Whether the optimizer is changing the weights."""
        self._ask_to_stop = should_stop
        self._is_paused = is_paused
        self._saving_to: Path | None = None
        self.remove_callback(PrinterCallback)
        self.add_callback(RunCallback(self))
        for parameter in self.model.parameters():
            if parameter.requires_grad:  # trl made them bfloat16, and resuming would make them float32 again: drift
                parameter.data = parameter.data.to(torch.float32)
        self.is_sharded = recipe.spread == "shards" and process_group.is_distributed()
        if process_group.is_distributed():
            share_model(self.model, recipe.seed, sharded=self.is_sharded, compiled=settings.compiled)

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochOrder:
        """Order by seed and epoch alone; similar lengths together only where that saves padding."""
        dataset = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(row) for row in dataset["input_ids"]]
        by_length = self.recipe.group_by_length and not self.settings.flat
        return EpochOrder(lengths, self.recipe.batch_size, self.recipe.seed, by_length=by_length)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Begin the gentle start above zero."""
        if self.lr_scheduler is None:
            scheduler = super().create_scheduler(num_training_steps, optimizer)
            start_above_zero(scheduler, self.args.get_warmup_steps(num_training_steps))
        return self.lr_scheduler

    def get_train_dataloader(self) -> Any:
        """Take this rank's share of the rows."""
        if not process_group.is_distributed():
            return super().get_train_dataloader()
        args, order = self.args, self._get_train_sampler()
        return self._rank_loader(self.train_dataset, order, args.train_batch_size, args.gradient_accumulation_steps)

    def _rank_loader(self, dataset: Any, order: Any, micro_batch: int, accumulation: int) -> Any:
        options = {"collate_fn": self.data_collator, "pin_memory": self.args.dataloader_pin_memory}
        return rank_loader(dataset, order, micro_batch, accumulation, self.accelerator.device, **options)

    @property
    def eval_collator(self) -> Any:
        """Makes the batches of a check, without filling: they are not compiled."""
        return FlatBatches(self.processing_class.pad_token_id) if self.settings.flat else self.data_collator

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """Check in batches of their own kind."""
        for_training, self.data_collator = self.data_collator, self.eval_collator
        try:
            if process_group.is_distributed():
                dataset = self.eval_dataset if eval_dataset is None else eval_dataset
                return self._rank_loader(dataset, range(len(dataset)), self.args.eval_batch_size, 1)
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = for_training

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """Make the optimizer; bitsandbytes' need not wait for the GPU after every weight."""
        optimizer = super().create_optimizer(*args, **kwargs)
        make_async(optimizer)
        return optimizer

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count nothing: transformers' count walks through all modules in every micro-batch, while the GPU waits."""
        return 0

    def should_stop(self) -> bool:
        """Ask whether to end, with a checkpoint; remembers the answer, and how long a pause took.

        True also where a run cannot go on after a pause because its memory is taken: then ``out_of_memory`` says so.
        """
        if not (self.stopped or self.out_of_memory):
            asked = time.monotonic()
            if self._is_paused() and is_worth_it(self.model.device):
                self._pause()
            else:
                self.stopped = self._ask_to_stop()
            self.paused_seconds += time.monotonic() - asked
        if not (self.stopped or self.out_of_memory):
            return False
        self.control.should_training_stop = self.control.should_save = True
        self.control.should_evaluate = False
        return True

    def _pause(self) -> None:
        """Wait with as little GPU memory as possible."""
        layers = linear_4bit_layers(self.model) if self.settings.unpack else []
        memory = PausedMemory(self.optimizer, layers, stream_of(self.model))
        self.stopped, self.out_of_memory = wait_without_memory(memory, self.model.device, self._ask_to_stop, self.emit)

    def _run_epoch(self, *args: Any, **options: Any) -> None:
        """Take no step where the run is to end before its first."""
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **options)

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
        if (
            ids.device.type == "cpu"
            and 4 * ids.numel() * self.model.get_output_embeddings().weight.shape[0] <= WHOLE_LOGITS
        ):
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
        loss = super().training_step(model, inputs, *args, **kwargs)
        if self.is_sharded and self.accelerator.sync_gradients:
            average_gradients(self.model.parameters())
        return loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the held-out loss (evaluation.py), or nothing where the run was ended meanwhile."""
        loss = heldout_loss(self)
        self.check_general()
        self._metrics["eval"].clear()
        if loss is None:
            return {}
        metrics = {"eval_loss": loss}
        invented = self._ask_replies()
        asked = {} if invented is None else {"invented": invented}
        self.state.log_history.append({**metrics, **asked, "step": self.state.global_step})
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.emit(Evaluated(self.state.global_step, loss))
        self.stop_early()
        return metrics

    def _ask_replies(self) -> int | None:
        """Let held-out tickets be answered; the random numbers of the run stay where they are."""
        step, run = self.state.global_step, Path(self.args.output_dir).parent.name
        with torch.random.fork_rng(devices=[self.model.device] if self.model.device.type == "cuda" else []):
            return self.replies.at_check(
                lambda: snapshot_of(self.model, run, step), step, self.state.max_steps, self.paused_seconds
            )

    @property
    def checks(self) -> list[Check]:
        """The checks on held-out tickets after the first step."""
        return checks_of(self.state.log_history)

    def check_general(self) -> None:
        """Measure what the model knew before, and say once where it has lost too much of it."""
        if self.general is None or self.stopped or self.out_of_memory:
            return
        texts = mean_loss(self, self.general.texts)
        instructions = mean_loss(self, self.general.instructions) if self.general.instructions is not None else None
        seen = GeneralChecked(self.state.global_step, texts, instructions)
        self.emit(seen)
        known = [GeneralChecked(**row["general"]) for row in self.state.log_history if "general" in row]
        self.state.log_history.append({"general": asdict(seen), "step": seen.step})
        if (rings := alarm([*known, seen])) and alarm(known) is None:
            self.emit(LogNote(rings.sentence, "warning"))

    def stop_early(self) -> None:
        """End the run when the held-out loss has not fallen for as many checks as the recipe allows."""
        by = self.recipe.best_by
        best = stalled_since(self.checks, self.recipe.patience, by)
        if best is None or self.state.global_step >= self.state.max_steps:
            return
        self.control.should_training_stop = self.control.should_save = True
        what = "Held-out loss has not" if by == "loss" else "Neither held-out loss nor what replies invent has"
        self.emit(
            LogNote(
                f"{what} fallen for {self.recipe.patience} checks, since step {best}: more steps "
                "would teach the tickets by heart, so the run ends here."
            )
        )

    def _build_accelerator_args(self, **kwargs: Any) -> dict[str, Any]:
        """Let gradients live where they are summed over the ranks, once and not twice; leave a streamed base alone."""
        options: dict[str, Any] = super()._build_accelerator_args(**kwargs)
        if self.settings.mode == "streamed":
            options["device_placement"] = False
        for handler in options["kwargs_handlers"]:
            if hasattr(handler, "gradient_as_bucket_view"):
                handler.gradient_as_bucket_view = True
        return options

    def _move_model_to_device(self, model: Any, device: Any) -> None:
        """Leave a streamed base where it is: its layers lie in the computer's memory, and come when they compute."""
        if self.settings.mode != "streamed":
            super()._move_model_to_device(model, device)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Go on with the random numbers of the checkpoint, of which each rank has its own."""
        saved = len(list(Path(checkpoint).glob("rng_state*.pth"))) if checkpoint else 0
        if checkpoint and saved != process_group.world_size():
            self.emit(
                LogNote(
                    f"The run was shared by {saved} so far and is by {process_group.world_size()} from here on: "
                    "weights, optimizer and order go on, random forgetting (dropout) is drawn anew.",
                )
            )
        super()._load_rng_state(checkpoint)

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
                self.state.save_to_json(str(place(side, step) / STATE))
            self.accelerator.wait_for_everyone()
        self.saved_step = step
        if first:
            always = may_be_best(self.checks, self.recipe.best_by)
            remove_older(checkpoints, self.recipe.keep_checkpoints, {self.state.best_global_step, *always})

    def save_now(self) -> None:
        """Save a checkpoint of the last optimizer step."""
        self._save_checkpoint(self.model, None)
        self.emit(Checkpointed(self.state.global_step))

    def _check_weights(self) -> None:
        """Keep a broken adapter out of the checkpoints: the loss is looked at less often than weights are saved."""
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
            raise diverged(self.state.global_step, self.recipe.learning_rate)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Save what may turn out the best, however rarely the recipe saves; a check broken off has no metric."""
        checks, by, step = self.checks, self.recipe.best_by, self.state.global_step
        best = best_check(checks, by)
        if not metrics or best is None:
            return False
        self.state.best_global_step, self.state.best_metric = best.step, best.loss
        if self.recipe.keep_best and step in may_be_best(checks, by):
            self.control.should_save = True
        return bool(best.step == step)

    def make_up_check(self) -> None:
        """Check at the beginning: the untouched base, or the step gone on from where its check is due and missing."""
        self.stop_early()
        if self.eval_dataset is None and not self.state.global_step:
            self.check_general()
            self.model.train()
        if self.eval_dataset is None or self.control.should_training_stop or not self._is_due():
            return
        metrics = self.evaluate()
        if self.state.global_step:
            self._determine_best_metric(metrics, None)
        self.model.train()

    def _is_due(self) -> bool:
        step = self.state.global_step
        checked = any(seen.get("step") == step for seen in self.state.log_history if "eval_loss" in seen)
        return not checked and (step % max(1, int(self.args.eval_steps)) == 0 or step >= self.state.max_steps)
