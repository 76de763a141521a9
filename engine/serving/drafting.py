"""A draft: what a model would reply to a ticket that an agent has pasted, with the personal data back in its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.chat.records import Answer, AnswerFrame, LookUp, StoppedBy
from engine.serving.veil import Veil


@dataclass(frozen=True, slots=True)
class Draft:
    """How far a draft is."""

    text: str = ""
    stage: str = ""
    """What is being done, in words; empty once it is done."""
    hidden: tuple[tuple[str, str], ...] = ()
    """Placeholders that the model read, each with what stands there."""
    done: bool = False
    stopped_by: StoppedBy | None = None
    lookup: LookUp | None = None
    note: str = ""
    """What was left off from a ticket that is too long."""


def drafts(frames: Iterator[AnswerFrame], veil: Veil) -> Iterator[Draft]:
    """Yield a draft as it grows.

    Args:
        frames: The answer of one voice to a conversation under the veil.
        veil: What was taken out of it.
    """
    hidden = tuple(veil.hidden.items())
    for frame in frames:
        [answer] = frame.answers
        yield _draft(answer, frame.stage, veil, hidden)


def _draft(answer: Answer, stage: str, veil: Veil, hidden: tuple[tuple[str, str], ...]) -> Draft:
    text = veil.lifted(answer.text, done=answer.done)
    return Draft(text, stage, hidden, answer.done, answer.stopped_by, answer.lookup, answer.note)
