"""What the model will learn of a conversation, token by token; and how long the conversations are."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ui.views import charts, words
from ui.views.parts import NOTHING, join
from ui.views.tickets import ticket_name, title_of

if TYPE_CHECKING:
    from engine.training.examples import LearnView, Part

PARTS: dict[str, tuple[str, str]] = {
    "context": ("context", "read, not learnt"),
    "learnt": ("learnt", "the agent's words, underlined"),
    "end": ("end of turn", "learnt too, so that the model stops"),
    "cut": ("cut off", "beyond the longest conversation, struck through"),
}
"""Part of a conversation -> its name in the legend, and what it means."""

_SPECIAL = re.compile(r"(<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>)")


def plain_conversation(row: Mapping[str, Any], note: str = "") -> Markup:
    """A conversation's messages, while the tokenizer is not there yet."""
    names = {"user": "Customer", "assistant": "Agent", "system": "Standing instruction"}
    said = [
        Markup('<div class="said said-{}"><h4>{}</h4><p>{}</p></div>').format(
            message["role"], names.get(message["role"], message["role"]), message["content"]
        )
        for message in row["messages"]
    ]
    head = Markup('<p class="hint">{}</p>').format(note) if note else NOTHING
    return Markup('<article class="conversation">{}{}{}</article>').format(_conversation_head(row), head, join(said))


def _conversation_head(row: Mapping[str, Any]) -> Markup:
    tags = join([Markup('<span class="tag">{}</span>').format(tag) for tag in list(row.get("tags", ()))[:6]], " ")
    held = Markup('<span class="tag">held out: never learnt from</span> ') if row.get("split") == "heldout" else NOTHING
    return Markup('<h3>{} {}</h3><p class="tags">{}{}</p>').format(
        ticket_name(row["ticket"]), title_of(row), held, tags
    )


def learning(row: Mapping[str, Any], seen: "LearnView") -> Markup:
    """A conversation as training sees it: context, learnt, end of turn, cut off."""
    pieces = join([_piece(piece.text, piece.part) for piece in seen.pieces])
    return Markup('<article class="conversation">{}{}<div class="pieces">{}</div></article>').format(
        _conversation_head(row), legend(seen), pieces
    )


def legend(seen: "LearnView") -> Markup:
    """Explain the marks, with the number of tokens of each."""
    parts: list[Part] = ["context", "learnt", "end", "cut"]
    return Markup('<ul class="legend">{}</ul>').format(
        join(
            [
                Markup('<li><span class="piece piece-{}">{}</span> {} <span class="quiet">{}</span></li>').format(
                    part, PARTS[part][0], PARTS[part][1], words.count(seen.count(part), "token")
                )
                for part in parts
                if part != "cut" or seen.count(part)
            ]
        )
    )


def _piece(text: str, part: "Part") -> Markup:
    if part == "end":
        return Markup(
            '<mark class="piece piece-end" title="The end of the turn; the model learns to stop here">{}</mark>'
        ).format(text)
    tag = {"learnt": "mark", "cut": "del"}.get(part, "span")
    inner = join(
        [
            Markup('<span class="special">{}</span>').format(bit)
            if _SPECIAL.fullmatch(bit)
            else Markup("{}").format(bit)
            for bit in _SPECIAL.split(text)
            if bit
        ]
    )
    return Markup("<{0} class='piece piece-{1}'>{2}</{0}>").format(Markup(tag), part, inner)


def histogram(lengths: Sequence[int], max_length: int) -> str:
    """Plot data of the lengths in tokens, with the line beyond which conversations are cut.

    Args:
        lengths: Tokens of each conversation.
        max_length: The recipe's longest conversation, in tokens.
    """
    if not lengths:
        return charts.NOTHING
    top = max(max(lengths), 1)
    width = _round_up(top / 24)
    bins = [0] * (top // width + 1)
    for length in lengths:
        bins[length // width] += 1
    return json.dumps(
        {
            "kind": "bars",
            "label": verdict(lengths, max_length),
            "x": "tokens",
            "y": "conversations",
            "bars": [{"from": i * width, "to": (i + 1) * width, "count": count} for i, count in enumerate(bins)],
            "line": {"x": max_length, "text": f"longest allowed: {max_length:,}"},
        }
    )


def _round_up(value: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ... so that the bars begin at round numbers."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if value <= step * scale:
                return step * scale
        scale *= 10


def verdict(lengths: Sequence[int], max_length: int) -> str:
    """Say in a sentence whether this is enough to learn from, and how much is cut."""
    longer = sum(length > max_length for length in lengths)
    enough = (
        "A very small set: expect a first impression, not more."
        if len(lengths) < 50
        else "Good: enough for a first run."
        if len(lengths) < 1000
        else "Plenty to learn from."
    )
    if not longer:
        return f"{enough} No conversation is cut."
    share = words.percent(longer / len(lengths))
    return f"{enough} {share} of the conversations are longer than {max_length:,} tokens and lose their end."
