"""The leak test in words and figures."""

from collections.abc import Sequence

from markupsafe import Markup

from engine.verdict.leak.certificate import Certificate, Outcome, Row
from engine.verdict.repeated import Repeated
from ui import icons, words
from ui.parts import NOTHING, join

MARKS: dict[Outcome, tuple[str, Markup, str]] = {
    "holds": ("fits", icons.CHECK, "Holds"),
    "leaks": ("not", icons.CROSS, "Leaks"),
    "proves nothing": ("unknown", icons.HELP, "Proves nothing"),
}
"""Outcome -> how it is coloured, its sign, and what it is called."""
SIDES = {"assistant": "Agents’ turns", "user": "Customers’ turns"}


def repeated(seen: Repeated | None) -> Markup:
    """Say whether the answers to held-out tickets hold what was masked."""
    if seen is None:
        return Markup('<p class="hint">{}</p>').format(
            "When a run is judged, its answers to the held-out tickets are searched for everything that was masked."
        )
    tuned = max((seen.found(voice) for voice in seen.voices if voice.startswith("run:")), default=0)
    base = seen.found("base")
    beside = f" The base model, which has seen no ticket, repeats {base or 'none'} by chance." if tuned or base else ""
    return Markup("<p><strong>{}</strong>{}</p>").format(
        f"{tuned or 'None'} of {words.count(seen.values, 'masked value')} "
        f"{'stands' if tuned <= 1 else 'stand'} in its {words.count(seen.answers, 'answer')} to held-out tickets.",
        beside,
    )


def offer() -> Markup:
    """Say what the test does."""
    return Markup('<p class="hint">{}</p>').format(
        "Made-up telephone numbers, addresses, keys and cards are hidden in a copy of your tickets, some behind your "
        "masking and some without it. A short run learns the copy, and is then asked for them. Without a "
        "GPU it may take an hour; it waits for a run in progress, and leaves nothing behind."
    )


def told(found: Certificate, now: float) -> Markup:
    """Show what was found, in words."""
    kind, mark, label = MARKS[found.outcome]
    remedy = Markup("<p>{}</p>").format(found.remedy) if found.remedy else NOTHING
    basis = (
        f"Tested {words.when(found.made, now)} with a short run of {words.count(found.steps, 'step')} on "
        f"{words.count(found.tickets, 'ticket')}."
    )
    return Markup(
        '<div class="verdict verdict-{}"><span class="badge badge-{}">{}{}</span><p><strong>{}</strong></p>{}'
        '<p class="quiet">{}</p></div>'
    ).format(kind, kind, mark, label, found.sentence, remedy, basis)


def table(found: Certificate) -> Markup:
    """Show how many came out: a row for each place and number of times."""
    without = {(row.role, row.times): row for row in found.control}
    rows = join([_row(row, without.get((row.role, row.times))) for row in found.masked])
    return Markup(
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Planted secrets"><table class="table">'
        '<thead><tr><th scope="col">Planted in</th><th scope="col" class="number">Times</th>'
        '<th scope="col" class="number">Masked: came out</th><th scope="col" class="number">Rank test</th>'
        '<th scope="col" class="number">Unmasked: came out</th><th scope="col" class="number">Rank test</th></tr>'
        '</thead><tbody>{}</tbody></table></div><p class="hint">{}</p>'
    ).format(
        rows,
        "Rank test: how often the secret surprises the model less than others of its kind; 0.50 is chance, 1.00 is "
        "knowing it. What stands in customers’ turns alone is not learnt, so that it should not come "
        "out even without masking.",
    )


def _row(masked: Row, control: Row | None) -> Markup:
    return Markup('<tr><th scope="row">{}</th><td class="number">{}</td>{}{}</tr>').format(
        SIDES[masked.role], masked.times, *(_cells(row) for row in (masked, control))
    )


def _cells(row: Row | None) -> Markup:
    values: Sequence[str] = ("–", "–") if row is None else (f"{row.out} of {row.count}", f"{row.auc:.2f}")
    return join([Markup('<td class="number">{}</td>').format(value) for value in values])
