import torch

from engine.recipe import Recipe
from engine.training.lora_config import lora_config
from engine.training.memory.modes import Settings
from engine.training.trl_config import optimizer_for, sft_config

SETTINGS = Settings(
    mode="saving",
    packing=True,
    flat=True,
    kernel="sdpa",
    micro_batch=3,
    accumulation=5,
    recompute=True,
    offload=False,
    unpack=False,
    compiled=False,
    batch_tokens=0,
)


def test_eight_bit_and_paged_optimizers_are_for_gpus_only():
    """On the CPU bitsandbytes' 8-bit AdamW made a step of SmolLM2 135M take 100 s instead of 4."""
    for name in ("paged_adamw_8bit", "paged_adamw_32bit", "adamw_8bit", "adamw_torch"):
        assert optimizer_for(Recipe(optimizer=name), torch.device("cpu")) == "adamw_torch"
        assert optimizer_for(Recipe(optimizer=name), torch.device("cuda", 0)) == name


def test_the_recipe_reaches_trl_and_peft(tmp_path):
    recipe = Recipe(learning_rate=3e-4, schedule="linear", warmup=0.1, max_grad_norm=1.0, seed=7, max_length=99)
    made = sft_config(recipe, tmp_path, torch.device("cpu"), torch.float32, 12, SETTINGS, heldout=True)
    assert (made.learning_rate, made.lr_scheduler_type, made.warmup_steps) == (3e-4, "linear", 0.1)
    assert (made.max_grad_norm, made.seed, made.max_steps, made.max_length) == (1.0, 7, 12, 99)
    assert made.use_cpu
    assert not made.bf16
    assert (made.per_device_train_batch_size, made.gradient_accumulation_steps) == (3, 5)
    assert not made.gradient_checkpointing
    assert not made.logging_nan_inf_filter
    config = lora_config(Recipe(rank=8, alpha=4, dropout=0.1, target_modules="q_proj, v_proj"))
    assert (config.r, config.lora_alpha, config.lora_dropout, config.target_modules) == (
        8,
        4,
        0.1,
        {"q_proj", "v_proj"},
    )


def test_a_process_trains_on_one_gpu_of_several(tmp_path, monkeypatch):
    """trl refuses a trainer that sees more than one; this happened on a computer with two."""
    from transformers import TrainingArguments

    def two_gpus(config):
        config._n_gpu = 2
        return torch.device("cpu")

    monkeypatch.setattr(TrainingArguments, "_setup_devices", property(two_gpus))
    made = sft_config(Recipe(), tmp_path, torch.device("cpu"), torch.float32, 12, SETTINGS, heldout=False)
    assert made.n_gpu == 1


def test_transformers_recomputes_only_what_the_layers_do_not_recompute_themselves(tmp_path):
    import dataclasses

    def recomputes(settings, own):
        return sft_config(
            Recipe(),
            tmp_path,
            torch.device("cpu"),
            torch.float32,
            12,
            settings,
            own_recompute=own,
            heldout=False,
        ).gradient_checkpointing

    keeping = dataclasses.replace(SETTINGS, recompute=False)
    assert [recomputes(SETTINGS, True), recomputes(SETTINGS, False), recomputes(keeping, False)] == [False, True, False]
