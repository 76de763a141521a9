"""What a run needs of the computer's memory where there is no GPU: a formula over the model's size and the batch.

All arithmetic is in float32 there, so a value takes 4 bytes. The constants are counts of what autograd keeps, made with
the code of the layers at hand (transformers' Llama, engine/training/kernels/fused_lora.py). The GPU's formula is
engine/training/memory/gpu.py.
"""

from engine.hardware import GIB, UNPACKED_SHARE
from engine.model.size import PACKED, ModelSize
from engine.recipe import Recipe
from engine.training.memory.gpu import LOGITS_TILE, Memory, layer_bytes, sides
from engine.training.memory.modes import ON_THE_PROCESSOR, Mode

VALUE = 4
"""Bytes of a float32."""
PROGRAM = round(0.75 * GIB)
"""Bytes of Python with torch, transformers, trl and peft, the tokenizer and the data (measured)."""
SLACK = 1.15
"""What is kept is scattered over the heap in pieces of all sizes: measured over counted bytes."""
PADDED_TO = 8
"""trl pads rows to a multiple of this."""
WHOLE_LOGITS = GIB // 2
"""Bytes of a micro-batch's float32 logits up to which they are made whole; training needs thrice that."""
TILES = 9
"""Copies of a tile of logits beyond that, which trl's backward pass holds at a time without Triton."""


def peak_on_cpu(
    mode: Mode, recipe: Recipe, size: ModelSize, rows: int, length: int, memory: float, places: int = 0
) -> Memory:
    """Return the parts of the peak.

    Args:
        mode: 'saving' and 'streamed' recompute layers.
        recipe: Its rank and dropout count.
        size: The model's.
        rows: Of a micro-batch.
        length: Tokens of the longest row, to which the others are filled up.
        memory: Bytes of the computer's memory that the run may use.
        places: Layers of a streamed base that are there twice.
    """
    length = -(-length // PADDED_TO) * PADDED_TO
    unpacked = VALUE * size.linear if VALUE * size.linear <= UNPACKED_SHARE * memory and mode != "streamed" else 0
    trained = VALUE * size.layers * recipe.rank * sides(size)
    return Memory(
        weights=round(PACKED * size.linear) + VALUE * size.other + unpacked + places * layer_bytes(size),
        adapter=2 * trained,
        optimizer=2 * trained,
        activations=round(rows * length * SLACK * _kept(mode, recipe, size, length)),
        logits=_logits(rows * length, size.vocabulary),
        overhead=PROGRAM,
    )


def _kept(mode: Mode, recipe: Recipe, size: ModelSize, length: int) -> float:
    """Bytes a token that all layers keep for the backward pass.

    A layer keeps its input, both normalised copies and the sum in the middle; queries, keys and values spread to all
    heads, and what attention makes of them; gate, its activation, the other half and their product; a row of the
    attention's mask. Dropout keeps a byte for every input of the seven products.
    """
    wide = max(size.hidden, round(size.attention * 2 / 3))  # the queries' width: keys have as many heads or fewer
    values = 4 * (size.hidden + wide + size.inner)
    masks = 5 * size.hidden + wide + size.inner if recipe.dropout else 0
    a_layer = VALUE * (values + length + 7 * recipe.rank) + masks
    if not ON_THE_PROCESSOR[mode]:
        return size.layers * a_layer
    return size.layers * VALUE * size.hidden + 2 * a_layer


def _logits(tokens: int, vocabulary: int) -> int:
    """Bytes at the start of the backward pass: logits, their log-probabilities and the gradient to them, or tiles."""
    if VALUE * tokens * vocabulary <= WHOLE_LOGITS:
        return 3 * VALUE * tokens * vocabulary
    return TILES * VALUE * min(tokens, LOGITS_TILE[0]) * min(vocabulary, LOGITS_TILE[1])
