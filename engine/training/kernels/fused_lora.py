"""A LoRA layer's forward and backward in few kernels, for training.

peft computes an adapted 4-bit layer as many small operations: it copies the base's product, casts the adapter's weights
and adds two full-size results, and autograd keeps what each of them needs. Here the layer is one operation with a
backward of its own: the same mathematics, the base's product written once, and nothing kept but the input (which its
neighbours keep too) and the adapter's narrow inner values. The adapter's weights stay in float32, as the optimizer has
them. This module knows peft's layers and no recipe.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.model.unpacking import unpacked_values


class _FusedLoraProduct(torch.autograd.Function):
    """``x W^T + bias + scale * dropout(x) A^T B^T`` with gradients to x, A and B."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        state: Any,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
        dropout: float,
    ) -> torch.Tensor:
        """Return shape (tokens, out_features), in x's type.

        Args:
            ctx: autograd's.
            x: Shape (tokens, in_features).
            weight: Shape (out_features, in_features) in x's type, or packed.
            state: bitsandbytes' QuantState of a packed weight, else None.
            bias: Shape (out_features,), or None; frozen.
            down: LoRA's A, shape (rank, in_features), float32.
            up: LoRA's B, shape (out_features, rank), float32.
            scale: LoRA's alpha / rank.
            dropout: Share of x's values left out on the way into A.
        """
        out = functional.linear(x, _values(weight, state, x.dtype), bias)
        kept, choice = _dropped(x, dropout)
        inner = kept @ down.to(x.dtype).t()
        out = _added(out, inner, (up * scale).to(x.dtype).t())
        ctx.save_for_backward(x, weight, choice, inner, down, up)
        ctx.state, ctx.scale, ctx.dropout = state, scale, dropout
        return out

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        """Return the gradients to x, A and B."""
        x, weight, choice, inner, down, up = ctx.saved_tensors
        grad_inner = grad @ (up * ctx.scale).to(x.dtype)
        grad_up = (grad.t() @ inner).to(up.dtype) * ctx.scale
        grad_down = (grad_inner.t() @ _dropped_again(x, choice, ctx.dropout)).to(down.dtype)
        # not only where ctx.needs_input_grad says so: under torch.compile (2.11) it says no for inputs that come out of
        # another such operation, and everything below would silently learn nothing
        grad_x = grad @ _values(weight.flatten(), ctx.state, x.dtype) if ctx.state is not None else grad @ weight
        if ctx.dropout:
            grad_x = grad_x + _dropped_again(grad_inner @ down.to(x.dtype), choice, ctx.dropout)
        else:
            grad_x = _added(grad_x, grad_inner, down.to(x.dtype))
        return grad_x, None, None, None, grad_down, grad_up, None, None


