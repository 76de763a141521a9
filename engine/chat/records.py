"""What goes into an answer and what comes out: plain records, made without importing torch."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import StudioError

Turn = dict[str, str]
"""{"role": "system" | "user" | "assistant", "content": text}"""

StoppedBy = Literal["end", "length", "cancelled"]
"""The end-of-turn token, the longest answer allowed, or the person."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is chosen.

    Raises:
        StudioError: A value is out of its range.
    """

    temperature: float = 0.7
    """0 takes the likeliest token every time; 1 draws as the model estimates; at most 5."""
    top_p: float = 0.9
    """Draw among the likeliest tokens that together have this probability (0 to 1, nucleus sampling,
    https://arxiv.org/abs/1904.09751); 1 draws among all."""
    max_new_tokens: int = 256
    """Longest answer, in tokens, 1 to 32768."""
    seed: int | None = 0
    """The same seed gives the same answer, whoever else answers beside it; None draws a new one."""

    def __post_init__(self) -> None:
        _check("temperature", self.temperature, 0.0, 5.0)
        _check("top-p", self.top_p, 0.0, 1.0)
        _check("longest answer", self.max_new_tokens, 1, 32_768)
        if self.seed is not None:
            _check("seed", self.seed, 0, 2**63 - 1)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise StudioError(f"The {name} is {value:g}; it must lie between {low:g} and {high:g}.")


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can answer in the playground: the base, or an adapter over it."""

    id: str
    """'base', 'run:<id>', 'run:<id>@<step>' for a checkpoint, or 'adapter:<id>' for an imported one."""
    label: str
    model: str
    """The base it belongs to, as in the recipe; empty for 'base', which follows the others."""
    path: Path | None
    """The PEFT adapter folder; None for the base."""


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


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """The answers of all voices at one moment."""

    stage: str
    """What is being done, in words; empty in the last frame."""
    answers: tuple[Answer, ...]
