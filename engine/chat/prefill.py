"""Reading prompts: in pieces that bound the memory, without padding, and only what was not read before.

Prompts of any lengths are read together, packed into one row (packed.py), where the model is of a known family; else
those whose unread parts are of about one length, since padding costs as much as reading. What another answer has read
already (prefix_cache.py) is put in front.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from engine.chat.packed import PackedCache, can_pack, read_packed
from engine.chat.prefix_cache import Prefix, shared_length
from engine.chat.row_cache import CachedRows, fill
from engine.hardware import free_bytes

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank

PIECE = 4096
"""Tokens of all rows that are read at once: their activations are what reading takes memory for (about 0.4 GB on a
7B), and a GPU unpacks the 4-bit weights once a piece."""
MOST_PIECES = 4
"""So many times as many on a GPU with memory to spare: 200 tickets of 130 to 930 tokens to four voices of a 7B were
read in 100 passes, for each of which the H200 waited 0.2 s for its kernels to be launched."""
READING_SHARE = 0.05
"""The activations of a piece, of the free memory of a GPU."""
TOKEN_WIDTHS = 24
"""Bytes of them a token, beside the width of the model: 0.4 GB for 4,096 tokens of width 4,096."""
PADDING = 128
"""Padding that may be read to spare a pass over the weights, in tokens; or a quarter of what is read."""
COMMON = 32
"""Tokens that at least three rows of one adapter have to have in common to be read once for all of them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One voice: what it is asked, and who it is."""

    prompt: tuple[int, ...]
    """Token ids, at least one."""
    adapter: str | None
    """A name from :meth:`engine.chat.adapters.AdapterBank.load`; None is the base."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """A prompt, and what is known of it."""

    number: int
    row: Row
    prefix: Prefix | None
    known: int
    """Tokens that have been read already, fewer than the prompt's."""

    @property
    def rest(self) -> int:
        """Tokens to be read."""
        return len(self.row.prompt) - self.known

    def reaches(self, rest: int) -> bool:
        """Whether it can be read with others that have ``rest`` tokens to read: what it knows can be shortened."""
        return self.prefix is None or self.prefix.is_whole or rest == self.rest


def read_prompts(bank: "AdapterBank", rows: Sequence[Row], pad_id: int) -> tuple[CachedRows, torch.Tensor]:
    """Read the prompts of new rows.

    Args:
        bank: The base and its adapters.
        rows: At least one, each with a prompt.
        pad_id: Fills the shorter prompts on the left.

    Returns:
        The rows' keys and values, and the scores of their first tokens, shape (rows, vocabulary); in the order of
        ``rows``.
    """
    if not rows or not all(row.prompt for row in rows):
        raise ValueError("a batch needs at least one row, and every row a prompt")
    if new_cache(bank) is None:
        return _read(bank, [_Unread(n, row, None, 0) for n, row in enumerate(rows)], pad_id)
    _read_common(bank, rows, pad_id)
    order: list[int] = []
    whole: CachedRows | None = None
    scores = []
    packs = can_pack(bank, [row.adapter for row in rows])
    unread = _unread(bank, rows)
    for group in _packs(unread, piece_of(bank)) if packs else _grouped(unread):
        differ = len({each.rest for each in group}) > 1
        cached, first = _read_packed(bank, group) if packs and differ else _read(bank, group, pad_id)
        order += [each.number for each in group]
        scores.append(first)
        if whole is None:
            whole = cached
        else:
            whole.join(cached)
    assert whole is not None
    if order != sorted(order):
        places = [order.index(number) for number in range(len(order))]
        whole.keep(places)
        return whole, torch.cat(scores)[places]
    return whole, torch.cat(scores)


def piece_of(bank: "AdapterBank") -> int:
    """Return the tokens that are read at once: :data:`PIECE`, or up to :data:`MOST_PIECES` times as many on a GPU."""
    if bank.device.type != "cuda":
        return PIECE
    width = int(bank.model.config.get_text_config().hidden_size)
    room = int(READING_SHARE * free_bytes(bank.device)) // (TOKEN_WIDTHS * width)
    return max(PIECE, min(room, MOST_PIECES * PIECE))


