"""How many tokens the conversations of a data set have, before a run begins, and how many rows they make when packed.

Lengths are those that the tab 'Tickets' has counted, or guessed from the number of characters: no tokenizer is loaded
for a guess. Of a large set a sample stands for all. Knows neither models nor memory.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.recipe import Recipe
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.files import TRAIN
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.ranking import NEAREST
from engine.training.data.looked_up import WITHOUT
from engine.training.memory.modes import Epoch
from engine.workspace import disk_errors

CHARACTERS_A_TOKEN = 3.6
"""English tickets with placeholders: 3.57 measured with SmolLM2's vocabulary; other languages need more tokens."""
MESSAGE_TOKENS = 5
"""Tokens that a chat template puts around a message: marks of its beginning and end, the role, two line ends."""
SYSTEM_TOKENS = 20
"""Tokens of the standing instruction that many templates put in where the recipe has none."""
SAMPLE = 5_000
"""Conversations that stand for all of a larger set: a few batches of :data:`PACKED_TOGETHER`."""
SAMPLED_BYTES = 8_000_000
"""Of a larger file pieces are read, spread over it; reading this much takes 30 ms."""
PIECES = 40
PACKED_TOGETHER = 1_000
"""Conversations among which trl packs rows: the batch size of datasets.Dataset.map."""


@dataclass(frozen=True, slots=True, eq=False)
class Lengths:
    """The conversations of a data set, in tokens. Compared by identity, so that it is a cheap key."""

    tokens: tuple[int, ...]
    """Of each conversation before any cut, in their order; a sample of a large set."""
    conversations: int
    """How many there are in all."""
    counted: bool
    """Whether a tokenizer has counted them."""


def guessed(data: DataSet, system_prompt: str = "") -> Lengths:
    """Guess the lengths of the conversations that are learnt from.

    Args:
        data: The data set.
        system_prompt: The recipe's standing instruction.
    """
    file = data.folder / TRAIN
    changed = file.stat().st_mtime_ns if file.exists() else 0
    first = round(len(system_prompt) / CHARACTERS_A_TOKEN) + MESSAGE_TOKENS if system_prompt else SYSTEM_TOKENS
    return _guessed(file, changed, data.report.train, first)


def guessed_for(data: DataSet, recipe: Recipe) -> Lengths:
    """Guess the lengths of what a recipe learns from, with what its look-up puts before the conversations."""
    alone = guessed(data, recipe.system_prompt)
    return _with_lookup(alone, recipe.max_length) if recipe.lookup else alone


@lru_cache(maxsize=32)
def _with_lookup(lengths: Lengths, max_length: int) -> Lengths:
    """Add the tickets that stand before most conversations; they are shortened to what max_length leaves them."""
    added = NEAREST * sum(lengths.tokens) // max(1, len(lengths.tokens))
    grown = (
        length if number % 100 < 100 * WITHOUT else max(length, min(length + added, max_length))
        for number, length in enumerate(lengths.tokens)
    )
    return Lengths(tuple(grown), lengths.conversations, counted=False)


def counted(lengths: Sequence[int]) -> Lengths:
    """Wrap lengths that a tokenizer has counted; a sample of very many."""
    step = max(1, len(lengths) // SAMPLE)
    return Lengths(tuple(lengths[::step]), len(lengths), counted=True)


@lru_cache(maxsize=256)
def epoch_of(lengths: Lengths, max_length: int) -> Epoch:
    """Return what one pass through the conversations is, cut at ``max_length`` tokens."""
    cut = [min(length, max_length) for length in lengths.tokens]
    scale = lengths.conversations / max(1, len(cut))
    return Epoch(
        conversations=lengths.conversations,
        packed_rows=max(1, round(scale * packed_rows(cut, max_length))),
        tokens=round(scale * sum(cut)),
        longest=max(cut, default=1),
    )


def longer_than(lengths: Lengths, max_length: int) -> int:
    """Return how many conversations are longer, and will lose turns."""
    scale = lengths.conversations / max(1, len(lengths.tokens))
    return round(scale * sum(length > max_length for length in lengths.tokens))


def whole_at(lengths: Lengths) -> int:
    """Return the max length at which none loses turns, rounded up to a multiple of 64."""
    return max(64, -(-max(lengths.tokens, default=0) // 64) * 64)


def packed_rows(lengths: Sequence[int], max_length: int) -> int:
    """Return how many rows trl's best-fit packing makes.

    The longest conversation first, each into the row with the least room that holds it (trl.data_utils, strategy
    'bfd'; Ding et al., 2024, https://arxiv.org/abs/2404.10830).

    Args:
        lengths: Tokens of each conversation, none above max_length.
        max_length: Tokens of a row.
    """
    rows = 0
    for start in range(0, len(lengths), PACKED_TOGETHER):
        room: list[int] = []
        for length in sorted(lengths[start : start + PACKED_TOGETHER], reverse=True):
            place = bisect_left(room, length)
            if place == len(room):
                rows += 1
            left = (room.pop(place) if place < len(room) else max_length) - length
            if left:
                insort(room, left)
    return rows


@lru_cache(maxsize=32)
def _guessed(file: Path, changed: int, conversations: int, first: int) -> Lengths:
    tokens = tuple(first + _tokens(line) for line in _sampled(file))
    return Lengths(tokens, conversations, counted=False)


def _tokens(line: bytes) -> int:
    messages = StoredConversation.of_line(line, TRAIN).messages
    return round(sum(len(said.content) / CHARACTERS_A_TOKEN + MESSAGE_TOKENS for said in messages))


def _sampled(file: Path) -> Iterator[bytes]:
    """Yield the lines of a file, or whole lines of pieces of a large one."""
    size = file.stat().st_size if file.exists() else 0
    if not size:
        return
    with disk_errors(file), file.open("rb") as stream:
        if size <= SAMPLED_BYTES:
            yield from stream
            return
        for piece in range(PIECES):
            stream.seek(piece * size // PIECES)
            block = stream.read(SAMPLED_BYTES // PIECES)
            yield from block.split(b"\n")[1:-1]
