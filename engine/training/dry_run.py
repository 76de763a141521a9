"""A dry run before hours of training: a forward and backward pass over the longest rows, and a check of the longest.

It takes the memory that the worst step will take, so that a run that does not fit fails at once and can give way; and
it measures how long the run will last. What it computes is thrown away; weights and random state stay as they were.
"""

import time
from typing import Any, Protocol

import torch

from engine.hardware import GIB
from engine.training.data.collating import real_tokens
from engine.training.distributed import process_group
from engine.training.runs.events import DryRunMeasured

OPTIMIZER_BYTES = 2
"""Bytes a trained parameter that an 8-bit AdamW takes at the first step (two moments of one byte)."""


class DryRunTrainer(Protocol):
    """What a dry run needs of a trainer: transformers' Trainer, with a collator of its own for checks."""

    model: Any
    args: Any
    state: Any
    accelerator: Any
    train_dataset: Any
    eval_dataset: Any
    data_collator: Any
    eval_collator: Any

    def compute_loss_context_manager(self) -> Any:
        """As in transformers."""

    def compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """As in transformers."""

    def prediction_step(self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool) -> Any:
        """As in transformers."""

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]: ...


def dry_run(trainer: DryRunTrainer, model: Any) -> DryRunMeasured:
    """Take the worst step without its consequences.

    Args:
        trainer: Prepared, before its first step.
        model: As the training loop calls it.

    Returns:
        The peak of allocated memory and the expected duration of what is left of the run.

    Raises:
        torch.OutOfMemoryError: It does not fit.
    """
    device = trainer.model.device
    args = trainer.args
    batch = _longest(trainer, trainer.train_dataset, args.per_device_train_batch_size, trainer.data_collator)
    tokens = real_tokens(batch)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.cuda.reset_peak_memory_stats() if device.type == "cuda" else None
        model.train()
        _pass(trainer, model, batch)
        training = _timed(device, lambda: _pass(trainer, model, batch)) / tokens
        checking = 0.0
        if trainer.eval_dataset is not None:
            check = _longest(trainer, trainer.eval_dataset, args.per_device_eval_batch_size, trainer.eval_collator)
            model.eval()
            with torch.no_grad():
                trainer.prediction_step(model, check, prediction_loss_only=True)
                seconds = _timed(device, lambda: trainer.prediction_step(model, check, prediction_loss_only=True))
            checking = seconds / real_tokens(check)
            model.train()
    trained = sum(parameter.numel() for parameter in trainer.model.parameters() if parameter.requires_grad)
    peak = torch.cuda.max_memory_allocated(device) + OPTIMIZER_BYTES * trained if device.type == "cuda" else 0
    return DryRunMeasured(round(peak / GIB, 2), round(_seconds(trainer, training, checking), 1))


def _longest(trainer: DryRunTrainer, dataset: Any, count: int, collate: Any) -> dict[str, Any]:
    """The ``count`` longest rows as a batch on the device."""
    lengths = [len(row) for row in dataset["input_ids"]]
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)[:count]
    prepared: dict[str, Any] = trainer._prepare_inputs(collate([dataset[number] for number in order]))
    return prepared


def _pass(trainer: DryRunTrainer, model: Any, batch: dict[str, Any]) -> None:
    with trainer.compute_loss_context_manager():
        loss = trainer.compute_loss(model, batch)
    trainer.accelerator.backward(loss)
    trainer.model.zero_grad(set_to_none=True)


def _timed(device: torch.device, action: Any) -> float:
    """Seconds that an action takes, the GPU's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _seconds(trainer: DryRunTrainer, training: float, checking: float) -> float:
    """Expected seconds of the steps and checks that are left, from seconds a token."""
    args, state = trainer.args, trainer.state
    steps = args.max_steps - state.global_step
    rows = [len(row) for row in trainer.train_dataset["input_ids"]]
    a_step = args.per_device_train_batch_size * args.gradient_accumulation_steps * sum(rows) / len(rows)
    expected: float = steps * a_step * training
    if trainer.eval_dataset is not None:
        held = sum(len(row) for row in trainer.eval_dataset["input_ids"]) / process_group.world_size()
        expected += held * checking * (1 + steps // max(1, int(args.eval_steps)))
    return expected
