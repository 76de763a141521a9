"""Conversations -> token ids and labels: what a run learns, and the same arrays as a view for people.

Only the agents' turns carry labels, each with the token that ends it; so the model learns to stop. It works for every
chat template: an answer's place is found by rendering the conversation once more with a probe instead of the answer,
and comparing. This module knows the chat format and nothing of the trainer.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import TicketsError
from engine.model.tokenizing import PROBE, ChatFormat, Turn
from engine.training.recipe import Recipe

log = logging.getLogger(__name__)

IGNORED = -100
"""The label of a token that is not learnt (torch.nn.CrossEntropyLoss's default ignore_index)."""

MOST_CUT = 0.05
"""A larger share of conversations with an answer that is cut is worth a warning."""

Part = Literal["context", "learnt", "end", "cut"]


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation as training sees it."""

    ticket: str
    input_ids: tuple[int, ...]
    """Token ids, at most max_length."""
    labels: tuple[int, ...]
    """As long as input_ids: the token's id where it is learnt, :data:`IGNORED` elsewhere."""
    cut: int
    """Tokens beyond max_length that are left off."""
    cut_learnt: int
    """How many of those would have been learnt."""
    ends: int
    """How many of the learnt tokens end a turn."""

    @property
    def learnt(self) -> int:
        """Tokens that are learnt."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """All examples of one split, with what a person should know of them."""

    examples: tuple[Example, ...]
    nothing_learnt: tuple[str, ...]
    """Tickets left out because no learnt token is left after the cut."""
    not_found: tuple[str, ...]
    """Tickets left out because the template alters their answers beyond recognition."""

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return sum(len(example.input_ids) for example in self.examples)

    @property
    def learnt(self) -> int:
        """Learnt tokens of one pass."""
        return sum(example.learnt for example in self.examples)

    @property
    def cut(self) -> int:
        """Conversations with an answer that is cut by max_length."""
        return sum(example.cut_learnt > 0 for example in self.examples)

    def warnings(self) -> Iterator[str]:
        """Say in words what a person should know before hours of training."""
        if self.nothing_learnt:
            yield (
                f"{len(self.nothing_learnt)} conversations are left out: the question alone is longer than the longest "
                "conversation allowed (max length)."
            )
        if self.not_found:
            yield f"{len(self.not_found)} conversations are left out: the chat template alters their answers."
        endless = sum(not example.ends for example in self.examples)
        if self.examples and endless == len(self.examples):
            yield "In no conversation is the end of an answer learnt: the model will not know when to stop."
        if self.examples and self.cut > MOST_CUT * len(self.examples):
            yield (
                f"{self.cut} of {len(self.examples)} conversations lose a part of an answer, with its end, "
                "at the longest conversation allowed (max length)."
            )


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive tokens of one part."""

    text: str
    part: Part
    tokens: int


@dataclass(frozen=True, slots=True)
class LearnView:
    """One conversation, as the tab 'Tickets' shows it."""

    ticket: str
    pieces: tuple[Piece, ...]

    def count(self, part: Part) -> int:
        """Tokens of a part."""
        return sum(piece.tokens for piece in self.pieces if piece.part == part)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A whole conversation before the cut."""

    text: str
    ids: list[int]
    offsets: list[tuple[int, int]]
    parts: list[Part]


def build_examples(conversations: Sequence[Mapping[str, Any]], chat: ChatFormat, recipe: Recipe) -> ExampleSet:
    """Turn conversations into examples.

    Args:
        conversations: Objects of train.jsonl or heldout.jsonl: 'ticket' and 'messages'.
        chat: The base model's chat format.
        recipe: Its max_length and system_prompt count.

    Raises:
        TicketsError: Not one conversation is left.
    """
    examples: list[Example] = []
    nothing, lost = [], []
    for conversation in conversations:
        example = example_of(conversation, chat, recipe)
        if example is None:
            lost.append(conversation["ticket"])
        elif example.learnt:
            examples.append(example)
        else:
            nothing.append(conversation["ticket"])
    if conversations and not examples:
        raise TicketsError(
            "Nothing would be learnt: in no conversation is a part of an answer left.",
            f"Raise the longest conversation allowed (max length is {recipe.max_length}).",
        )
    return ExampleSet(tuple(examples), tuple(nothing), tuple(lost))


def example_of(conversation: Mapping[str, Any], chat: ChatFormat, recipe: Recipe) -> Example | None:
    """Return a conversation as training sees it; None when the template alters its answers."""
    encoded = _encode(conversation["messages"], chat, recipe.system_prompt)
    return _example(conversation["ticket"], encoded, recipe.max_length) if encoded else None


def learn_view(conversation: Mapping[str, Any], chat: ChatFormat, recipe: Recipe) -> LearnView:
    """Return a conversation's text in pieces, made from the very arrays that training uses.

    Raises:
        TicketsError: The template alters its answers beyond recognition, so that it is left out of training.
    """
    encoded = _encode(conversation["messages"], chat, recipe.system_prompt)
    if encoded is None:
        raise TicketsError("The model's chat template alters this conversation's answers; it is left out.")
    example = _example(conversation["ticket"], encoded, recipe.max_length)
    pieces: list[Piece] = []
    position = 0
    for index, (_, end) in enumerate(encoded.offsets):
        part: Part = "cut" if index >= len(example.input_ids) else encoded.parts[index]
        text = encoded.text[position : max(end, position)]
        position = max(end, position)
        if pieces and pieces[-1].part == part:
            pieces[-1] = Piece(pieces[-1].text + text, part, pieces[-1].tokens + 1)
        else:
            pieces.append(Piece(text, part, 1))
    return LearnView(conversation["ticket"], tuple(pieces))


def _example(ticket: str, encoded: _Encoded, max_length: int) -> Example:
    labels = [
        token if part in ("learnt", "end") else IGNORED for token, part in zip(encoded.ids, encoded.parts, strict=True)
    ]
    beyond = labels[max_length:]
    return Example(
        ticket,
        tuple(encoded.ids[:max_length]),
        tuple(labels[:max_length]),
        cut=len(beyond),
        cut_learnt=sum(label != IGNORED for label in beyond),
        ends=encoded.parts[:max_length].count("end"),
    )


def _encode(messages: Sequence[Turn], chat: ChatFormat, system_prompt: str) -> _Encoded | None:
    """Tokenize a conversation and label its tokens; None when an answer is not found in the rendering."""
    messages = _with_system(messages, system_prompt)
    text = chat.render(messages)
    spans = []
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            span = _answer_span(messages, index, text, chat)
            if span is None:
                return None
            spans.append(span)
    if chat.appends_end:
        start, end, _ = spans[-1]
        text = text[:end] + chat.end_of_turn
        spans[-1] = (start, end, end + len(chat.end_of_turn))
    ids, offsets = chat.encode_with_offsets(text)
    return _Encoded(text, ids, offsets, [_part(offset, spans) for offset in offsets])


def _answer_span(messages: Sequence[Turn], index: int, text: str, chat: ChatFormat) -> tuple[int, int, int] | None:
    """Return where an answer starts and ends in the rendering, and where the mark that ends its turn does."""
    probed = [*messages[:index], {**messages[index], "content": PROBE}, *messages[index + 1 :]]
    before, found, after = chat.render(probed).partition(PROBE)
    if not found or not text.startswith(before) or not text.endswith(after) or len(before) + len(after) > len(text):
        return None
    start, end = len(before), len(text) - len(after)
    mark = chat.end_mark.match(text, end)
    return start, end, mark.end() if mark else end


def _part(offset: tuple[int, int], spans: Sequence[tuple[int, int, int]]) -> Part:
    start, end = offset
    for answer_start, answer_end, mark_end in spans:
        if start < answer_end and end > answer_start:
            return "learnt"
        if answer_end <= start < mark_end:
            return "end"
    return "context"


def _with_system(messages: Sequence[Turn], system_prompt: str) -> list[Turn]:
    """Put the recipe's standing instruction first, unless the conversation has one of its own."""
    plain = [{"role": message["role"], "content": message["content"]} for message in messages]
    if system_prompt.strip() and (not plain or plain[0]["role"] != "system"):
        return [{"role": "system", "content": system_prompt.strip()}, *plain]
    return plain
