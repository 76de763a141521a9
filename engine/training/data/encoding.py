"""One conversation -> the texts it is learnt from, in tokens: where each answer lies, and what a limit leaves of them.

An answer follows the very prompt that asks for it. Answers share a text as long as the prompt for the later one goes on
from the earlier one and its end; where a template writes what is past in another way, a text begins anew. Labels,
warnings and pictures are made from this by :mod:`engine.training.data.examples`.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.model.chat_format import Answered, ChatFormat
from engine.turns import Turn

Part = Literal["context", "lookup", "learnt", "end", "cut"]
"""What a token is; ``lookup`` is context too, of looked-up tickets, and only pictures tell it apart."""
Keeps = Literal["newest", "oldest"]
"""What stays of a conversation that is too long."""


@dataclass(frozen=True, slots=True)
class Said:
    """One turn."""

    number: int
    """Which message of the conversation, from 0; -1 for the recipe's standing instruction."""
    role: str
    content: str
    learnt: bool
    """Whether it is an answer to learn; others are context."""

    @property
    def turn(self) -> Turn:
        """As the chat format takes it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Span:
    """Where an answer lies in its text, in characters."""

    number: int
    """As :attr:`Said.number`."""
    prompt: int
    """Where the prompt for it ends."""
    start: int
    """Where what is learnt begins."""
    end: int
    mark_end: int
    """Where the token that ends the turn ends."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text, before what is beyond the limit is cut off its end."""

    text: str
    ids: list[int]
    offsets: list[tuple[int, int]]
    """Half-open ranges of characters, one a token."""
    spans: tuple[Span, ...]
    parts: list[Part]
    """What each token is."""
    length: int
    """Tokens of the text while nothing was left off."""
    learnt: int
    """Learnt tokens of it."""
    dropped: tuple[Said, ...] = field(default=())
    """Turns that were left off to keep within the limit."""
    goes_on_with: str = ""
    """The words of the turn that follows them; empty where they were the last."""
    looked_up: tuple[int, int] = (0, 0)
    """Where looked-up tickets begin and end in the text, in characters; equal where there are none."""


def encode(said: Sequence[Said], chat: ChatFormat, max_length: int, keeps: Keeps) -> tuple[list[Encoded], int]:
    """Write a conversation down for learning.

    Args:
        said: Its turns.
        chat: The base model's chat format.
        max_length: Tokens that a text may have.
        keeps: ``newest`` leaves whole turns off behind the customer's first message until the rest fits; ``oldest``
            leaves the text as it is, for its end to be cut.

    Returns:
        The texts, the earliest answers first, and how many answers the template alters beyond recognition.

    Raises:
        ModelError: The template refuses the conversation.
    """
    texts, lost = _whole(said, chat)
    if keeps == "newest":
        texts = [_within(max_length, text, said, chat) for text in texts]
    return texts, lost


def _whole(said: Sequence[Said], chat: ChatFormat) -> tuple[list[Encoded], int]:
    """Write all of a conversation down, in as few texts as the template allows."""
    chains: list[list[tuple[int, Answered]]] = []
    lost = 0
    turns = [one.turn for one in said]
    for index, one in enumerate(said):
        if not one.learnt:
            continue
        answered = chat.answered(turns[: index + 1])
        if answered is None:
            lost += 1
        elif chains and _goes_on(chains[-1][-1][1], answered):
            chains[-1].append((one.number, answered))
        else:
            chains.append([(one.number, answered)])
    return [text for chain in chains for text in _tokenised(chain, chat)], lost


def _goes_on(earlier: Answered, later: Answered) -> bool:
    """Whether a later answer's prompt holds the earlier answer just as it was learnt."""
    return earlier.mark_end <= later.start and later.text.startswith(earlier.text[: earlier.mark_end])


