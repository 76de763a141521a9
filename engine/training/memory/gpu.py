"""What training takes of a GPU's memory at its peak: a formula over the model's size and the way a pass is shape.

It counts what autograd keeps of a decoder layer, with constants measured where layers are recomputed or compiled.
tests/benchmarks/bench_memory.py prints it beside the measured peak for shapes from 1B to 34B.
"""

from dataclasses import dataclass

from engine.hardware import GIB
from engine.model.size import PACKED, ModelSize

LOGITS_TILE = (4096, 32_768)
"""Tokens and words of a tile of logits (trl 1.16, kernels/chunked_logprob.py)."""
WORKSPACE = 64 * 2**20
"""What cuBLAS keeps for itself, in bytes; torch counts it."""
OVERHEAD = round(0.6 * GIB)
"""What the driver and torch's spare room take besides, in bytes."""
TALKING = round(0.5 * GIB)
"""What NCCL takes of a GPU that shares a run, in bytes (0.49 GiB on two H200s with process_group.CHANNELS)."""
LAYERS_IN_HAND = 2.5
"""Layers whose values a GPU holds beyond its part of a split base: one at work, and the next, on its way with the part
that it is sent from."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The parts of the peak, in bytes."""

    weights: int
    """The base in 4 bit, what of it is not packed, and its unpacked copy if there is one; of a split base its part."""
    adapter: int
    """Its weights and their gradients, in 32 bit."""
    optimizer: int
    """Two moments of 8 bit. Paged: they make room when it is short, and torch does not count them."""
    activations: int
    """What is kept for the backward pass, and what a layer works with."""
    logits: int
    overhead: int
    answers: int = 0
    """What the playground holds beside the base, while it is open beside the run."""

    @property
    def allocated(self) -> int:
        """What torch counts as allocated."""
        return self.weights + self.adapter + self.activations + self.logits

    @property
    def total(self) -> int:
        """All of them."""
        return self.allocated + self.optimizer + self.overhead + self.answers


@dataclass(frozen=True, slots=True)
class StepShape:
    """A forward and backward pass over one micro-batch."""

    tokens: int
    recompute: bool
    """Whether a layer keeps its input only."""
    offload: bool
    """Whether that input waits in the computer's memory."""
    unpack: bool
    """Whether the base is there in 16 bit too."""
    compiled: bool
    dropout: bool
    places: int | None = None
    """Layers of a streamed base that the GPU has room for; None where the whole base is there."""


def peak(size: ModelSize, rank: int, shape: StepShape, gpus: int = 1, *, sharded: bool = False) -> Memory:
    """Return the parts of the peak, on one GPU.

    Args:
        size: The model's.
        rank: LoRA's, on all seven projections.
        shape: How a pass is computed.
        gpus: How many share the run.
        sharded: Whether the base is split among them.
    """
    trained = rank * size.layers * sides(size)
    unpacked = 2 * size.linear if shape.unpack else 0
    base = base_bytes(size, gpus, sharded=sharded) + (_in_hand(size) if sharded else 0)
    if shape.places is not None:
        base = beside_layers(size) + shape.places * layer_bytes(size)
    tile = min(shape.tokens // 2, LOGITS_TILE[0]) * min(size.vocabulary, LOGITS_TILE[1])
    return Memory(
        weights=base + unpacked,
        adapter=8 * trained,
        optimizer=2 * trained,
        activations=WORKSPACE + (_recomputed(size, shape) if shape.recompute else size.layers * _kept(size, shape)),
        logits=0 if shape.recompute else 2 * tile,  # where layers are recomputed they are gone before the peak
        overhead=overhead(gpus),
    )


def sides(size: ModelSize) -> int:
    """Return inputs and outputs of a layer's seven products, added up: the adapter has rank times as many weights."""
    return 7 * size.hidden + 2 * size.attention + 3 * size.inner


def base_bytes(size: ModelSize, gpus: int = 1, *, sharded: bool = False) -> int:
    """Return what a loaded base takes of a GPU, in bytes: its layers in NF4, the rest in 16 bit.

    Args:
        size: The model's.
        gpus: How many share a run.
        sharded: Whether it is split among them; scales, embeddings and the output layer are whole on each.
    """
    parts = gpus if sharded else 1
    return size.linear // 2 // parts + round((PACKED - 0.5) * size.linear) + 2 * size.other


def layer_bytes(size: ModelSize) -> int:
    """Return what one layer takes in NF4, in bytes."""
    return round(PACKED * size.linear / size.layers)


def beside_layers(size: ModelSize) -> int:
    """Return what of a streamed base is always on the GPU, in bytes: embeddings and the output layer, in 16 bit."""
    return 2 * size.other


def overhead(gpus: int) -> int:
    """Return the bytes of a GPU that a run takes and torch does not count.

    Args:
        gpus: How many share the run.
    """
    return OVERHEAD + (TALKING if gpus > 1 else 0)


def _in_hand(size: ModelSize) -> int:
    """Bytes of a split base's layers that are whole for the moment."""
    return round(LAYERS_IN_HAND * size.linear / 2 / size.layers)


def _kept(size: ModelSize, shape: StepShape) -> int:
    """Bytes that one layer keeps for its backward pass.

    Of each token in 16 bit: queries, keys, values and what attention makes of them (4 bytes a column of queries and
    keys together). Compiled: the residual stream before and after attention, gate and up (the rest is computed anew);
    where no dropout stands before the adapters also what goes into them. Not compiled: both norms' input in 32 bit and
    their output; gate, up, silu and the product; a byte for each value that dropout may have taken.
    """
    attention = 4 * size.attention
    if shape.compiled:
        a_token = 4 * size.hidden + 4 * size.inner
        dropped = 0 if shape.dropout else 4 * size.hidden + 2 * size.inner
    else:
        a_token = 12 * size.hidden + 8 * size.inner
        dropped = 6 * size.hidden + size.inner if shape.dropout else 0
    return shape.tokens * (attention + a_token + dropped)


def _recomputed(size: ModelSize, shape: StepShape) -> int:
    """Bytes at the turn of one layer: what it keeps, its gradients, a weight unpacked; and the inputs of all layers.

    Gradients: measured with a 7B and a 1B.
    """
    weight = 2 * size.hidden * size.inner
    if shape.compiled:
        gradients, unpacked = 8 * size.hidden + 10 * size.inner, weight // 2
    else:
        gradients, unpacked = 4 * size.hidden + 6 * size.inner, weight
    inputs = 0 if shape.offload else 2 * size.hidden * size.layers
    return _kept(size, shape) + shape.tokens * (gradients + inputs) + (0 if shape.unpack else unpacked)
