"""Load a checkpoint as bitsandbytes 4-bit with double quantisation, on CUDA or the CPU."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import ModelError
from engine.model.catalogue import title
from engine.model.errors import explain
from engine.model.libraries import import_all, one_at_a_time
from engine.model.load_progress import told_how_far
from engine.model.sources import is_hub_id, loading_options, resolve
from engine.model.unpacking import unpack_on_cpu
from engine.task import Report

if TYPE_CHECKING:
    from engine.model.streaming.arena import Arena
    from engine.recipe import Recipe


def pick_device() -> torch.device:
    """The first GPU, or the one of this process where several train together (LOCAL_RANK); else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def compute_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """Return the number format of the arithmetic.

    'auto' is bfloat16 on GPUs that have it, float16 on older ones, and float32 on the CPU, where bfloat16 halves the
    speed
    of training (measured on two AVX-512 cores without bf16 units).
    """
    if wanted != "auto":
        return {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}[wanted]
    if device.type == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def load_quantised(
    recipe: "Recipe",
    cache: Path,
    device: torch.device,
    dtype: torch.dtype,
    report: Report,
    *,
    unpacks: bool = True,
) -> Any:
    """Load the recipe's model, frozen and in eval mode.

    Args:
        recipe: Says which model, and how it is packed.
        cache: Where fetched models are kept.
        device: Where to.
        dtype: The compute type.
        report: Told what goes on.
        unpacks: Whether the CPU may keep unpacked copies.

    Raises:
        ModelError: It is not to be had, or has no layer that can be packed into 4 bit.
        ResourceError: Memory ran out.
    """
    return _loaded(recipe, cache, device, dtype, report, unpacks=unpacks, streamed=False)[0]


def load_streamed(
    recipe: "Recipe", cache: Path, device: torch.device, dtype: torch.dtype, report: Report
) -> "tuple[Any, Arena]":
    """Load the recipe's model as :func:`load_quantised` does, but for its decoder layers, which go to an arena.

    Raises:
        ModelError: As there; or it has no decoder layers.
        ResourceError: Memory ran out.
    """
    model, arena = _loaded(recipe, cache, device, dtype, report, unpacks=False, streamed=True)
    assert arena is not None
    return model, arena


def _loaded(
    recipe: "Recipe",
    cache: Path,
    device: torch.device,
    dtype: torch.dtype,
    report: Report,
    *,
    unpacks: bool,
    streamed: bool,
) -> "tuple[Any, Arena | None]":
    import_all()
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

    from engine.model.streaming.loading import into_arena

    source = resolve(recipe.model, cache, report)
    options = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=recipe.quant_type,
        bnb_4bit_use_double_quant=recipe.double_quant,
        bnb_4bit_compute_dtype=dtype,
    )
    try:
        refuse_packed(AutoConfig.from_pretrained(source, **loading_options()), recipe)
        where = into_arena(device, cache) if streamed else nullcontext()
        stage = f"Loading {title(recipe.model)} in 4 bit"
        with one_at_a_time(), told_how_far(stage, report), where as landing:
            model = AutoModelForCausalLM.from_pretrained(
                source, quantization_config=options, dtype=dtype, device_map={"": device}, **loading_options()
            )
            arena = landing.finished(model) if landing else None
    except Exception as error:
        raise explain(error, recipe.model) from error
    if is_hub_id(recipe.model):  # what adapters name as their base, not the folder of this computer
        model.name_or_path = model.config._name_or_path = recipe.model
    return made_ready(model, recipe.model, unpacks=unpacks), arena


def refuse_packed(config: Any, recipe: "Recipe") -> None:
    """Refuse a checkpoint that somebody has quantised already, unless it is packed just as the recipe wants it.

    Args:
        config: The checkpoint's configuration.
        recipe: Its quant_type and double_quant count.

    Raises:
        ModelError: Says how it is packed, and what to take instead.
    """
    packed = getattr(config, "quantization_config", None)
    if packed is None:
        return
    options: dict[str, Any] = packed if isinstance(packed, dict) else packed.to_dict()
    method = str(options.get("quant_method") or "unknown").rpartition(".")[2]
    if options.get("load_in_4bit") or options.get("_load_in_4bit"):
        kind = options.get("bnb_4bit_quant_type", "fp4"), bool(options.get("bnb_4bit_use_double_quant"))
        if kind == (recipe.quant_type, recipe.double_quant):
            return
        raise ModelError(
            f"{title(recipe.model)} is packed into 4 bit already, as {kind[0]} "
            f"{'with' if kind[1] else 'without'} double quantisation, not as the recipe says.",
            f"Set the 4-bit number format to {kind[0]} and double quantisation to {'yes' if kind[1] else 'no'}.",
        )
    raise ModelError(
        f"{title(recipe.model)} is quantised already ({method.upper()[:40]}); this program packs a model's own weights "
        "into 4 bit itself, and cannot learn over others.",
        "Pick the model that it was made from, the one without such a word in its name.",
    )


def made_ready(model: Any, name: str, *, unpacks: bool) -> Any:
    """Freeze it, switch off the CPU kernel that loses gradients, and unpack on the CPU when memory allows."""
    from bitsandbytes.nn import Linear4bit

    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    if not layers:
        raise ModelError(f"{name} has no layer that can be packed into 4 bit.", "Pick another model.")
    for layer in layers:
        forbid_repacking(layer)
    model.requires_grad_(False)
    model.eval()
    if unpacks:
        unpack_on_cpu(layers)
    return model


def forbid_repacking(layer: Any) -> None:
    """Keep bitsandbytes 0.50 from repacking the weights in place during evaluation on CPUs with AVX512-BF16.

    After such a pass, training takes a kernel without a gradient to the input: the loss looks the same while what is
    learnt is destroyed (cosine 0.05 to the right gradient, emulated).
    """
    layer.support_avx512bf16_for_cpu = False
