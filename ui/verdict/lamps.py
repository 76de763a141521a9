"""Three quiet lamps under the verdict: inventions, forgetting and private data, each a sign and a figure."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from engine.training.forgetting.alarm import alarm, rises
from engine.training.runs.events import GeneralChecked
from engine.typed_numbers import signed
from engine.verdict.leak.certificate import Certificate
from engine.verdict.records import NOTICEABLE, Verdict
from engine.verdict.repeated import Repeated
from ui import icons, words
from ui.parts import join

CALM, SOME = ("fits", icons.CHECK), ("tight", icons.NOTE)
RINGS, DARK = ("not", icons.WARN), ("unknown", icons.HELP)
"""How a lamp is coloured, and its sign: all is well, to be borne in mind, look here, not known."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """One of them."""

    light: tuple[str, Markup]
    name: str
    told: str
    """What was measured, with its figure."""


def lamps(
    verdict: Verdict,
    general: Sequence[GeneralChecked],
    step: int | None,
    repeated: Repeated | None,
    certificate: Certificate | None,
) -> Markup:
    """Show the lamps.

    Args:
        verdict: The verdict.
        general: What the model knew before, check by check.
        step: The step whose weights are kept; None for the newest.
        repeated: What the answers hold of masked values.
        certificate: The newest leak test.
    """
    shown = (inventions(verdict), forgetting(general, step), private_data(repeated, certificate))
    rows = [
        Markup('<li><span class="badge badge-{}">{}{}</span> <span>{}</span></li>').format(
            *lamp.light, lamp.name, lamp.told
        )
        for lamp in shown
    ]
    return Markup('<ul class="lamps" aria-label="Alarms">{}</ul>').format(join(rows))


def inventions(verdict: Verdict) -> Lamp:
    """Rings where the tuned model clearly invents more than the base."""
    name, tuned = "Inventions", verdict.figures[verdict.headline.tuned].get("inventions")
    if tuned is None:
        return Lamp(DARK, name, "were not counted.")
    base, apart = (of.get("base", {}).get("inventions") for of in (verdict.figures, verdict.differences))
    beside = f", {base.mean:.1f} by the base model" if base else ""
    rings = apart is not None and apart.is_clear and apart.mean > 0
    light = RINGS if rings else SOME if tuned.mean >= NOTICEABLE else CALM
    return Lamp(light, name, f"{tuned.mean:.1f} facts an answer stand nowhere{beside}.")


def forgetting(general: Sequence[GeneralChecked], step: int | None) -> Lamp:
    """Rings where the forgetting alarm does."""
    name, trained = "Forgetting", [check for check in general if check.step > 0 and (not step or check.step <= step)]
    if not trained or general[0].step:
        return Lamp(DARK, name, "was not measured.")
    worst = rises(general[0], trained[-1])[0]
    told = f"{signed(worst.nats, 2)} nats a token on {worst.on}; {worst.allowed:g} are allowed."
    return Lamp(RINGS if alarm(general, step) else CALM, name, told)


def private_data(repeated: Repeated | None, certificate: Certificate | None) -> Lamp:
    """Rings where answers repeat what was masked, or the leak test says that they can."""
    name = "Private data"
    tuned, base, told = 0, 0, "the answers were not searched for it"
    if repeated is not None:
        tuned, base = max(map(repeated.found, filter(_is_tuned, repeated.voices)), default=0), repeated.found("base")
        by_chance = f", {base} by chance in the base model’s" if base else ""
        told = f"{tuned or 'none'} of {words.count(repeated.values, 'masked value')} in its answers{by_chance}"
    tested = {"holds": "the leak test holds", "leaks": "the leak test says that it can come out"}
    outcome = certificate.outcome if certificate else None
    told += f"; {tested.get(outcome or '', 'not proved by a leak test')}."
    if tuned > base or outcome == "leaks":
        return Lamp(RINGS, name, told)
    return Lamp(CALM if outcome == "holds" or repeated else DARK, name, told)


def _is_tuned(voice: str) -> bool:
    return voice.startswith("run:")
