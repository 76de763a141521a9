"""What goes into an answer and what comes out: plain records, made without importing torch."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.errors import StudioError
from engine.turns import Turn

if TYPE_CHECKING:
    from engine.model.snapshot import Snapshot

StoppedBy = Literal["end", "length", "cancelled", "stop word"]
"""The end-of-turn token, the longest answer allowed, the person, or a text that ends answers."""

STRANGE = 0.05
"""Below this coverage a question counts as not seen before: one in twenty that were learnt are as strange."""
MOST_STOP_WORDS = 16
LONGEST_STOP_WORD = 100
"""Characters."""
MOST_LIKELIEST = 20
"""Of the tokens that could have stood in a place, so many are told at most."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is chosen.

    Raises:
        StudioError: A value is out of its range.
    """

    temperature: float = 0.0
    """0 takes the likeliest token every time; 1 draws as the model estimates; at most 5."""
    top_p: float = 0.9
    """Draw among the likeliest tokens that together have this probability (0 to 1, nucleus sampling,
    https://arxiv.org/abs/1904.09751); 1 draws among all."""
    max_new_tokens: int = 256
    """Longest answer, in tokens, 1 to 32768."""
    seed: int | None = 0
    """The same seed gives the same answer, whoever else answers beside it; None draws a new one."""
    top_k: int = 0
    """Draw among so many of the likeliest tokens, 0 to 1000; 0 draws among all."""
    min_p: float = 0.0
    """Draw among tokens that are at least this share as likely as the likeliest, 0 to 1
    (https://arxiv.org/abs/2407.01082); 0 draws among all."""
    repetition_penalty: float = 1.0
    """Divides the scores of tokens that have been said, the question's too, 1 to 2; 1 leaves them alone."""
    thinking: bool = False
    """Whether a model that can (Qwen3, DeepSeek-R1) thinks before it answers."""
    stop_words: tuple[str, ...] = ()
    """Texts that end an answer, which then ends before them; at most 16, of at most 100 characters."""
    logprobs: int | None = None
    """With each token is told how likely the model thought it, and so many of the likeliest in its place, 0 to 20;
    None tells nothing, and costs nothing."""
    thinking_budget: int = 512
    """Tokens of the longest thought of a model that thinks, 0 to 32768: it then has to answer."""

    @property
    def longest(self) -> int:
        """Tokens that an answer may take, a thought included."""
        return self.max_new_tokens + (self.thinking_budget if self.thinking else 0)

    def __post_init__(self) -> None:
        _check("temperature", self.temperature, 0.0, 5.0)
        _check("top-p", self.top_p, 0.0, 1.0)
        _check("longest answer", self.max_new_tokens, 1, 32_768)
        _check("longest thought", self.thinking_budget, 0, 32_768)
        if self.seed is not None:
            _check("seed", self.seed, 0, 2**63 - 1)
        _check("top-k", self.top_k, 0, 1000)
        _check("min-p", self.min_p, 0.0, 1.0)
        _check("repetition penalty", self.repetition_penalty, 1.0, 2.0)
        if self.logprobs is not None:
            _check("number of likeliest tokens", self.logprobs, 0, MOST_LIKELIEST)
        if len(self.stop_words) > MOST_STOP_WORDS or not all(
            0 < len(word) <= LONGEST_STOP_WORD for word in self.stop_words
        ):
            raise StudioError(
                f"There are too many stop words, or one is empty or longer than {LONGEST_STOP_WORD} characters.",
                f"Give at most {MOST_STOP_WORDS}.",
            )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise StudioError(f"The {name} is {value:g}; it must lie between {low:g} and {high:g}.")


LOOKUP = "+lookup"
"""At the end of a voice's id: it answers with look-up."""
WITH_LOOKUP = ", with look-up"
"""At the end of its name; its weights are those of the voice without."""
NEAREST = "nearest"
"""The id of the voice that is no model: the answer of the nearest ticket, as it stands there."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can answer in the playground: the base, an adapter over it, or the nearest ticket."""

    id: str
    """'base', 'run:<id>', 'run:<id>@<step>' for a checkpoint, 'run:<id>@now' for a run as it trains, or 'adapter:<id>'
    for an imported one, 'model:<id>' for a whole model that was brought in; each may end with :data:`LOOKUP`. Or
    :data:`NEAREST`."""
    label: str
    model: str
    """The base it belongs to, as in the recipe; empty for 'base', which follows the others."""
    path: Path | None
    """The PEFT adapter folder, for a run as it trains where it will be; None for the base and for a whole model."""
    snapshot: "Snapshot | None" = None
    """The weights that answer for a run as it trains, once they have been copied."""
    lookup: bool = False
    """Whether it answers with look-up; one that was trained with it always does."""

    @property
    def run(self) -> str:
        """The run whose adapter or checkpoint it is; empty for others."""
        return self.id.removeprefix("run:").partition("+")[0].partition("@")[0] if self.id.startswith("run:") else ""

    @property
    def looking(self) -> "Voice":
        """The same voice with look-up."""
        if self.lookup:
            return self
        return replace(self, id=f"{self.id}{LOOKUP}", label=f"{self.label}{WITH_LOOKUP}", lookup=True)


NEAREST_VOICE = Voice(NEAREST, "The nearest answer", "", None, lookup=True)


@dataclass(frozen=True, slots=True)
class LookedUpTicket:
    """A ticket that was found."""

    ticket: str
    score: float
    """How near it is, 0 to 1."""
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """What was looked up for an answer."""

    tickets: tuple[LookedUpTicket, ...]
    """The nearest first; none where nothing is near enough."""
    best: float
    """The score of the nearest ticket, be it near enough or not."""
    threshold: float
    """Below this score nothing is near enough."""
    used: int = 0
    """How many tickets stood before the question: fewer than were found where room was short."""


@dataclass(frozen=True, slots=True)
class TokenChance:
    """How likely the model thought a token that it has written; what alters the draw, temperature say, counts not."""

    token: int
    logprob: float
    """Natural logarithm of the probability."""
    likeliest: tuple[tuple[int, float], ...] = ()
    """The likeliest tokens in its place with their logarithms, the likeliest first."""


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token as it is written, and how likely it was."""

    text: str
    """Bytes that make no character by themselves are shown as U+FFFD."""
    raw: bytes
    """Its bytes in the text; none for a special token, which is no part of it."""
    logprob: float
    """Natural logarithm of the probability."""


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token of an answer, and those that could have stood there."""

    said: TokenText
    likeliest: tuple[TokenText, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one voice has said so far."""

    voice: str
    """The voice's id."""
    text: str
    tokens: int
    """Tokens written, the one that ends the answer not counted."""
    seconds: float
    """Since the batch was started, reading the prompt included; stands still once it is done."""
    done: bool
    stopped_by: StoppedBy | None
    """None while it is being written."""
    weights: str = ""
    """The mark of the weights that answer, and after which step, in words; empty until they are loaded."""
    lookup: LookUp | None = None
    """What was looked up for it; None for an answer without look-up."""
    thoughts: str = ""
    """What a model that thinks has thought before it answered."""
    note: str = ""
    """What was left off from the conversation because it is too long for the model, in a sentence."""
    prompt_tokens: int = 0
    """Tokens that were read before the answer."""
    scored: tuple[ScoredToken, ...] = ()
    """The tokens of the text so far, where :attr:`Sampling.logprobs` asks for them."""


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """The answers of all voices at one moment."""

    stage: str
    """What is being done, in words; empty in the last frame."""
    answers: tuple[Answer, ...]
