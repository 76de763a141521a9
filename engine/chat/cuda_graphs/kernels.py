"""What a 4-bit layer and each row's own adapter give for a few rows, in two GPU kernels (Triton).

bitsandbytes reads the packed weights once for every row or two, and an adapter costs seven small kernels a layer. Here
the weights are read once for up to 128 rows, unpacked in registers, and multiplied by the tensor cores; layers that
read the same input (queries, keys and values) share a launch, which also makes the narrow half of the adapters
(x A^T), and a second kernel adds up the parts and the wide half.

Packing is bitsandbytes': the first of two values in the high half of a byte, a scale for each 64 values, the scales 8
bit themselves in blocks of 256 (QLoRA's double quantisation). Error against float64 on random inputs 2.1e-3 to 3e-3,
bitsandbytes' 2.3e-3 to 3.4e-3 (H100). Import this only where a GPU and Triton are.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton
import triton.language as tl

from engine.chat.cuda_graphs.slot_table import LayerSlots

BLOCK = 64
"""Values that share a scale."""
OUTER_BLOCK = 256
"""Scales that share a scale."""
RANKS_AT_A_TIME = 2
_PROGRAMS = 700
"""About five programs of two warps on each multiprocessor of an H100: enough to hide the memory's latency."""
_TILES = {1: (32, 2), 32: (64, 2), 128: (64, 4)}
"""Outputs and warps of a program, by the most rows that it multiplies. A program's outputs are of one layer, whose
number of outputs is a multiple of 64. All layers of a 7B on an H200: 32 rows 3.6 ms, 64 rows 5.4 ms, 128 rows 8.2 ms;
with two warps for 128 rows 366 ms."""


def _lookup() -> str:
    """Return PTX that turns four bytes into eight NF4 values as bfloat16.

    The sixteen values are split into their high and low bytes; ``prmt`` picks four bytes by four 3-bit selectors, so
    that two picks and a choice by the fourth bit look a half byte up.
    """
    from bitsandbytes.functional import get_4bit_type

    values = get_4bit_type("nf4", device="cpu").to(torch.bfloat16).view(torch.int16).tolist()
    planes = [[(value >> shift) & 0xFF for value in values] for shift in (8, 0)]
    words = [[f"0x{sum(plane[4 * n + i] << (8 * i) for i in range(4)):08x}" for n in range(4)] for plane in planes]
    lines = ["{ .reg .b32 w, s, t, m, a, b, high, low;"]
    for half in range(2):
        lines += [
            f"shr.b32 w, $4, {16 * half};",
            "and.b32 s, w, 0x7777;",
            "shr.b32 t, w, 3;",
            "and.b32 t, t, 0x1111;",
            "prmt.b32 m, 0x0000ff00, 0, t;",
        ]
        for name, (first, second, third, fourth) in zip(("high", "low"), words, strict=True):
            lines += [
                f"prmt.b32 a, {first}, {second}, s;",
                f"prmt.b32 b, {third}, {fourth}, s;",
                f"lop3.b32 {name}, m, b, a, 0xca;",
            ]
        lines += [f"prmt.b32 ${half}, low, high, 0x7351;", f"prmt.b32 ${2 + half}, low, high, 0x6240;"]
    return "\n".join([*lines, "}"])


_LOOKUP = tl.constexpr(_lookup())


@triton.jit
def _unpacked(packed):  # type: ignore[no-untyped-def]
    """The values at even and at odd places of packed bytes, bfloat16."""
    return tl.inline_asm_elementwise(
        _LOOKUP, "=r,=r,=r,=r,r", [packed], dtype=(tl.bfloat16, tl.bfloat16), is_pure=True, pack=4
    )


