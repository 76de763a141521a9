"""A conversation as the tab 'Tickets' shows it: what is context, what is learnt, what is left off.

Made from the very arrays of training. What repeats from text to text, where a model's template asks for an example an
answer, is counted and shown once.
"""

from dataclasses import dataclass

from engine.errors import TicketsError
from engine.model.chat_format import ChatFormat
from engine.recipe import Recipe
from engine.tickets.dataset.stored import StoredConversation
from engine.training.data.encoding import Encoded, Part
from engine.training.data.examples import turns_of
from engine.training.data.looked_up import write_down

__all__ = ["LearnView", "Part", "Piece", "learn_view"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive tokens of one part."""

    text: str
    part: Part
    tokens: int
    answer: int | None = None
    """Which message of the conversation it is, from 0, where it is learnt."""


@dataclass(frozen=True, slots=True)
class LearnView:
    """One conversation in pieces."""

    ticket: str
    pieces: tuple[Piece, ...]
    read_again: int = 0
    """Tokens of context that are not shown, since they repeat what is shown."""

    def count(self, part: Part) -> int:
        """Tokens of a part that are shown."""
        return sum(piece.tokens for piece in self.pieces if piece.part == part)


def learn_view(conversation: StoredConversation, chat: ChatFormat, recipe: Recipe) -> LearnView:
    """Return a conversation's text in pieces.

    Raises:
        StudioError: Nothing is learnt of it: the template refuses it or alters its answers, or it holds none to learn.
    """
    said, _, _ = turns_of(conversation.messages, recipe.system_prompt)
    texts, altered = write_down(said, conversation.looked_up, chat, recipe)
    if not texts:
        why = "The model's chat template alters this conversation's answers" if altered else "No answer is to be learnt"
        raise TicketsError(f"{why}; it is left out.")
    pieces: list[Piece] = []
    again = 0
    for number, text in enumerate(texts):
        begin = _first_new_token(text, texts[number - 1], chat) if number else 0
        again += begin
        pieces += _pieces(text, begin, recipe.max_length)
    return LearnView(conversation.ticket, tuple(pieces), again)


def _first_new_token(text: Encoded, before: Encoded, chat: ChatFormat) -> int:
    """Return the first token that has not been shown yet: what follows the answer that ended the text before."""
    last = before.spans[-1]
    words = before.text[last.prompt : last.end].strip()
    place = text.text.rfind(words, 0, text.spans[0].start)
    if place < 0:
        return 0
    end = place + len(words)
    mark = chat.end_mark.match(text.text, end)
    end = mark.end() if mark else end
    return next(number for number, (start, _) in enumerate(text.offsets) if start >= end)


def _pieces(text: Encoded, begin: int, limit: int) -> list[Piece]:
    """Join neighbouring tokens of one part, from token ``begin`` on, and put what was left off in its place."""
    pieces: list[Piece] = []
    position = text.offsets[begin][0]
    gap, at = _left_off(text)
    for index, part in enumerate(text.parts):
        if index < begin:
            continue
        end = max(text.offsets[index][1], position)
        if gap and position >= at:
            pieces.append(gap)
            gap = None
        if part == "context" and text.looked_up[0] <= position < text.looked_up[1]:
            part = "lookup"
        answer = next((span.number for span in text.spans if span.start < end <= span.mark_end), None)
        _add(pieces, Piece(text.text[position:end], part if index < limit else "cut", 1, answer))
        position = end
    return [*pieces, gap] if gap else pieces


def _add(pieces: list[Piece], new: Piece) -> None:
    last = pieces[-1] if pieces else None
    if last and last.part == new.part and (new.part in ("context", "lookup", "cut") or last.answer == new.answer):
        pieces[-1] = Piece(last.text + new.text, last.part, last.tokens + new.tokens, last.answer)
    else:
        pieces.append(new if new.part in ("learnt", "end", "cut") else Piece(new.text, new.part, new.tokens))


def _left_off(text: Encoded) -> tuple[Piece | None, int]:
    """Return the turns that were left off as a piece, and the place in the text where they were."""
    if not text.dropped:
        return None, 0
    said = "".join(f"\n\n{one.content}" for one in text.dropped)
    place = text.text.find(text.goes_on_with) if text.goes_on_with else -1
    return Piece(said, "cut", max(0, text.length - len(text.ids))), place if place >= 0 else len(text.text)
