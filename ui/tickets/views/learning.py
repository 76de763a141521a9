"""What the model will learn of a conversation, token by token; and how long the conversations are."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from engine.tickets.dataset.stored import StoredConversation
from ui import charts, parts, words
from ui.parts import NOTHING, join
from ui.tickets.views.listing import ticket_name, title_of

if TYPE_CHECKING:
    from engine.training.data.learn_view import LearnView, Part
    from engine.training.data.token_counts import TokenCounts

PARTS: dict[str, tuple[str, str]] = {
    "context": ("context", "read, not learnt"),
    "lookup": ("looked up", "similar tickets, read and not learnt"),
    "learnt": ("learnt", "the agent's words, underlined"),
    "end": ("end of turn", "learnt too, so that the model stops"),
    "cut": ("left off", "beyond the longest conversation, struck through"),
}
"""Part of a conversation -> its name in the legend, and what it means."""

_SPECIAL = re.compile(r"(<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>)")
_TURN = re.compile(
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|start\|>)(system|user|assistant|model|developer|tool)"
    r"(?:<\|end_header_id\|>)?\s?\n*|<\|(system|user|assistant)\|>\n?"
)
"""How the templates of ChatML, Llama 3, Gemma, Phi and Zephyr say who speaks; those of others stay as they are."""

SPEAKERS = {
    "system": "Standing instruction",
    "developer": "Standing instruction",
    "user": "Customer",
    "assistant": "Agent",
    "model": "Agent",
    "tool": "Tool",
}
MARKS = Markup(
    '<li><label class="marks"><input type="checkbox" class="show-marks"> Show the marks of the model\'s template'
    "</label></li>"
)
"""The style sheet shows them by it; without them a text reads as the people wrote it."""


def plain_conversation(row: StoredConversation, note: str = "", agents: Sequence[str] = ()) -> Markup:
    """A conversation's messages, while the tokenizer is not there yet.

    Args:
        row: The conversation.
        note: Said above it.
        agents: Who answered, as the export calls them.
    """
    names = {"user": "Customer", "assistant": "Agent", "system": "Standing instruction"}
    said = [
        Markup('<div class="said said-{}"><h4>{} {}</h4><p>{}</p></div>').format(
            message.role,
            names.get(message.role, message.role) + (", read and not learnt" if not message.learnt else ""),
            _rewrite(number) if message.role == "assistant" else NOTHING,
            message.content,
        )
        for number, message in enumerate(row.messages)
    ]
    head = Markup('<p class="hint">{}</p>').format(note) if note else NOTHING
    return Markup('<article class="conversation">{}{}{}</article>').format(
        _conversation_head(row, agents), head, join(said)
    )


def _rewrite(number: int) -> Markup:
    return Markup(
        '<button type="button" class="link rewrite" data-do="rewrite" data-number="{}" data-key="rewrite-{}">'
        "Rewrite this answer</button>"
    ).format(number, number)


def _conversation_head(row: StoredConversation, agents: Sequence[str]) -> Markup:
    tags = join([Markup('<span class="tag">{}</span>').format(tag) for tag in row.tags[:6]], " ")
    held = Markup('<span class="tag">held out: never learnt from</span> ') if row.split == "heldout" else NOTHING
    redone = Markup('<span class="tag">rewritten by you</span> ') if row.originals else NOTHING
    return Markup('<div class="conversation-head"><div><h3>{} {}</h3><p class="tags">{}{}{}</p></div>{}</div>').format(
        ticket_name(row.ticket), title_of(row), held, redone, tags, _actions(row, agents)
    )


def _actions(row: StoredConversation, agents: Sequence[str]) -> Markup:
    """Buttons to leave out this conversation, or all with one of its tags, or the answers of its agents."""
    button = Markup('<button type="button" class="button small" data-do="{}" data-name="{}">{}</button>')
    tags = [button.format("tag", tag, f"All tickets with the tag ‘{tag}’") for tag in row.tags[:12]]
    others = [button.format("agent", agent, f"All answers of agent {agent}") for agent in list(agents)[:12]]
    more = (
        Markup(
            '<details class="more-out"><summary class="link">Leave out more</summary><div>{}</div></details>'
        ).format(join([*tags, *others]))
        if tags or others
        else NOTHING
    )
    return Markup(
        '<div class="conversation-actions"><button type="button" class="button small" data-do="drop" '
        'data-key="drop">Leave this conversation out</button>{}<button type="button" class="link danger" '
        'data-do="erase" data-key="erase">Delete this customer …</button></div>'
    ).format(more)


def learning(row: StoredConversation, seen: "LearnView", agents: Sequence[str] = ()) -> Markup:
    """A conversation as training sees it: context, learnt, end of turn, cut off.

    Args:
        row: The conversation.
        seen: Its tokens.
        agents: Who answered, as the export calls them.
    """
    pieces: list[Markup] = []
    for piece, following in zip(seen.pieces, (*seen.pieces[1:], None), strict=True):
        pieces.append(_piece(piece.text, piece.part))
        if piece.answer is not None and (following is None or following.answer != piece.answer):
            pieces.append(Markup(" {}").format(_rewrite(piece.answer)))
    return Markup('<article class="conversation">{}{}<div class="pieces">{}</div></article>').format(
        _conversation_head(row, agents), legend(seen), join(pieces)
    )


def legend(seen: "LearnView") -> Markup:
    """Explain the marks, with the number of tokens of each."""
    shown: list[Part] = ["context", "lookup", "learnt", "end", "cut"]
    again = (
        Markup(
            '<li class="quiet">{} read again: with this model each answer is learnt in a text of its own</li>'
        ).format(words.count(seen.read_again, "token"))
        if seen.read_again
        else NOTHING
    )
    return Markup('<ul class="legend">{}{}{}</ul>').format(
        join(
            [
                Markup('<li><span class="piece piece-{}">{}</span> {} <span class="quiet">{}</span></li>').format(
                    part, PARTS[part][0], PARTS[part][1], words.count(seen.count(part), "token")
                )
                for part in shown
                if part not in ("lookup", "cut") or seen.count(part)
            ]
        ),
        again,
        MARKS,
    )


def _piece(text: str, part: "Part") -> Markup:
    if part == "end":
        return Markup(
            '<mark class="piece piece-end" title="{}: the end of the turn; the model learns to stop here">'
            '<span class="in-words">end of turn</span><span class="special">{}</span></mark>'
        ).format(text.strip(), text)
    tag = {"learnt": "mark", "cut": "del"}.get(part, "span")
    return Markup("<{0} class='piece piece-{1}'>{2}</{0}>").format(Markup(tag), part, _in_words(text))


def _in_words(text: str) -> Markup:
    """A text with the template's marks for who speaks as headings; the marks themselves are shown on request."""
    drawn, place = NOTHING, 0
    for turn in _TURN.finditer(text):
        speaker = SPEAKERS[turn[1] or turn[2]]
        drawn += _marked(text[place : turn.start()])
        drawn += Markup('<span class="speaker in-words">{}</span><span class="special">{}</span>').format(
            speaker, turn[0]
        )
        place = turn.end()
    return drawn + _marked(text[place:])