@triton.jit
def _scales(scales, codes, outer, offset, at):  # type: ignore[no-untyped-def]
    """The scales of blocks, float32."""
    return tl.load(codes + tl.load(scales + at).to(tl.int32)) * tl.load(outer + at // 256) + offset


@triton.jit
def _member(starts, n):  # type: ignore[no-untyped-def]
    """Which of up to three layers an output belongs to; ``starts`` says where each begins."""
    return (n >= tl.load(starts + 1)).to(tl.int32) + (n >= tl.load(starts + 2)).to(tl.int32)


@triton.jit
def _narrow_half(  # type: ignore[no-untyped-def]
    x, down, ranks, inner, job, M, K, STRIDE, RANKS: tl.constexpr, GROUP: tl.constexpr, STEP: tl.constexpr
):  # fmt: skip
    """``inner[member, row, r] = x[row] . A[r]`` for some ranks of one row's adapter in one layer."""
    part = job % (RANKS // GROUP)
    row = job // (RANKS // GROUP) % M
    member = job // (RANKS // GROUP) // M
    first = part * GROUP
    rank = tl.load(ranks + member * M + row)
    if first < rank:
        matrix = tl.load(down + member * STRIDE + row).to(tl.pointer_type(tl.float32))
        r = first + tl.arange(0, GROUP)
        total = tl.zeros((GROUP, STEP), tl.float32)
        for start in range(0, K, STEP):
            k = start + tl.arange(0, STEP)
            there = (r[:, None] < rank) & (k[None, :] < K)
            values = tl.load(x + row * K + k, mask=k < K, other=0.0).to(tl.float32)
            total += tl.load(matrix + r[:, None] * K + k[None, :], mask=there, other=0.0) * values[None, :]
        tl.store(inner + (member * M + row) * RANKS + r, tl.sum(total, 1), mask=r < rank)


@triton.jit
def _product(  # type: ignore[no-untyped-def]
    x, pairs, table, starts, codes, parts, inner, down, ranks, M, N, K,
    ROWS: tl.constexpr, BN: tl.constexpr, BB: tl.constexpr, SPLIT: tl.constexpr,
    RANKS: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """Store the products of x with up to three layers as parts (SPLIT, M, N), N of all of them together.

    One row is multiplied by the plain arithmetic units, several by the tensor cores. ``pairs`` is x as pairs of values;
    ``table`` holds four addresses a layer: its packed values, their scales, the scales' scales and their offset.
    """
    program = tl.program_id(0)
    tiles = (N // BN) * SPLIT
    if program < tiles:
        split = program % SPLIT
        begin = (program // SPLIT) * BN
        member = _member(starts, begin)
        address = table + member * 4
        weight = tl.multiple_of(tl.load(address).to(tl.pointer_type(tl.uint8)), 16)
        scales = tl.multiple_of(tl.load(address + 1).to(tl.pointer_type(tl.uint8)), 16)
        outer = tl.multiple_of(tl.load(address + 2).to(tl.pointer_type(tl.float32)), 16)
        offset = tl.load(tl.load(address + 3).to(tl.pointer_type(tl.float32)))
        code = codes + member * 256
        n = begin - tl.load(starts + member) + tl.arange(0, BN)
        blocks = K // 64
        share = (blocks // BB + SPLIT - 1) // SPLIT * BB
        first = split * share
        last = tl.minimum(first + share, blocks)
        byte = tl.arange(0, BB * 32)
        sub = tl.arange(0, BB)
        if ROWS == 1:
            sums = tl.zeros((BN, BB, 32), tl.float32)
            for block in range(first, last, BB):
                packed = tl.load(weight + n[:, None] * (K // 2) + block * 32 + byte[None, :])
                scale = _scales(scales, code, outer, offset, n[:, None] * blocks + block + sub[None, :])
                even, odd = _unpacked(packed)
                pair = tl.load(pairs + block * 32 + byte)
                low = (pair << 16).to(tl.float32, bitcast=True)
                high = (pair & -65536).to(tl.float32, bitcast=True)
                both = even.to(tl.float32) * low[None, :] + odd.to(tl.float32) * high[None, :]
                sums += tl.reshape(both, (BN, BB, 32)) * scale[:, :, None]
            tl.store(parts + split * N + begin + tl.arange(0, BN), tl.sum(tl.sum(sums, 2), 1))
        else:
            m = tl.arange(0, ROWS)
            total = tl.zeros((BN, ROWS), tl.float32)
            for block in range(first, last, BB):
                packed = tl.load(weight + n[:, None] * (K // 2) + block * 32 + byte[None, :])
                scale = _scales(scales, code, outer, offset, n[:, None] * blocks + block + sub[None, :])
                where = pairs + m[None, :] * (K // 2) + block * 32 + byte[:, None]
                pair = tl.load(where, mask=m[None, :] < M, other=0)
                low = (pair & 65535).to(tl.int16).to(tl.bfloat16, bitcast=True)
                high = (pair >> 16).to(tl.int16).to(tl.bfloat16, bitcast=True)
                even, odd = _unpacked(packed)
                narrow = scale.to(tl.bfloat16)
                even = tl.reshape(tl.reshape(even, (BN, BB, 32)) * narrow[:, :, None], (BN, BB * 32))
                odd = tl.reshape(tl.reshape(odd, (BN, BB, 32)) * narrow[:, :, None], (BN, BB * 32))
                total = tl.dot(even, low, total)
                total = tl.dot(odd, high, total)
            place = parts + (split * M + m[None, :]) * N + begin + tl.arange(0, BN)[:, None]
            tl.store(place, total, mask=m[None, :] < M)
    else:
        _narrow_half(x, down, ranks, inner, program - tiles, M, K, 2 * M, RANKS, GROUP, 512)


@triton.jit
def _added_up(  # type: ignore[no-untyped-def]
    parts, inner, up, ranks, factors, bias, starts, out, M, N,
    SPLIT: tl.constexpr, BIAS: tl.constexpr, RANKS: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    """Store bfloat16: the parts, the layer's bias, and ``factor * inner B^T`` of each row's own adapter.

    Each layer's outputs lie in one piece, (M, its N), one layer after the other.
    """
    row = tl.program_id(1)
    begin = tl.program_id(0) * BN
    member = _member(starts, begin)
    start = tl.load(starts + member)
    width = tl.load(starts + member + 1) - start
    place = begin + tl.arange(0, BN)
    n = place - start
    total = tl.zeros((BN,), tl.float32)
    for split in tl.static_range(SPLIT):
        total += tl.load(parts + (split * M + row) * N + place)
    if BIAS:
        total += tl.load(bias + place).to(tl.float32)
    rank = tl.load(ranks + member * M + row)
    if rank > 0:
        matrix = tl.load(up + member * 2 * M + row).to(tl.pointer_type(tl.float32))
        r = tl.arange(0, RANKS)
        narrow = tl.load(inner + (member * M + row) * RANKS + r, mask=r < rank, other=0.0)
        wide = tl.load(matrix + n[:, None] * rank + r[None, :], mask=r[None, :] < rank, other=0.0)
        added = tl.sum(wide * narrow[None, :], 1) * tl.load(factors + member * M + row)
        # rounded as one adapter alone rounds it: the base's product, what is added, and the sum
        total = total.to(tl.bfloat16).to(tl.float32) + added.to(tl.bfloat16).to(tl.float32)
    tl.store(out + start * M + row * width + n, total.to(tl.bfloat16))


@triton.jit
def _normed(x, weight, out, N, epsilon, BLOCK_N: tl.constexpr):  # type: ignore[no-untyped-def]
    """Store ``weight * (x / rms(x))`` of each row, rounded where transformers rounds it."""
    row = tl.program_id(0)
    n = tl.arange(0, BLOCK_N)
    there = n < N
    values = tl.load(x + row * N + n, mask=there, other=0.0).to(tl.float32)
    values = values * tl.rsqrt(tl.sum(values * values, 0) / N + epsilon)
    scaled = values.to(tl.bfloat16).to(tl.float32) * tl.load(weight + n, mask=there, other=0.0).to(tl.float32)
    tl.store(out + row * N + n, scaled.to(tl.bfloat16), mask=there)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return ``weight * x / sqrt(mean(x^2) + epsilon)`` over the last dimension, bfloat16 (arXiv 1910.07467)."""
    out, width = torch.empty_like(x), x.shape[-1]
    _normed[(x.numel() // width,)](
        x.contiguous(), weight, out, width, epsilon, BLOCK_N=triton.next_power_of_2(width), num_warps=8
    )
    return out


@triton.jit
def _attended(  # type: ignore[no-untyped-def]
    query, key, value, mask, count, sums, tops, weights, scale, HEADS, GROUP, LENGTH, D,
    SPLIT: tl.constexpr, BL: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Store each head's weighted values over every SPLIT-th block of positions, with their sum and largest score."""
    program = tl.program_id(0)
    split = tl.program_id(1)
    row = program // HEADS
    source = (row * (HEADS // GROUP) + program % HEADS // GROUP) * LENGTH
    d = tl.arange(0, BD)
    asked = tl.load(query + program * D + d, mask=d < D, other=0.0).to(tl.float32) * scale
    positions = tl.load(count)
    top = -1e30
    total = 0.0
    kept = tl.zeros((BD,), tl.float32)
    for start in range(split * BL, positions, SPLIT * BL):
        at = start + tl.arange(0, BL)
        seen = (at < positions) & (tl.load(mask + row * LENGTH + at, mask=at < positions, other=0) != 0)
        place = (source + at)[:, None] * D + d[None, :]
        inside = seen[:, None] & (d < D)[None, :]
        keys = tl.load(key + place, mask=inside, other=0.0)
        values = tl.load(value + place, mask=inside, other=0.0)  # asked for before the keys are there
        score = tl.sum(keys.to(tl.float32) * asked[None, :], 1)
        higher = tl.maximum(top, tl.max(tl.where(seen, score, -1e30), 0))
        weight = tl.where(seen, tl.exp(score - higher), 0.0)
        fade = tl.exp(top - higher)
        total = total * fade + tl.sum(weight, 0)
        kept = kept * fade + tl.sum(values.to(tl.float32) * weight[:, None], 0)
        top = higher
    tl.store(sums + (program * SPLIT + split) * BD + d, kept)
    tl.store(tops + program * SPLIT + split, top)
    tl.store(weights + program * SPLIT + split, total)


@triton.jit
def _joined(sums, tops, weights, out, D, SPLIT: tl.constexpr, BD: tl.constexpr):  # type: ignore[no-untyped-def]
    """Store each head's output from its parts."""
    program = tl.program_id(0)
    part = program * SPLIT + tl.arange(0, SPLIT)
    d = tl.arange(0, BD)
    top = tl.load(tops + part)
    fade = tl.exp(top - tl.max(top, 0))
    total = tl.sum(tl.load(weights + part) * fade, 0)
    kept = tl.sum(tl.load(sums + part[:, None] * BD + d[None, :]) * fade[:, None], 0)
    tl.store(out + program * D + d, (kept / total).to(tl.bfloat16), mask=d < D)


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, count: torch.Tensor, scale: float
) -> torch.Tensor:
    """Let one new token of each row look back (softmax attention; parts joined as in flash decoding).

    The same numbers at each call, where cuDNN's attention differs from call to call in the last bit of a few. Only what
    lies before the new token is read, however long the cache is.

    Args:
        query: Shape (rows, heads, 1, head_dim), bfloat16.
        key: Shape (rows, groups, length, head_dim): the cache; heads are a multiple of groups.
        value: As key.
        mask: Shape (rows, 1, 1, length), bool.
        count: How many positions are filled, on the GPU, one number.
        scale: Factor of the scores.

    Returns:
        Shape (rows, 1, heads, head_dim).
    """
    rows, heads, _, width = query.shape
    length, block = key.shape[2], triton.next_power_of_2(width)
    programs = rows * heads
    split = 8 if programs <= 128 else 4 if programs <= 256 else 2
    sums = torch.empty(programs, split, block, dtype=torch.float32, device=query.device)
    tops, weights = (torch.empty(programs, split, dtype=torch.float32, device=query.device) for _ in range(2))
    out = torch.empty(rows, 1, heads, width, device=query.device, dtype=query.dtype)
    _attended[(programs, split)](
        *(query.contiguous(), key, value, mask.view(torch.uint8), count, sums, tops, weights, scale),
        *(heads, heads // key.shape[1], length, width),
        SPLIT=split,
        BL=64,
        BD=block,
        num_warps=2,
    )
    _joined[(programs,)](sums, tops, weights, out, width, SPLIT=split, BD=block, num_warps=2)
    return out


def fits(layer: Any) -> bool:
    """Whether a layer is packed the way these kernels read: NF4 in blocks of 64, scales packed too, bfloat16.

    Args:
        layer: bitsandbytes' Linear4bit.
    """
    state: Any = getattr(layer.weight, "quant_state", None)
    inner: Any = getattr(state, "state2", None)
    return (
        inner is not None
        and (state.quant_type, state.blocksize, inner.blocksize) == ("nf4", BLOCK, OUTER_BLOCK)
        and state.dtype is torch.bfloat16
        and layer.compute_dtype is torch.bfloat16
        and layer.out_features % BLOCK == 0
        and layer.in_features % (2 * BLOCK) == 0
        and (layer.bias is None or layer.bias.dtype is torch.bfloat16)
    )


class FusedGroup:
    """Up to three 4-bit layers that read the same input, with an adapter of its own for each row.

    Args:
        layers: Linear4bit that each :func:`fits`, of one width of input, on a GPU; weights are shared, not copied.
        slots: Where the rows' adapters are, of these layers one after the other.
    """

    def __init__(self, layers: Sequence[Any], slots: LayerSlots) -> None:
        device = layers[0].weight.device
        states = [layer.weight.quant_state for layer in layers]
        self._held = [(layer.weight.data, state) for layer, state in zip(layers, states, strict=True)]
        addresses = [
            (layer.weight.data_ptr(), state.absmax.data_ptr(), state.state2.absmax.data_ptr(), state.offset.data_ptr())
            for layer, state in zip(layers, states, strict=True)
        ]
        self._table = torch.tensor(addresses, dtype=torch.long, device=device)
        self._codes = torch.stack([state.state2.code.float() for state in states])
        widths = [layer.out_features for layer in layers]
        ends = list(itertools.accumulate(widths, initial=0))
        self._widths, self._starts = (
            widths,
            torch.tensor([*ends, ends[-1], ends[-1]][:4], dtype=torch.long, device=device),
        )
        biases = [
            torch.zeros(layer.out_features, device=device, dtype=torch.bfloat16) if layer.bias is None else layer.bias
            for layer in layers
        ]
        self._bias = torch.cat(biases) if any(layer.bias is not None for layer in layers) else None
        self._in_features = int(layers[0].in_features)
        self._slots = slots
        self._input: torch.Tensor | None = None
        self._outputs: tuple[torch.Tensor, ...] = ()

    def member(self, number: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return one of the layers as a function; the first that is called computes all of them."""

        def output(x: torch.Tensor) -> torch.Tensor:
            if self._input is None or self._input.data_ptr() != x.data_ptr() or number == 0:
                self._input, self._outputs = x, self._compute(x)
            found = self._outputs[number]
            if number == len(self._widths) - 1:
                self._input, self._outputs = None, ()
            return found

        return output

    def _compute(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the layers' outputs for x, bfloat16, shape (rows, 1, in_features), as many rows as there are slots."""
        flat = x.reshape(-1, self._in_features)
        rows, outputs, slots = flat.shape[0], sum(self._widths), self._slots
        tile, warps = next(of for most, of in _TILES.items() if rows <= most)
        tiles = outputs // tile
        split = max(split for split in (1, 2, 4, 8) if split == 1 or tiles * split <= _PROGRAMS * 64 // tile)
        parts = torch.empty(split, rows, outputs, device=x.device, dtype=torch.float32)
        inner = torch.empty(len(self._widths), rows, slots.most_ranks, device=x.device, dtype=torch.float32)
        out = torch.empty(rows * outputs, device=x.device, dtype=torch.bfloat16)
        jobs = len(self._widths) * rows * (slots.most_ranks // RANKS_AT_A_TIME)
        _product[(tiles * split + jobs,)](
            *(flat, flat.view(torch.int32), self._table, self._starts, self._codes, parts, inner),
            *(slots.down, slots.ranks, rows, outputs, self._in_features),
            ROWS=1 if rows == 1 else max(16, triton.next_power_of_2(rows)),
            BN=tile,
            BB=2,
            SPLIT=split,
            RANKS=slots.most_ranks,
            GROUP=RANKS_AT_A_TIME,
            num_warps=warps,
            num_stages=3,
        )
        _added_up[(outputs // BLOCK, rows)](
            *(parts, inner, slots.up, slots.ranks, slots.factors, parts if self._bias is None else self._bias),
            *(self._starts, out, rows, outputs),
            SPLIT=split,
            BIAS=self._bias is not None,
            RANKS=slots.most_ranks,
            BN=BLOCK,
            num_warps=2,
        )
        pieces = torch.split(out, [rows * width for width in self._widths])
        return tuple(piece.view(*x.shape[:-1], width) for piece, width in zip(pieces, self._widths, strict=True))
