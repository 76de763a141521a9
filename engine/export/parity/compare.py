"""How far an export is from the playground, in figures.

Answers are compared place by place along the playground's own answer: both are given the same tokens before each place
(teacher forcing), so that one different word does not count for all that come after it.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.export.parity.reference import Answered, Reference

CLEAR = 1.0
"""Nats by which a token is ahead of the next one where the choice is clear: it is e times as likely. Any rounding may
turn a closer one."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an export made of one conversation."""

    prompt: tuple[int, ...]
    """Token ids of the conversation, written with the export's own template and tokenizer."""
    choices: tuple[int, ...]
    """Its likeliest token at each place of the playground's answer."""
    logprobs: tuple[tuple[float | None, ...], ...]
    """What it thinks of the tokens in :attr:`Answered.likely`, in nats; None where its tool does not say."""
    free: tuple[int, ...] | None = None
    """Its own answer, left to itself for a few tokens longer than the playground's, without the token that ended it;
    None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How an export and the playground differ."""

    answers: int
    """How many were compared."""
    alike: int
    """Of these, at which the export takes the same token at each place."""
    places: int
    """Tokens in all answers."""
    agreeing: int
    """Of these, that the export takes too."""
    clear: int
    """Places at which the playground's token is :data:`CLEAR` nats likelier than the next one."""
    clear_agreeing: int
    """Of these, at which the export takes it too."""
    first_divergence: int | None
    """The earliest place of any answer, from 1, at which it takes another; None where there is none."""
    largest_difference: float
    """Of the log-probabilities of the playground's likeliest tokens, in nats."""
    mean_difference: float
    """The same, on average."""
    kl: float
    """Kullback-Leibler divergence of the export from the playground, in nats a token: over the likeliest tokens and one
    rest, which is at most that over all (data processing inequality)."""
    largest_kl: float
    """The same, at the worst place."""
    prompts_alike: int
    """Conversations that both write down with the same tokens."""
    free: int
    """Answers for which the export was left to itself."""
    ran_on: int
    """Of these, in which it went on where the playground's answer had ended."""
    cut_short: int
    """Of these, in which it ended while it still said the same, and the playground's answer went on."""

    @property
    def agreement(self) -> float:
        """Share of places at which both take the same token."""
        return self.agreeing / max(1, self.places)

    @property
    def clear_agreement(self) -> float:
        """The same, among the places where the choice was clear."""
        return self.clear_agreeing / self.clear if self.clear else 1.0

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self) | {"agreement": self.agreement, "clear_agreement": self.clear_agreement}


def compare(reference: Reference, replayed: Sequence[Replayed]) -> Figures:
    """Compare the answers of an export with the playground's.

    Args:
        reference: The playground's.
        replayed: The export's, in the same order.
    """
    pairs = list(zip(reference.answers, replayed, strict=True))
    same = [[ours == theirs for ours, theirs in zip(a.tokens, b.choices, strict=True)] for a, b in pairs]
    clear = [[place[0] - place[1] >= CLEAR if len(place) > 1 else True for place in a.logprobs] for a, _ in pairs]
    differing = [place.index(False) + 1 for place in same if not all(place)]
    differences = [value for a, b in pairs for value in _differences(a, b)]
    divergences = [value for a, b in pairs for value in _divergences(a, b)]
    free = [(a, b.free) for a, b in pairs if b.free is not None]
    return Figures(
        answers=len(pairs),
        alike=len(pairs) - len(differing),
        places=sum(map(len, same)),
        agreeing=sum(map(sum, same)),
        clear=sum(map(sum, clear)),
        clear_agreeing=sum(a and b for x, y in zip(clear, same, strict=True) for a, b in zip(x, y, strict=True)),
        first_divergence=min(differing, default=None),
        largest_difference=max(differences, default=math.inf),
        mean_difference=sum(differences) / len(differences) if differences else math.inf,
        kl=sum(divergences) / max(1, len(divergences)),
        largest_kl=max(divergences, default=0.0),
        prompts_alike=sum(a.prompt == b.prompt for a, b in pairs),
        free=len(free),
        ran_on=sum(_ran_on(a, own) for a, own in free),
        cut_short=sum(_was_cut(a, own) for a, own in free),
    )


def rounding_kl(replay: Sequence[Replayed], rounded: Sequence[Replayed]) -> float | None:
    """Return what rounding an export's own weights to 8 bit does to it, in nats a token.

    Args:
        replay: What the export answers.
        rounded: What it answers once it is rounded, to the last of these; None is returned where there are none.
    """
    if not rounded:
        return None
    before = [each.logprobs for each in replay[-len(rounded) :]]
    values = [
        _divergence([value for value in ours if value is not None], theirs)
        for answer, after in zip(before, rounded, strict=True)
        for ours, theirs in zip(answer, after.logprobs, strict=True)
    ]
    return sum(values) / len(values)


def _ran_on(answered: Answered, own: tuple[int, ...]) -> bool:
    """Whether the export said all that the playground said, and then went on."""
    words = answered.tokens[:-1]
    return answered.ended and own[: len(words)] == words and len(own) > len(words)


def _was_cut(answered: Answered, own: tuple[int, ...]) -> bool:
    """Whether the export ended in the middle of what the playground said."""
    words = answered.tokens[:-1] if answered.ended else answered.tokens
    return len(own) < len(words) and words[: len(own)] == own


def _differences(answered: Answered, replayed: Replayed) -> list[float]:
    return [
        abs(ours - theirs)
        for place, told in zip(answered.logprobs, replayed.logprobs, strict=True)
        for ours, theirs in zip(place, told, strict=True)
        if theirs is not None
    ]


def _divergences(answered: Answered, replayed: Replayed) -> list[float]:
    return [_divergence(a, b) for a, b in zip(answered.logprobs, replayed.logprobs, strict=True)]


def _divergence(ours: Sequence[float], theirs: Sequence[float | None]) -> float:
    """KL over the tokens that both tell of, and the rest as one; tokens that the tool is silent on are in the rest."""
    known = [(a, b) for a, b in zip(ours, theirs, strict=True) if b is not None]
    total = sum(math.exp(a) * (a - b) for a, b in known)
    rest = [max(_LEAST, 1.0 - math.fsum(math.exp(pair[side]) for pair in known)) for side in (0, 1)]
    return max(0.0, total + rest[0] * math.log(rest[0] / rest[1]))


_LEAST = 1e-9
"""A rest below this is the error of adding float32 numbers up."""