def _added(large: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """``large + left @ right``, in place."""
    if torch.compiler.is_compiling():
        _add_product(large, left, right)
        return large
    return large.addmm_(left, right)


@torch.library.custom_op("ticket_tuner::add_product", mutates_args=("large",))
def _add_product(large: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Add in place in compiled code.

    Of an addmm torch's compiler makes a copy of ``large`` and a product added to it (2.11): six copies a layer, a
    fiftieth of a step, and half a gigabyte where layers of a 7B are recomputed.
    """
    large.addmm_(left, right)


def _dropped(x: torch.Tensor, dropout: float) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Leave values out at random; return the rest, scaled up, and what it takes to make the same choice again.

    That is a mask, one byte a value; or compiled, where making it again costs nothing, the seed that it follows from.
    """
    if not dropout:
        return x, None
    if not torch.compiler.is_compiling():
        rest, mask = torch.native_dropout(x, dropout, True)
        return rest, mask
    seed = torch.randint(0, 2**31 - 1, (1,), device=x.device, dtype=torch.int64).to(torch.int32)
    place = torch.arange(x.numel(), device=x.device, dtype=torch.int32).view(x.shape)
    return torch.ops.aten.native_dropout_backward(x, _kept(place ^ seed, dropout), 1 / (1 - dropout)), seed


def _dropped_again(x: torch.Tensor, choice: torch.Tensor | None, dropout: float) -> torch.Tensor:
    """Make the choice that :func:`_dropped` made.

    The seed stands on the other side here: if both said the same in the same words, the compiler would keep the mask
    and the dropped values for the backward pass, 3 bytes for each of x. In the same way _FusedLoraProduct's backward
    unpacks a weight in other words than its forward, or the unpacked weight would be kept.
    """
    if choice is None:
        return x
    if choice.dtype is torch.bool:
        kept = choice
    else:
        place = torch.arange(x.numel(), device=x.device, dtype=torch.int32).view(x.shape)
        kept = _kept(choice ^ place, dropout)
    rest: torch.Tensor = torch.ops.aten.native_dropout_backward(x, kept, 1 / (1 - dropout))
    return rest


def _kept(bits: torch.Tensor, dropout: float) -> torch.Tensor:
    """Return which values are kept, from different bits for each.

    They are scattered by murmur3's finaliser (Appleby, https://github.com/aappleby/smhasher, public domain), in 32-bit
    integers that wrap around; ``>>`` keeps the sign in torch, hence the masks.
    """
    bits = (bits ^ ((bits >> 16) & 0xFFFF)) * -2048144789
    bits = (bits ^ ((bits >> 13) & 0x7FFFF)) * -1028477387
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    return (bits & 0x7FFFFFFF) >= round(dropout * 2**31)


def _values(weight: torch.Tensor, state: Any, dtype: torch.dtype) -> torch.Tensor:
    return weight if state is None else unpacked_values(weight, state, dtype)


def _state(base: Any) -> Any:
    """The quantisation state of a 4-bit layer; on the layer itself where its weight is only borrowed (fsdp.py)."""
    return getattr(base.weight, "quant_state", None) or base.quant_state


def fuse_lora_layers(model: Any) -> int:
    """Let every plain LoRA layer over a 4-bit layer compute in one operation.

    Args:
        model: A PeftModel with one adapter.

    Returns:
        The layers changed. Others (DoRA, trained biases, several adapters) stay peft's.
    """
    from peft.tuners.lora.bnb import Linear4bit

    layers = [module for module in model.modules() if type(module) is Linear4bit and _is_plain(module)]
    for layer in layers:
        layer.__class__ = _fused_class()
    return len(layers)


def _is_plain(layer: Any) -> bool:
    name, *others = layer.active_adapters
    base = layer.base_layer
    parts = (layer.lora_A[name], layer.lora_B[name]) if name in layer.lora_A else ()
    return (
        not others
        and bool(parts)
        and name not in layer.lora_variant
        and all(type(part) is nn.Linear and part.bias is None for part in parts)
        and base.compute_dtype is not None
        and (base.bias is None or not base.bias.requires_grad)
    )


def _fused_class() -> type:
    """Return peft's layer with another forward; still peft's to whoever saves it."""
    global _FUSED
    if _FUSED is None:
        from peft.tuners.lora.bnb import Linear4bit

        class FusedLoraLinear4bit(Linear4bit):  # type: ignore[misc]  # peft has no types
            """An adapted 4-bit layer in one operation."""

            def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
                """Return the base's product and the adapter's; x has shape (..., in_features)."""
                if self.disable_adapters or self.merged or args or kwargs:
                    return super().forward(x, *args, **kwargs)  # type: ignore[no-any-return]
                base, name = self.base_layer, self.active_adapters[0]
                weight = getattr(base, "unpacked", None)
                state = _state(base) if weight is None else None
                flat = x.reshape(-1, base.in_features).to(base.compute_dtype)
                out: torch.Tensor = _FusedLoraProduct.apply(  # type: ignore[no-untyped-call]
                    flat,
                    base.weight if weight is None else weight,
                    state,
                    None if base.bias is None else base.bias.to(flat.dtype),
                    self.lora_A[name].weight,
                    self.lora_B[name].weight,
                    self.scaling[name],
                    getattr(self.lora_dropout[name], "p", 0.0) if self.training else 0.0,
                )
                return out.view(*x.shape[:-1], base.out_features).to(x.dtype)

        _FUSED = FusedLoraLinear4bit
    return _FUSED


_FUSED: type | None = None
