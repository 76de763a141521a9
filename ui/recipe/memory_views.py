"""What a run needs of memory: its parts as one bar with a table, the verdict, and how it would go on other cards."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.hardware import GIB
from engine.training.memory.cards import CardFit
from engine.training.memory.estimate import Estimate
from engine.training.memory.gpu import Memory
from ui import icons, words
from ui.parts import NOTHING, badge, join

MODES = {
    "spacious": "fastest (spacious)",
    "balanced": "fast (balanced)",
    "saving": "slower (saving)",
    "streamed": "layer by layer (streamed)",
}
"""A memory mode, by what it means for the person who waits."""


def memory_panel(cost: Estimate) -> Markup:
    """Show the memory that a run needs here: how much of what there is, what for, and whether it fits.

    Args:
        cost: The estimate for this computer.
    """
    if cost.memory_gib is None or cost.parts is None:
        return NOTHING
    return Markup(
        '<section class="memory" aria-label="Memory"><div class="memory-words"><span>Memory {}</span><b>{}</b></div>'
        "{}{}{}</section>"
    ).format(
        badge(cost.verdict),
        f"{cost.memory_gib:.1f} of {words.gigabytes(cost.available_gib)}",
        _bar(cost),
        _parts_table(cost.parts),
        _advice(cost),
    )


def _advice(cost: Estimate) -> Markup:
    """What would make the run fit, or fit more easily, with the button that does it where one change is enough."""
    remedy = cost.remedy
    if remedy is None:
        return NOTHING
    button = change_button(remedy.changes, "Change it")
    return Markup('<div class="remedy">{}<span>{}{}</span></div>').format(
        icons.NOTE, remedy.sentence, button if remedy.changes else NOTHING
    )


def change_button(changes: Mapping[str, Any], words: str) -> Markup:
    """A button of an advice: it makes the changes, field -> new value, in the recipe on the page."""
    return Markup('<button type="button" class="button small" data-do="advise" data-changes="{}">{}</button>').format(
        json.dumps(dict(changes)), words
    )


def part_rows(parts: Memory) -> list[tuple[str, str, int]]:
    """Return what the memory is for as (plain words, the field's terms, bytes), in the order of the bar."""
    return [
        ("The model, which stays as it is", "weights", parts.weights),
        ("What learns", "adapter and optimizer", parts.adapter + parts.optimizer),
        ("The conversations at work", "activations", parts.activations),
        ("Choosing each next word", "logits", parts.logits),
        ("The program itself", "libraries, driver", parts.overhead),
        *(
            [("The playground, open beside it", "scales, adapters, what was read", parts.answers)]
            if parts.answers
            else []
        ),
    ]


def _bar(cost: Estimate) -> Markup:
    """Draw the parts beside one another, over all the memory there is; what is too much goes beyond a mark."""
    assert cost.parts is not None
    whole = max(cost.parts.total, round(GIB * cost.available_gib), 1)
    pieces = join(
        [
            Markup('<i class="part-{}" style="width:{:.2f}%"></i>').format(number, 100 * size / whole)
            for number, (_, _, size) in enumerate(part_rows(cost.parts), start=1)
        ]
    )
    limit = 100 * GIB * cost.available_gib / whole
    mark = Markup('<b class="limit" style="left:{:.2f}%"></b>').format(limit) if limit < 100 else NOTHING
    return Markup('<div class="stack" aria-hidden="true">{}{}</div>').format(pieces, mark)


def _parts_table(parts: Memory) -> Markup:
    rows = [
        Markup(
            '<tr><th scope="row"><i class="swatch part-{}" aria-hidden="true"></i>{} '
            '<span class="quiet">({})</span></th><td class="number">{}</td></tr>'
        ).format(number, name, term, amount(size))
        for number, (name, term, size) in enumerate(part_rows(parts), start=1)
    ]
    return Markup(
        '<table class="memory-parts"><caption class="unseen-text">What the memory is for</caption>'
        '<thead class="unseen-text"><tr><th scope="col">What for</th><th scope="col">Memory</th></tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(join(rows))


def amount(size: int) -> str:
    """Write an amount of memory, in bytes, so that a small part is not nothing."""
    gib = size / GIB
    return f"{gib * 1024:.0f} MB" if gib < 0.095 else words.gigabytes(gib)


def cards_table(fits: Sequence[CardFit]) -> Markup:
    """Show how the recipe would go on named graphics cards.

    Args:
        fits: One a card; empty for a model of unknown size.
    """
    if not fits:
        return Markup('<p class="hint">How much memory this model needs is not known before it is loaded.</p>')
    rows = [
        Markup(
            '<tr><th scope="row"><b>{}</b> <span class="quiet nowrap">{:g} GB</span></th><td>{}</td><td>{}</td>'
            '<td class="number">{}</td></tr>'
        ).format(
            fit.card.name,
            fit.card.box_gb,
            badge(fit.verdict),
            "–" if fit.verdict == "does not fit" else _pace(fit),
            f"{fit.gib:.1f} of {words.gigabytes(fit.card.usable_gib)}",
        )
        for fit in fits
    ]
    return Markup(
        '<p class="quiet">This recipe with this model, reckoned for cards that are not in this computer. Less is left '
        "than the box says: the screen and the driver take some. Layers that come one by one are reckoned at 20 GB a "
        "second, a PCIe 4 slot's.</p>"
        '<div class="scroll-x" tabindex="0" role="region" aria-label="This recipe on other graphics cards">'
        '<table class="table cards-table"><thead><tr><th scope="col">Graphics card</th><th scope="col">Verdict</th>'
        '<th scope="col">Pace (memory mode)</th><th scope="col">Needs</th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(join(rows))


def _pace(seen: CardFit) -> str:
    if seen.card.kind == "processor":
        return "the processor’s"
    return f"layer by layer, {seen.pace} as saving (streamed)" if seen.pace else MODES[seen.mode]
