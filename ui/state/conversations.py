"""Conversations of the playground, one a browser, kept in memory so that a reload loses nothing.

A conversation has a lane for each voice: all hear the same customer, each remembers its own answers. Nothing is
written to disk.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from engine.chat.records import LookUp
from engine.errors import StudioError
from engine.verdict.facts.fact import Fact

MOST = 32
"""Conversations that are kept; the one not used for longest goes first."""

SWITCHES = ("compares", "marks_invented", "passes_on")
"""What a person switches on and off for a conversation, and finds again in the next one."""

ChatMessage = dict[str, str]
"""{"role", "content"}, as the engine takes it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How the newest answer of a voice went."""

    text: str = ""
    tokens: int = 0
    seconds: float = 0.0
    done: bool = True
    stopped_by: str | None = None
    """'end', 'length', 'cancelled', 'stop word', or None while it speaks."""
    weights: str = ""
    """The mark of the weights that answer, and after which step of a run."""
    lookup: LookUp | None = None
    """What was looked up for it; None without look-up."""
    thoughts: str = ""
    """What a model that thinks has thought first."""
    note: str = ""
    """What was left off from a conversation that is too long, in a sentence."""

    @property
    def speed(self) -> float:
        """Tokens a second; 0 while there is nothing to measure."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """One with several voices."""

    lanes: dict[str, tuple[ChatMessage, ...]] = field(default_factory=dict)
    """Voice -> what it has heard and said."""
    replies: dict[str, Reply] = field(default_factory=dict)
    """Voice -> its newest answer."""
    reference: str = ""
    """What the agent really wrote; empty when the question is not a held-out ticket."""
    ticket: str = ""
    ticket_question: str = ""
    """The customer's words that ``reference`` answers."""
    opening: tuple[ChatMessage, ...] = ()
    """The earlier turns of a held-out ticket, which all voices hear before the question."""
    question: str = ""
    """The newest one."""
    compares: bool = False
    """Whether the words are marked in which answers differ."""
    invented: dict[tuple[str, str], tuple[Fact, ...]] = field(default_factory=dict)
    """Voice and what it said -> the facts in it that stand nowhere."""
    marks_invented: bool = True
    """Whether these are marked."""
    passes_on: bool = False
    """Whether a question like none that was learnt is left to a person."""
    asking: bool = False
    stage: str = ""
    """What is being done before the first word, such as loading the model."""

    def hears(self, voice: str) -> tuple[ChatMessage, ...]:
        """What a voice has heard and said so far."""
        return self.lanes.get(voice, self.opening)

    @property
    def agents_answer(self) -> str:
        """What the agent wrote to the newest question; empty where that is not the held-out ticket's."""
        return self.reference if self.question in ("", self.ticket_question.strip()) else ""

    def asked(self, voices: tuple[str, ...], question: str) -> "Conversation":
        """Add the customer's words to the lanes of ``voices``."""
        said: ChatMessage = {"role": "user", "content": question}
        lanes = {**self.lanes, **{voice: (*self.hears(voice), said) for voice in voices}}
        waiting = {voice: Reply(done=False) for voice in voices}
        return replace(self, lanes=lanes, replies={**self.replies, **waiting}, question=question, asking=True, stage="")

    def answered(self, voices: tuple[str, ...]) -> "Conversation":
        """Keep the newest answers as said; a voice that said nothing loses the question again."""
        lanes = dict(self.lanes)
        for voice in voices:
            text = self.replies[voice].text
            if text:
                lanes[voice] = (*lanes[voice], {"role": "assistant", "content": text})
            else:
                lanes[voice] = lanes[voice][:-1]
        replies = {voice: replace(newest, done=True) for voice, newest in self.replies.items()}
        return replace(self, lanes=lanes, replies=replies, asking=False, stage="")

    def begun_anew(self, **ticket: Any) -> "Conversation":
        """Return an empty conversation with the same switches.

        Args:
            ticket: What is known of the held-out ticket that it is about, by field.
        """
        switches = {name: getattr(self, name) for name in SWITCHES}
        return Conversation(**switches, **ticket)

    def check_answered(self) -> None:
        """Make sure that no answer is being written, so that the conversation may be changed.

        Raises:
            StudioError: One is.
        """
        if self.asking:
            raise StudioError("An answer is still being written.", "Stop it first, or wait for its end.")

    def taken_back(self) -> tuple[str, "Conversation"]:
        """Return the newest question, and the conversation as it was before it was asked.

        The question is empty where nothing was asked yet.
        """
        lanes = {voice: _before(heard, self.question) for voice, heard in self.lanes.items()}
        return self.question, replace(self, lanes=lanes, replies={}, question="")


def _before(heard: tuple[ChatMessage, ...], question: str) -> tuple[ChatMessage, ...]:
    """What a voice had heard before a question; all of it where it was not asked."""
    place = max((place for place, turn in enumerate(heard) if turn["role"] == "user"), default=-1)
    return heard[:place] if place >= 0 and heard[place]["content"] == question else heard


class Conversations:
    """All of them, by the name of the browser that has them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_session: OrderedDict[str, Conversation] = OrderedDict()

    def get(self, session: str) -> Conversation:
        """Return a browser's conversation; a new one where there is none."""
        with self._lock:
            return self._by_session.get(session, Conversation())

    def keep(self, session: str, conversation: Conversation) -> Conversation:
        """Remember a conversation and return it."""
        with self._lock:
            self._by_session[session] = conversation
            self._by_session.move_to_end(session)
            while len(self._by_session) > MOST:
                self._by_session.popitem(last=False)
        return conversation
