"""Talks: what was said in the playground, one talk a browser, kept in memory so that a reload loses nothing.

A talk has a lane for each voice: all hear the same customer, each remembers its own answers. Nothing is written to
disk.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

MOST = 32
"""Talks that are kept; the one not used for longest goes first."""

Said = dict[str, str]
"""{"role", "content"}, as the engine takes it."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """How the newest answer of a voice went."""

    text: str = ""
    tokens: int = 0
    seconds: float = 0.0
    done: bool = True
    stopped_by: str | None = None
    """'end', 'length', 'cancelled', or None while it speaks."""

    @property
    def speed(self) -> float:
        """Tokens a second; 0 while there is nothing to measure."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation with several voices."""

    lanes: dict[str, tuple[Said, ...]] = field(default_factory=dict)
    """Voice -> what it has heard and said."""
    spoken: dict[str, Spoken] = field(default_factory=dict)
    """Voice -> its newest answer."""
    reference: str = ""
    """What the agent really wrote; empty when the question is not a held-out ticket."""
    ticket: str = ""
    opening: tuple[Said, ...] = ()
    """The earlier turns of a held-out ticket, which all voices hear before the question."""
    asking: bool = False
    stage: str = ""
    """What is being done before the first word, such as loading the model."""

    def hears(self, voice: str) -> tuple[Said, ...]:
        """What a voice has heard and said so far."""
        return self.lanes.get(voice, self.opening)

    @property
    def begun(self) -> bool:
        """Whether anything has been said."""
        return any(self.lanes.values())

    def asked(self, voices: tuple[str, ...], question: str) -> "Talk":
        """Add the customer's words to the lanes of ``voices``."""
        said: Said = {"role": "user", "content": question}
        lanes = {**self.lanes, **{voice: (*self.hears(voice), said) for voice in voices}}
        waiting = {voice: Spoken(done=False) for voice in voices}
        return replace(self, lanes=lanes, spoken={**self.spoken, **waiting}, asking=True, stage="")

    def answered(self, voices: tuple[str, ...]) -> "Talk":
        """Keep the newest answers as said; a voice that said nothing loses the question again."""
        lanes = dict(self.lanes)
        for voice in voices:
            text = self.spoken[voice].text
            if text:
                lanes[voice] = (*lanes[voice], {"role": "assistant", "content": text})
            else:
                lanes[voice] = lanes[voice][:-1]
        spoken = {voice: replace(newest, done=True) for voice, newest in self.spoken.items()}
        return replace(self, lanes=lanes, spoken=spoken, asking=False, stage="")


class Talks:
    """All talks, by the name of the browser that has them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._talks: OrderedDict[str, Talk] = OrderedDict()

    def get(self, session: str) -> Talk:
        """Return a browser's talk; a new one where there is none."""
        with self._lock:
            return self._talks.get(session, Talk())

    def keep(self, session: str, talk: Talk) -> Talk:
        """Remember a talk and return it."""
        with self._lock:
            self._talks[session] = talk
            self._talks.move_to_end(session)
            while len(self._talks) > MOST:
                self._talks.popitem(last=False)
        return talk
