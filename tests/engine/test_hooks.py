"""What the program takes from inside the libraries, by name: a canary that names the hook that moved.

pyproject.toml keeps these libraries below the next version because of what stands here. To let a newer one in, raise
the bound, run this, and look at each place that it names.
"""

import importlib
import inspect
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

HOOKS = (
    ("accelerate.state:AcceleratorState._reset_state", "reset_partial_state"),
    ("accelerate.data_loader:prepare_data_loader", "put_on_device"),
    ("bitsandbytes.nn:Linear4bit.__init__", "compress_statistics"),
    ("bitsandbytes.nn:Params4bit._quantize", "device"),
    ("bitsandbytes.functional:dequantize_4bit", "quant_state"),
    ("bitsandbytes.optim:GlobalOptimManager.get_instance", ""),
    ("bitsandbytes.optim.optimizer:Optimizer8bit.check_overrides", ""),
    ("bitsandbytes.optim.optimizer:Optimizer8bit.init_state", "gindex"),
    ("bitsandbytes.optim.optimizer:Optimizer8bit.to_gpu", ""),
    ("bitsandbytes.optim.optimizer:Optimizer8bit.update_step", "gindex"),
    ("gradio.components:Component.__init__", "elem_id"),
    ("peft.tuners.lora.bnb:Linear4bit.forward", "x"),
    ("torch._dynamo:mark_dynamic", ""),
    ("torch._dynamo.config:optimize_ddp", ""),
    ("torch.nn.parallel:DistributedDataParallel._set_params_and_buffers_to_ignore_for_model", ""),
    ("torch.utils._triton:has_triton", ""),
    ("transformers:Trainer._load_from_checkpoint", "resume_from_checkpoint"),
    ("transformers:Trainer._run_epoch", ""),
    ("transformers:Trainer._save_checkpoint", "trial"),
    ("transformers:Trainer._determine_best_metric", "metrics"),
    ("transformers:Trainer._build_accelerator_args", "kwargs"),
    ("transformers:Trainer._load_rng_state", "checkpoint"),
    ("transformers:Trainer._get_output_dir", "trial"),
    ("transformers:Trainer._get_train_sampler", "train_dataset"),
    ("transformers:Trainer._prepare_inputs", "inputs"),
    ("transformers:Trainer.floating_point_ops", "inputs"),
    ("transformers:AttentionInterface.register", ""),
    ("transformers:AttentionMaskInterface.register", ""),
    ("transformers:StaticCache.__init__", "max_cache_len"),
    ("transformers.cache_utils:StaticLayer.cumulative_length", ""),
    ("transformers.integrations.sdpa_attention:sdpa_attention_forward", "attention_mask"),
    ("transformers.masking_utils:sdpa_mask", ""),
    ("transformers.modeling_layers:GradientCheckpointingLayer", ""),
    ("transformers.quantizers.auto:AutoHfQuantizer.from_config", ""),
    ("trl:SFTTrainer.compute_loss", "num_items_in_batch"),
    ("trl.data_utils:pack_dataset", "strategy"),
)
"""Where a hook is, and an argument of it that we give or take; empty where any will do."""


@pytest.mark.parametrize(("place", "argument"), HOOKS, ids=lambda value: value)
def test_a_hook_into_a_library_is_where_it_was(place, argument):
    module, _, path = place.partition(":")
    found = importlib.import_module(module)
    for name in path.split("."):
        declared = name in getattr(found, "__annotations__", {})
        assert declared or hasattr(found, name), f"{place} has moved: {name} is gone"
        found = getattr(found, name, None)
    if argument:
        taken = inspect.signature(found).parameters
        assert argument in taken, f"{place} takes no {argument} any more, but {', '.join(taken)}"


def test_libraries_with_hooks_have_an_upper_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {made.name: made.specifier for made in map(Requirement, project["dependencies"])}
    for library in {place.partition(":")[0].split(".")[0] for place, _ in HOOKS}:
        assert any(part.operator in ("<", "==") for part in bounds[library]), f"{library} may become anything"
