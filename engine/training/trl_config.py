"""A recipe in trl's words. Argument names move between versions; this is the one place that knows them."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engine.recipe import Recipe
from engine.training.early_stopping import check_every
from engine.training.memory.modes import Settings

if TYPE_CHECKING:
    from trl import SFTConfig


def optimizer_for(recipe: Recipe, device: torch.device) -> str:
    """Return the optimizer that runs: AdamW in float32 on the CPU, whatever the recipe says.

    There bitsandbytes quantises the moments block by block at every step, which took 20 times as long as the forward
    and backward pass together (SmolLM2 135M, two cores), to save 40 MB; and it has no paged memory.
    """
    return recipe.optimizer if device.type == "cuda" else "adamw_torch"


def sft_config(
    recipe: Recipe,
    output: Path,
    device: torch.device,
    dtype: torch.dtype,
    steps: int,
    settings: Settings,
    *,
    own_recompute: bool = True,
    heldout: bool,
) -> "SFTConfig":
    """Return trl's configuration of the run.

    Args:
        recipe: The hyperparameters.
        output: Where checkpoints go.
        device: Where the base model is.
        dtype: The compute type. float16 runs under autocast with a scaled loss; bfloat16 needs neither, since the model
            is in bfloat16 and its LoRA layers cast their float32 weights themselves.
        steps: Optimizer steps in all.
        settings: Micro-batch, accumulation and whether layers are recomputed.
        own_recompute: Whether the layers do that themselves, so that transformers need not.
        heldout: Whether there are tickets to check on.
    """
    from trl import SFTConfig

    on_gpu = device.type == "cuda"
    checks = check_every(recipe, steps)
    saves = recipe.save_steps or checks
    config = SFTConfig(
        output_dir=str(output),
        max_steps=steps,
        per_device_train_batch_size=settings.micro_batch,
        per_device_eval_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup if recipe.warmup < 1 else int(recipe.warmup),
        optim=optimizer_for(recipe, device),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        max_length=recipe.max_length,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=False,
        fp16=on_gpu and dtype is torch.float16,
        use_cpu=not on_gpu,
        logging_strategy="steps",
        logging_steps=recipe.logging_steps,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if heldout else "no",
        eval_steps=checks if heldout else None,
        save_strategy="steps",
        save_steps=saves,
        metric_for_best_model="eval_loss" if heldout else None,
        greater_is_better=False if heldout else None,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,  # every adapter weight is used once in a pass
        ddp_broadcast_buffers=False,
        **_checkpointing(settings.recompute and not own_recompute),
    )
    return _one_gpu_a_process(config)


def _one_gpu_a_process(config: "SFTConfig") -> "SFTConfig":
    """Leave the other GPUs of the computer alone: transformers would spread every batch over all that it sees."""
    config._n_gpu = min(1, config.n_gpu)
    return config


def _checkpointing(on: bool) -> dict[str, Any]:
    """Name the option as this version does: transformers 5.23 renamed it, and trl switches it on by default."""
    from trl import SFTConfig

    names = {field.name for field in dataclasses.fields(SFTConfig)}
    name = "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
    options = {name: on, f"{name}_kwargs": {"use_reentrant": False} if on else None}
    if name == "activation_checkpointing" and "gradient_checkpointing" in names:
        options["gradient_checkpointing"] = on
    return options