def _marked(text: str) -> Markup:
    bits = [bit for bit in _SPECIAL.split(text) if bit]
    return join(
        [
            Markup('<span class="special">{}</span>').format(bit)
            if _SPECIAL.fullmatch(bit)
            else Markup("{}").format(bit)
            for bit in bits
        ]
    )


def histogram(counts: "TokenCounts") -> str:
    """Plot data of the lengths in tokens, with the line beyond which conversations are cut."""
    lengths = counts.lengths
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
            "label": verdict(counts),
            "x": "tokens",
            "y": "conversations",
            "bars": [{"from": i * width, "to": (i + 1) * width, "count": count} for i, count in enumerate(bins)],
            "line": {"x": counts.max_length, "text": f"longest allowed: {counts.max_length:,}"},
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


def verdict(counts: "TokenCounts") -> str:
    """Say in one sentence what matters most of the lengths; whether the set is enough, the quality report says."""
    if worst := losses(counts)[:1]:
        return worst[0]
    longer = sum(length > counts.max_length for length in counts.lengths)
    if not longer:
        return f"No conversation is cut at {counts.max_length:,} tokens."
    share = words.percent(longer / len(counts.lengths))
    return f"{share} of the conversations are longer than {counts.max_length:,} tokens and lose some turns."


def token_note(counts: "TokenCounts") -> Markup:
    """The verdict, the tokens of the whole set by part, and what to mend."""
    rows = [
        ("context", counts.context),
        ("learnt", counts.learnt),
        ("end", counts.end),
        ("cut", counts.cut),
    ]
    listed = join(
        [
            Markup('<div><dt><span class="piece piece-{}">{}</span></dt><dd>{:,}</dd></div>').format(
                part, PARTS[part][0], number
            )
            for part, number in rows
        ]
    )
    return Markup('<p>{}</p><dl class="token-counts" aria-label="Tokens of all conversations">{}</dl>{}{}').format(
        verdict(counts),
        listed,
        join([Markup('<p class="quiet">{}</p>').format(note) for note in notes(counts)]),
        join(warnings(counts)) + cut_list(counts),
    )


