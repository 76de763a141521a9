"""The quality report of a data set, for people: a verdict in words, small plots, answers that contradict each other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from engine.tickets.languages import language_name
from engine.tickets.preparing.report import Report
from ui import bars, icons, words
from ui.parts import NOTHING, join
from ui.tickets.views import learning
from ui.tickets.views.listing import ticket_name

TOPICS = 10
"""Topics shown; the rest is summed up."""

if TYPE_CHECKING:
    from engine.training.data.token_counts import TokenCounts

LEVELS = {"good": ("fits", icons.CHECK), "fair": ("tight", icons.WARN), "poor": ("not", icons.CROSS)}
"""Level of a finding -> its badge's class and mark."""


def sheet(report: Report) -> Markup:
    """Draw what the verdict is founded on, so far as the words tell it; :func:`verdict_line` says the verdict itself.

    A hint where the data set was prepared by an older version.
    """
    quality = report.quality
    if not quality:
        return Markup('<p class="hint">Prepare the tickets again to see how good they are.</p>')
    total = sum(report.languages.values())
    plots = [
        _topics(quality, total),
        _lengths(quality, report),
        _languages(report),
        _copies(quality),
    ]
    since = "Counted when the tickets were last prepared; what you left out since then is in it still."
    note = Markup('<p class="quiet">{}</p>').format(since) if total != report.conversations_kept else NOTHING
    return Markup('<div class="quality">{}{}<div class="quality-plots">{}</div>{}</div>').format(
        _findings(quality), note, join([plot for plot in plots if plot]), _contradictions(quality)
    )


def verdict_line(report: Report, counts: "TokenCounts | None" = None) -> Markup:
    """Say the verdict in one line, with the way to the report.

    Args:
        report: What the import found.
        counts: What the recipe's model would learn of it; None while that is not counted.
    """
    quality = report.quality
    if not quality:
        return NOTHING
    level, said, where = quality["verdict"], quality["headline"], "quality"
    if counts is None and level == "good":
        said += " How much of them the model takes in is not counted yet."
    lost = learning.losses(counts) if counts is not None and level != "poor" else []
    if lost:
        things = len(lost) + sum(finding["level"] == "fair" for finding in quality["findings"])
        level, where = "fair", "lengths-panel"
        said = f"Usable, with {'one thing' if things == 1 else f'{things} things'} to know: {lost[0]}"
    kind, mark = LEVELS.get(level, LEVELS["fair"])
    return Markup(
        '<p class="verdict-line"><span class="badge badge-{}">{}</span> {} '
        '<button type="button" class="link" data-scroll-to="{}">See why</button></p>'
    ).format(kind, mark, said, where)


def _findings(quality: Mapping[str, Any]) -> Markup:
    findings = [
        Markup('<li><span class="badge badge-{}">{}</span><span>{}</span></li>').format(
            *LEVELS.get(finding["level"], LEVELS["fair"]), finding["text"]
        )
        for finding in quality["findings"]
    ]
    return Markup('<ul class="findings">{}</ul>').format(join(findings))


def _plot(title: str, drawing: Markup, note: str = "") -> Markup:
    said = Markup('<p class="quiet">{}</p>').format(note) if note else NOTHING
    return Markup('<section class="quality-plot"><h3>{}</h3>{}{}</section>').format(title, drawing, said)


def _topics(quality: Mapping[str, Any], total: int) -> Markup:
    rows = [(str(name), int(count)) for name, count in quality["topics"]]
    if not rows:
        return NOTHING
    tagged = quality["topics_from"] == "tags"
    more = len(rows) - TOPICS
    note = "" if tagged else "There are no tags; these are words of the subjects."
    rest = f"{more} more {'tags' if tagged else 'words'}. {note}" if more > 0 else note
    title = "Tickets per tag" if tagged else "Tickets per word of the subject"
    return _plot(title, bars.bar_table(("Topic", "Tickets"), rows[:TOPICS], total), rest.strip())


def _lengths(quality: Mapping[str, Any], report: Report) -> Markup:
    bins = [
        (_short(edge), int(count)) for edge, count in zip(quality["edges"], quality["answer_histogram"], strict=False)
    ]
    while len(bins) > 1 and not bins[-1][1]:
        bins.pop()
    middle = f"Half of the answers have {report.median_answer_chars:,} characters or more."
    drawing = bars.columns(f"Length of the answers. {middle}", bins, "characters", "answers")
    return _plot("Answers, in characters", drawing, middle) if drawing else NOTHING


def _short(edge: int) -> str:
    return str(edge) if edge < 1000 else f"{edge / 1000:g}k"


def _languages(report: Report) -> Markup:
    rows = [(language_name(code), count) for code, count in report.languages.items()]
    return _plot("Languages", bars.bar_table(("Language", "Tickets"), rows[:8], sum(report.languages.values())))


def _copies(quality: Mapping[str, Any]) -> Markup:
    share = float(quality["near_identical_share"])
    label = "of the answers are near-identical to another one"
    often = [
        Markup("<li><b>{}×</b> <span>{}{}</span></li>").format(entry["times"], entry["answer"], _kept_of(entry))
        for entry in quality["canned"][:5]
    ]
    listed = Markup('<ul class="canned">{}</ul>').format(join(often)) if often else NOTHING
    return _plot("Copies", join([bars.share_bar(share, label), listed]))


def _kept_of(entry: Mapping[str, Any]) -> str:
    """Say how many of a canned answer's tickets are learnt from, where that is not all."""
    kept = int(entry.get("kept", entry["times"]))
    return f" ({kept:,} kept)" if kept < entry["times"] else ""


def _contradictions(quality: Mapping[str, Any]) -> Markup:
    contradictions = quality["contradictions"]
    if not contradictions:
        return NOTHING
    drawn = [_contradiction(entry) for entry in contradictions]
    return Markup(
        '<section class="contradictions"><h3>{}</h3><p class="quiet">A model learns both at once. Leave one out, or '
        "rewrite it.</p>{}</section>"
    ).format(
        f"{words.count(len(contradictions), 'question')} asked word for word again and answered differently",
        join(drawn),
    )


def _contradiction(entry: Mapping[str, Any]) -> Markup:
    answers = [
        Markup(
            '<div class="said said-assistant"><h4>{name} <button type="button" class="link" data-do="pick" '
            'data-ticket="{ticket}" data-scroll-to="reader" aria-label="Open {name}">Open</button></h4>'
            "<p>{answer}</p></div>"
        ).format(name=ticket_name(ticket), ticket=ticket, answer=answer)
        for ticket, answer in zip(entry["tickets"], entry["answers"], strict=False)
    ]
    return Markup(
        '<details class="contradiction"><summary>{}</summary><div class="side-by-side">{}</div></details>'
    ).format(entry["question"], join(answers))