def new_cache(bank: "AdapterBank") -> Any:
    """Return an empty cache of a kind whose rows can come and go; None where the model has another kind."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    if "past_key_values" not in bank.options:
        return None
    cache = DynamicCache(config=bank.model.config)
    known = {DynamicLayer, DynamicSlidingWindowLayer}
    layers = {type(layer) for layer in cache.layers}
    return cache if layers and layers <= known else None


def _unread(bank: "AdapterBank", rows: Sequence[Row]) -> list[_Unread]:
    found = [bank.prefixes.find(bank.reader(row.adapter), row.prompt) for row in rows]
    return [_Unread(n, row, *seen) for n, (row, seen) in enumerate(zip(rows, found, strict=True))]


def _grouped(unread: Sequence[_Unread]) -> Iterator[list[_Unread]]:
    """Put together what costs less together, the longest first."""
    group: list[_Unread] = []
    for each in sorted(unread, key=lambda each: -each.rest):
        longest = group[0].rest if group else each.rest
        padding = sum(longest - other.rest for other in (*group, each))
        if padding > max(PADDING, longest * (len(group) + 1) // 4) or not each.reaches(longest):
            yield group
            group = []
        group.append(each)
    yield group


def _packs(unread: Sequence[_Unread], piece: int) -> Iterator[list[_Unread]]:
    """Put as many together as are read in one piece; those of one adapter side by side."""
    group: list[_Unread] = []
    for each in sorted(unread, key=lambda each: each.row.adapter or ""):
        if group and sum(other.rest for other in (*group, each)) > piece:
            yield group
            group = []
        group.append(each)
    yield group


def _read_common(bank: "AdapterBank", rows: Sequence[Row], pad_id: int) -> None:
    """Read what at least three prompts of one adapter begin with, such as a standing instruction, once for all."""
    for adapter in dict.fromkeys(row.adapter for row in rows):
        prompts = [row.prompt for row in rows if row.adapter == adapter]
        first, last = min(prompts), max(prompts)
        common = min(shared_length(first, last), min(map(len, prompts)) - 1)
        if len(prompts) < 3 or common < COMMON:
            continue
        reader, ids = bank.reader(adapter), first[:common]
        if bank.prefixes.find(reader, first)[1] < common:
            cached, _ = _read(bank, [_Unread(0, replace(rows[0], prompt=ids, adapter=adapter), None, 0)], pad_id)
            bank.prefixes.keep(reader, ids, cached, 0)


def _read(bank: "AdapterBank", group: Sequence[_Unread], pad_id: int) -> tuple[CachedRows, torch.Tensor]:
    """Read the rest of some prompts piece by piece; as many tokens of each, the shorter ones padded on the left."""
    rest = max(each.rest for each in group)
    rows = _known(bank, group, rest)
    cached = rows.columns
    prompts = [each.row.prompt[-rest:] for each in group]
    padded = [[pad_id] * (rest - len(prompt)) + list(prompt) for prompt in prompts]
    present = [[0] * (rest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    ids, attended = (torch.tensor(each, dtype=torch.long, device=bank.device) for each in (padded, present))
    mask = torch.cat([rows.mask, attended], dim=1)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, cached:]
    piece = rest if rows.cache is None else max(1, PIECE // len(group))
    scores = torch.empty(0, dtype=torch.float32)
    for start in range(0, rest, piece):
        end = min(start + piece, rest)
        scores = forward(bank, rows, ids[:, start:end], mask[:, : cached + end], positions[:, start:end])
    return rows, scores


def _read_packed(bank: "AdapterBank", group: Sequence[_Unread]) -> tuple[CachedRows, torch.Tensor]:
    """Read the rest of some prompts as one row, of any lengths."""
    layers = range(len(new_cache(bank).layers))
    known = [
        [each.prefix.part(layer, each.known) for layer in layers] if each.prefix and each.known else None
        for each in group
    ]
    packed = PackedCache(known, [each.rest for each in group])
    ids = torch.tensor(
        [[token for each in group for token in each.row.prompt[each.known :]]], dtype=torch.long, device=bank.device
    )
    places = [place for each in group for place in range(each.known, len(each.row.prompt))]
    positions = torch.tensor([places], dtype=torch.long, device=bank.device)
    scores = read_packed(bank, packed, ids, positions, [each.row.adapter for each in group])
    lengths = torch.tensor([len(each.row.prompt) for each in group], dtype=torch.long, device=bank.device)
    columns = int(lengths.max())
    mask = (torch.arange(columns, device=bank.device) >= columns - lengths[:, None]).long()
    rows = CachedRows(new_cache(bank), mask, [each.row.adapter for each in group])
    for layer, pairs in zip(rows.cache.layers, packed.read, strict=True):
        fill(layer, pairs, columns)
    return rows, scores


def forward(
    bank: "AdapterBank", rows: CachedRows, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """Append columns to rows.

    Args:
        bank: The base and its adapters.
        rows: What has been read; grows by the new columns.
        ids: Shape (rows, new columns).
        mask: Shape (rows, columns with the new ones).
        positions: Shape (rows, new columns).

    Returns:
        The scores of the next token of each row, shape (rows, vocabulary).
    """
    if ids.shape[1] == 1 and rows.cache is not None:
        stepped = bank.step(rows.adapters, rows.cache, ids, mask, positions)
        if stepped is not None:
            rows.mask = mask
            return stepped
    optional = {"position_ids": positions, "logits_to_keep": 1}
    out = bank.forward(
        rows.adapters,
        input_ids=ids,
        attention_mask=mask,
        past_key_values=rows.cache,
        use_cache=True,
        **{name: value for name, value in optional.items() if name in bank.options},
    )
    rows.cache, rows.mask = out.past_key_values, mask
    scores: torch.Tensor = out.logits[:, -1]
    return scores


def _known(bank: "AdapterBank", group: Sequence[_Unread], rest: int) -> CachedRows:
    """Put together what has been read of some prompts but for their last ``rest`` tokens."""
    lengths = [max(0, len(each.row.prompt) - rest) for each in group]
    columns = max(lengths)
    empty = torch.zeros(len(group), columns, dtype=torch.int64, device=bank.device)
    for row, length in enumerate(lengths):
        empty[row, columns - length :] = 1
    rows = CachedRows(new_cache(bank), empty, [each.row.adapter for each in group])
    if columns:
        for place, layer in enumerate(rows.cache.layers):
            pairs = [
                each.prefix.part(place, length) if each.prefix else None
                for each, length in zip(group, lengths, strict=True)
            ]
            fill(layer, pairs, columns)
    return rows
