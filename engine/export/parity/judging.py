"""Pass or fail: figures against the limits of a format, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.export.parity.compare import Figures, compare, rounding_kl
from engine.export.parity.reference import Reference
from engine.export.parity.replay import Replay
from engine.export.parity.tolerances import Tolerance

Verdict = Literal["passed", "failed", "another model", "not replayed"]
"""'another model' is one that was asked for: merged onto weights that the adapter was not trained over."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the comparison of an export with the playground comes to."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Sentences: why it failed; or what it is where it did not."""
    figures: Figures | None = None
    rounding: float | None = None
    """KL that rounding the export to 8 bit would cost, in nats a token, where that was tried."""


def judge(reference: Reference, replay: Replay, tolerance: Tolerance, *, other_base: bool = False) -> Judgement:
    """Compare what an export answers with what the playground answers.

    Args:
        reference: The playground's answers.
        replay: The export's.
        tolerance: The limits of its format.
        other_base: Whether it was asked for over other weights than it was trained over, so that nothing is promised.
    """
    figures, rounding = compare(reference, replay.answers), rounding_kl(replay.answers, replay.rounded)
    written = _written(figures, reference, replay.stop_ids)
    said = _said(figures, tolerance, rounding)
    if other_base:
        return Judgement("failed" if written else "another model", (*written, _in_short(figures)), figures, rounding)
    if failed := (*written, *said):
        return Judgement("failed", failed, figures, rounding)
    return Judgement("passed", (_in_short(figures),), figures, rounding)


def _written(figures: Figures, reference: Reference, stop_ids: Sequence[int]) -> list[str]:
    """What is wrong with how conversations are written down and ended."""
    found = []
    if differing := figures.answers - figures.prompts_alike:
        found.append(
            f"It writes {differing} of {figures.answers} conversations down in another way: its chat template or its "
            "tokenizer is not the one that was trained with."
        )
    if missing := set(reference.stop_ids) - set(stop_ids):
        found.append(f"It does not end an answer at {_tokens(missing)}, as the playground does.")
    if figures.ran_on:
        found.append(f"{figures.ran_on} of {figures.free} answers went on where the playground's had ended.")
    if figures.cut_short:
        found.append(f"{figures.cut_short} of {figures.free} answers ended where the playground's went on.")
    return found


def _said(figures: Figures, tolerance: Tolerance, rounding: float | None) -> list[str]:
    """What is wrong with what it says."""
    found = []
    most = tolerance.most(rounding)
    if not figures.kl <= most:  # NaN fails too
        found.append(
            f"What it thinks of the next token is {figures.kl:.2g} nats from what the playground thinks (KL divergence "
            f"a token); at most {most:.2g} is allowed. {tolerance.reason}"
        )
    if figures.clear_agreement < tolerance.clear_agreement:
        found.append(
            f"Where the playground's choice is clear, it takes the same token at {figures.clear_agreement:.1%} of "
            f"{figures.clear:,} places; at least {tolerance.clear_agreement:.1%} is asked for."
        )
    return found


def _in_short(figures: Figures) -> str:
    where = f", the first other one at token {figures.first_divergence}" if figures.first_divergence else ""
    return (
        f"It takes the playground's token at {figures.agreement:.1%} of {figures.places:,} places{where}; the KL "
        f"divergence is {figures.kl:.2g} nats a token."
    )


def _tokens(missing: set[int]) -> str:
    return ", ".join(f"token {token}" for token in sorted(missing))
