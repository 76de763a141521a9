"""The tickets behind a verdict: where the tuned model does best, where worst, and what was said there."""

from collections.abc import Mapping, Sequence
from statistics import median

from markupsafe import Markup

from engine.verdict.facts.fact import Fact
from engine.verdict.paper import PaperTicket
from engine.verdict.records import DECIDES, MEASURES, JudgedTicket, Verdict
from engine.verdict.transcript import SaidAnswer
from ui import words
from ui.parts import NOTHING, banner, join
from ui.playground.inventions import counted, marked
from ui.verdict.views import difference, figure, short_label, voices_in_order

SHOWN = 3
"""Tickets a group."""
BEST, TYPICAL, WORST = "Where it does best", "Typical", "Where it does worst"
Answers = Mapping[str, tuple[PaperTicket, Mapping[str, SaidAnswer]]]
"""Ticket -> what was asked, and voice -> its answer."""

ENDS = {"end": "", "stop word": "", "length": "cut off at the longest answer allowed", "cancelled": "cancelled"}


def groups(verdict: Verdict) -> dict[str, list[JudgedTicket]]:
    """Return a few tickets of each kind: where the tuned model gains most, as usual, and least; no ticket twice.

    As many best as worst: of four tickets three are not called the best.
    """
    ordered = sorted(verdict.tickets, key=lambda ticket: gain(verdict, ticket), reverse=True)
    each = max(1, min(SHOWN, len(ordered) // 3))
    best, rest = ordered[:each], ordered[each:]
    worst = rest[-each:]
    between = rest[: len(rest) - len(worst)]
    usual = median(gain(verdict, ticket) for ticket in verdict.tickets)
    typical = sorted(between, key=lambda ticket: abs(gain(verdict, ticket) - usual))[:SHOWN]
    named = {BEST: best, TYPICAL: typical, WORST: worst[::-1]}
    return {name: tickets for name, tickets in named.items() if tickets}


def gain(verdict: Verdict, ticket: JudgedTicket) -> float:
    """Return how much better the tuned voice is on a ticket than its best alternative, in points of chrF."""
    scores = ticket.scores
    return scores[verdict.headline.tuned][DECIDES] - scores[verdict.headline.alternative][DECIDES]


def listed(verdict: Verdict, answers: Answers, voice: str, measure: str, chosen: str) -> Markup:
    """List tickets: those behind a figure, the worst first, or a few of each kind where none is opened.

    Args:
        verdict: The verdict.
        answers: What was asked and said.
        voice: Whose figure was opened; empty for none.
        measure: Which.
        chosen: The ticket that is shown beside.
    """
    if voice and measure:
        having = [ticket for ticket in verdict.tickets if measure in ticket.scores[voice]]
        ordered = sorted(having, key=lambda ticket: -_badness(ticket.scores[voice][measure], measure))
        rows = [_row(ticket, answers, figure(ticket.scores[voice][measure], measure), chosen) for ticket in ordered]
        head = f"{MEASURES[measure].label}: {verdict.voice(voice).label}"
        back = Markup(
            '<button type="button" class="link" data-do="close" data-key="close-figure">Best, typical and worst'
            "</button>"
        )
        return _section(f"{head} ({words.count(len(rows), 'ticket')})", rows, back)
    return join(
        [
            _section(
                name, [_row(ticket, answers, difference(gain(verdict, ticket), DECIDES), chosen) for ticket in tickets]
            )
            for name, tickets in groups(verdict).items()
        ]
    )


def _badness(value: float, measure: str) -> float:
    """How bad a value of a measure is: the more the worse."""
    better = MEASURES[measure].better
    return -value if better == "more" else value if better == "less" else abs(value - 1)


def _section(title: str, rows: Sequence[Markup], more: Markup = NOTHING) -> Markup:
    return Markup(
        '<div class="verdict-group"><div class="verdict-group-head"><h3>{}</h3>{}</div><ul class="list">{}</ul></div>'
    ).format(title, more, join(rows))


def _row(ticket: JudgedTicket, answers: Answers, value: str, chosen: str) -> Markup:
    asked = answers[ticket.ticket][0].said[-1] if ticket.ticket in answers else ""
    selected = ticket.ticket == chosen
    return Markup(
        '<li><button type="button" class="list-row{}" data-do="pick" data-id="{}" data-key="judged-{}" '
        'aria-current="{}"><span class="list-main"><b>#{}</b>{}</span><span class="list-side">{}</span></button></li>'
    ).format(
        " selected" if selected else "",
        ticket.ticket,
        ticket.ticket,
        "true" if selected else "false",
        ticket.ticket,
        " ".join(asked.split())[:120],
        value,
    )


def first(verdict: Verdict) -> str:
    """Return the ticket that is shown while none was picked: the most typical one."""
    shown = groups(verdict)
    return (shown.get(TYPICAL) or shown[BEST])[0].ticket


def side_by_side(
    verdict: Verdict, answers: Answers, chosen: str, invented: Mapping[str, tuple[Fact, ...]] | None = None
) -> Markup:
    """Show a ticket with the agent's answer and those of all voices, the tuned one and its best alternative first.

    Args:
        verdict: The verdict.
        answers: What was asked and said.
        chosen: The ticket.
        invented: Voice -> what its answer has from nowhere, which is marked; None where that is not known.
    """
    if chosen not in answers:
        return banner(
            "The answers to this ticket are not here any more.", "Judge the run again to read them.", kind="note"
        )
    ticket, said = answers[chosen]
    scores = next(judged.scores for judged in verdict.tickets if judged.ticket == chosen)
    first_two = [verdict.headline.tuned, verdict.headline.alternative]
    order = [*first_two, *(voice for voice in voices_in_order(verdict) if voice not in first_two)]
    panes = [_pane("The agent", Markup("{}").format(ticket.answer), "", "agent")]
    for voice in order:
        if voice in said:
            points = f"{figure(scores[voice][DECIDES], DECIDES)} of 100 like the agent’s"
            ended = ENDS.get(said[voice].stopped_by or "", "")
            kind = "tuned" if verdict.voice(voice).role == "tuned" else ""
            facts = invented.get(voice, ()) if invented is not None else None
            note = " · ".join(part for part in (points, counted(facts), ended) if part)
            panes.append(_pane(short_label(verdict, voice), marked(said[voice].text, facts or ()), note, kind))
    asked = join([Markup("<p>{}</p>").format(text) for text in ticket.said[-3:]])
    return Markup(
        '<div class="verdict-ticket"><h3>Ticket {}</h3><div class="verdict-asked">{}</div>'
        '<div class="verdict-panes">{}</div></div>'
    ).format(chosen, asked, join(panes))


def _pane(title: str, text: Markup, note: str, kind: str) -> Markup:
    shown = Markup('<p class="said">{}</p>').format(text) if text.strip() else Markup('<p class="quiet">(nothing)</p>')
    return Markup('<section class="verdict-pane {}"><h4>{}</h4>{}<p class="quiet">{}</p></section>').format(
        kind, title, shown, note
    )