def cut_list(counts: "TokenCounts") -> Markup:
    """The tickets that the recipe would cut, each with the way to it; nothing where there is none."""
    if not counts.cut_tickets:
        return NOTHING
    rows = [
        Markup(
            '<li><button type="button" class="link" data-do="pick" data-ticket="{}" data-scroll-to="reader">{}</button>'
            ' <span class="quiet">{:,} tokens</span></li>'
        ).format(ticket, ticket_name(ticket), tokens)
        for ticket, tokens in counts.cut_tickets
    ]
    longer = words.count(sum(length > counts.max_length for length in counts.lengths), "conversation")
    return Markup(
        '<details class="cut-list"><summary>{} longer than {:,} tokens</summary><ul>{}</ul></details>'
    ).format(longer, counts.max_length, join(rows))


def losses(counts: "TokenCounts") -> list[str]:
    """What is lost and worth a change before training, the worst first."""
    return [*lost_to_the_model(counts), *lost_to_length(counts)]


def notes(counts: "TokenCounts") -> list[str]:
    """What is as it should be and worth knowing."""
    sentences = []
    if counts.reasoning:
        sentences.append(f"The reasoning in {words.count(counts.reasoning, 'answer')} is left out.")
    if counts.context_only:
        sentences.append(f"{words.count(counts.context_only, 'answer')} marked with weight 0: read, not learnt.")
    if counts.general:
        sentences.append(
            f"{words.count(counts.general, 'general example')} mixed in, as the recipe says: "
            f"{words.count(counts.general_learnt, 'token')} more to learn."
        )
    if counts.read_again:
        sentences.append(
            f"{words.count(counts.read_again, 'token')} are read again: this model's template writes earlier answers "
            "in another way than it asks for them, so each answer is learnt in a text of its own."
        )
    return sentences


def lost_to_the_model(counts: "TokenCounts") -> list[str]:
    """What the model's template costs, the worst first."""
    sentences = []
    if counts.refused:
        sentences.append(f"{words.count(counts.refused, 'conversation')} left out: the model's template refuses them.")
    if counts.not_found:
        sentences.append(
            f"{words.count(counts.not_found, 'conversation')} left out: the model's template alters the answers."
        )
    if counts.unanswered:
        sentences.append(
            f"{words.count(counts.unanswered, 'conversation')} left out: no answer in them is to be learnt."
        )
    return sentences


def lost_to_length(counts: "TokenCounts") -> list[str]:
    """What the longest conversation allowed costs, the worst first."""
    sentences = []
    if counts.nothing_learnt:
        sentences.append(
            f"In {words.count(counts.nothing_learnt, 'conversation')} nothing is learnt: the question alone is longer "
            f"than {counts.max_length:,} tokens."
        )
    if counts.endless:
        sentences.append(
            f"In {words.count(counts.endless, 'conversation')} the end of the answer is cut off and not learnt; from "
            "those a model does not learn to stop."
        )
    if counts.many_cut:
        sentences.append(
            f"{words.percent(counts.answers_cut / max(counts.used, 1))} of the conversations lose an answer or a part "
            "of one."
        )
    return sentences


def warnings(counts: "TokenCounts") -> list[Markup]:
    """What must be known before training, with one way to mend all that has the same cause."""
    banners = []
    if lost := lost_to_the_model(counts):
        remedy = "Pick another base model to learn from them too." if counts.refused or counts.not_found else ""
        banners.append(parts.banner(" ".join(lost), remedy))
    if lost := lost_to_length(counts):
        banners.append(_raise(" ".join(lost), counts.fitting()))
    return banners


def _raise(said: str, length: int) -> Markup:
    button = Markup(
        '<button type="button" class="button small" data-do="longer" data-length="{}">Raise it to {:,}</button>'
    ).format(length, length)
    return parts.banner(said, Markup("Raise the longest conversation allowed (max length). {}").format(button))
