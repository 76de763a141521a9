"""Small plots that need no script: bars beside the rows of a table, and columns over bins with a table for readers.

Pure HTML and SVG in the colours of the style sheet, so that they are right in light and dark, and can be read aloud.
"""

from collections.abc import Sequence

from markupsafe import Markup

from ui import words
from ui.parts import NOTHING, join

WIDTH, HEIGHT, FLOOR, TOP = 320, 120, 100, 14
"""The drawing of columns, in its own units: width, height, where the columns stand, and how high they reach."""


def bar_table(heads: tuple[str, str], rows: Sequence[tuple[str, int]], total: int) -> Markup:
    """Draw counts as bars in a table.

    Args:
        heads: What the names and the counts are.
        rows: (name, count), the largest first.
        total: What the shares refer to.
    """
    if not rows:
        return NOTHING
    most = max(max(count for _, count in rows), 1)
    body = [
        Markup(
            '<tr><th scope="row">{}</th><td class="bar-cell"><i style="width:{:.1f}%" aria-hidden="true"></i></td>'
            '<td class="number">{:,}</td><td class="number quiet">{}</td></tr>'
        ).format(name, 100 * count / most, count, words.percent(count / max(total, 1)))
        for name, count in rows
    ]
    return Markup(
        '<table class="bars"><thead class="unseen-text"><tr><th>{}</th><th>bar</th><th>{}</th><th>share</th></tr>'
        "</thead><tbody>{}</tbody></table>"
    ).format(*heads, join(body))


def columns(label: str, bins: Sequence[tuple[str, int]], unit: str, counted: str) -> Markup:
    """Draw a histogram over named bins.

    Args:
        label: What the plot says, in a sentence; read aloud instead of the drawing.
        bins: (lower edge as written, count) from left to right.
        unit: What the bins measure.
        counted: What is counted, in the plural.
    """
    if not any(count for _, count in bins):
        return NOTHING
    most, step = max(count for _, count in bins), WIDTH / len(bins)
    drawn = []
    for number, (edge, count) in enumerate(bins):
        height = (FLOOR - TOP) * count / most
        high = bins[number + 1][0] if number + 1 < len(bins) else "more"
        drawn.append(
            Markup(
                '<rect class="column" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"><title>'
                "{} to {} {}: {:,} {}</title></rect>"
            ).format(number * step + 1, FLOOR - height, step - 2, height, edge, high, unit, count, counted)
        )
        drawn.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(number * step, FLOOR + 15, edge)
            if number
            else Markup('<text x="0" y="{}">{}</text>').format(FLOOR + 15, edge)
        )
    rows = join(
        [Markup("<tr><td>{}</td><td>{}</td></tr>").format(f"from {edge} {unit}", count) for edge, count in bins]
    )
    return Markup(
        '<figure class="columns"><svg viewBox="0 0 {} {}" role="img" aria-label="{}"><line class="floor" x1="0" '
        'x2="{}" y1="{}" y2="{}"></line>{}</svg><div class="unseen-text"><table><caption>{}</caption>{}'
        "</table></div></figure>"
    ).format(WIDTH, HEIGHT, label, WIDTH, FLOOR, FLOOR, join(drawn), label, rows)


def share_bar(share: float, label: str) -> Markup:
    """Draw one share of 0 to 1 as a bar with its percentage."""
    return Markup(
        '<div class="share" role="img" aria-label="{}: {}"><b>{}</b><span class="bar-cell">'
        '<i style="width:{:.1f}%"></i></span><span>{}</span></div>'
    ).format(label, words.percent(share), words.percent(share), min(share, 1) * 100, label)