def _tokenised(chain: Sequence[tuple[int, Answered]], chat: ChatFormat) -> list[Encoded]:
    """Tokenize answers that share a text; apart where the prompts would have other tokens alone than in the text."""
    text = chain[-1][1].text
    ids, offsets = chat.encode_with_offsets(text)
    if not all(chat.begins_with_prompt(ids, offsets, text, answered.prompt) for _, answered in chain):
        if len(chain) > 1:
            return [apart for one in chain for apart in _tokenised([one], chat)]
        border = chain[0][1].prompt
        before, after = chat.encode_with_offsets(text[:border]), chat.encode_with_offsets(text[border:])
        ids = before[0] + after[0]
        offsets = before[1] + [(start + border, end + border) for start, end in after[1]]
    spans = tuple(Span(number, one.prompt, one.start, one.end, one.mark_end) for number, one in chain)
    parts = _parts(offsets, spans)
    return [Encoded(text, ids, offsets, spans, parts, len(ids), len(parts) - parts.count("context"))]


def _parts(offsets: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[Part]:
    """Return what each token is; only those near an answer are looked at."""
    parts: list[Part] = ["context"] * len(offsets)
    for span in spans:
        first = bisect_left(offsets, span.start, key=lambda offset: offset[1])
        for index in range(first, len(offsets)):
            start, end = offsets[index]
            if start >= span.mark_end:
                break
            if start < span.end and end > span.start:
                parts[index] = "learnt"
            elif span.end <= start:
                parts[index] = "end"
    return parts


def _within(limit: int, whole: Encoded, said: Sequence[Said], chat: ChatFormat) -> Encoded:
    """Leave whole turns off a text until it fits; where not even one exchange does, its end will be cut."""
    if whole.length <= limit:
        return whole
    numbers = [span.number for span in whole.spans]
    places = [index for index, one in enumerate(said) if one.number in numbers and one.learnt]
    last = places[-1]
    while places:
        turns = [replace(one, learnt=index in places) for index, one in enumerate(said[: places[-1] + 1])]
        for windows in (list(_windows(turns, with_first=True)), list(_windows(turns, with_first=False))):
            if fitting := _first_fitting(windows, limit, chat):
                kept, window = fitting
                newer = said[places[-1] + 1 : last + 1]
                return replace(
                    kept,
                    length=whole.length,
                    learnt=whole.learnt,
                    dropped=(*window.dropped, *newer),
                    goes_on_with=window.goes_on_with,
                )
        if len(places) == 1:
            break
        places.pop()  # the newest exchange alone is too long: the one before it may fit
    return whole


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a conversation that may be kept."""

    kept: list[Said]
    dropped: list[Said]
    goes_on_with: str


def _windows(turns: Sequence[Said], *, with_first: bool) -> Iterator[_Window]:
    """Yield what may be kept, the largest first.

    The standing instruction stays. With the customer's first message the newer ones go on in the same turn, so that
    nobody answers a question that was put much earlier.
    """
    opening = next((index for index, one in enumerate(turns) if one.role == "user"), len(turns))
    head = list(turns[:opening])
    for start in range(opening + 1, len(turns)):
        if turns[start].role != "user" or turns[start - 1].role == "user":
            continue
        first, words = turns[opening], turns[start].content
        if with_first:
            question = replace(first, content=f"{first.content}\n\n{words}")
            yield _Window([*head, question, *turns[start + 1 :]], list(turns[opening + 1 : start]), words)
        else:
            yield _Window([*head, *turns[start:]], list(turns[opening:start]), words)


def _first_fitting(windows: Sequence[_Window], limit: int, chat: ChatFormat) -> tuple[Encoded, _Window] | None:
    """Return the largest window that fits, written down; they shrink, so that halving finds it."""
    encoded: dict[int, Encoded] = {}

    def fits(number: int) -> bool:
        texts, _ = _whole(windows[number].kept, chat)
        if texts:
            encoded[number] = texts[-1]
        return bool(texts) and texts[-1].length <= limit

    place = bisect_left(range(len(windows)), True, key=fits)
    return (encoded[place], windows[place]) if place < len(windows) else None
