"""What the tab Training shows of the held-out tickets that are answered on the way: a strip to move through."""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from engine.studio import RunInfo
from engine.training.runs.status import ACTIVE
from engine.verdict.paper import PaperTicket
from engine.verdict.replies import RepliesAt, Reply, Strip
from ui import words
from ui.parts import NOTHING, join
from ui.playground.differences import changed
from ui.playground.inventions import marked

CHECKS = 24
"""Checks that the strip has at most, evenly spread: the page holds all of them, so that moving through asks nobody."""
TICKETS = 3
"""Tickets that are shown, of those that were answered."""
ENDS = {"length": "cut off at the longest answer allowed"}


def replies(run: RunInfo, found: Strip | None) -> Markup:
    """Show the replies of a run; a line while the first are to come, nothing where none will."""
    if found is not None:
        return _strip(found, sum(seen.seconds for seen in run.history.replies))
    waits = run.status.state in ACTIVE and run.recipe is not None and run.recipe.replies != "off"
    heldout = run.history.started is not None and run.history.started.heldout_examples > 0
    if not waits or not heldout:
        return NOTHING
    return Markup('<p class="quiet replies-wait">{}</p>').format(
        "At the first check after the first step a few held-out tickets are answered, and shown here."
    )


@lru_cache(maxsize=8)
def _strip(found: Strip, seconds: float) -> Markup:
    """Draw the strip; the page shows one check of it at a time."""
    checks = spread(found.checks)
    last = len(checks) - 1
    marks = [_mark(number, check, of=last) for number, check in enumerate(checks)]
    tickets = [_ticket(found.tickets[number], checks, number) for number in range(min(TICKETS, len(found.tickets)))]
    return Markup(
        '<section class="sheet replies" data-replies><h2 class="sheet-title">Answers on the way '
        '<span class="quiet">the same held-out tickets, answered at each check</span></h2>'
        '<div class="replies-move"><input type="range" min="0" max="{0}" value="{0}" step="1" data-key="replies" '
        'aria-label="Check"{1}><output>{2}</output></div><ol class="replies-checks">{3}</ol>{4}<p class="hint">{5}</p>'
        "</section>"
    ).format(
        last,
        Markup(" disabled") if last < 1 else NOTHING,
        _named(checks[last]),
        join(marks),
        join(tickets),
        _legend(found, seconds),
    )


def spread(checks: Sequence[RepliesAt]) -> list[RepliesAt]:
    """Return at most :data:`CHECKS` of them, evenly spread, the first and the last among them."""
    if len(checks) <= CHECKS:
        return list(checks)
    return [checks[round(number * (len(checks) - 1) / (CHECKS - 1))] for number in range(CHECKS)]


def _named(check: RepliesAt) -> str:
    step = f"step {check.step:,}" if check.step else "before training"
    return f"{step}: {_counted(check.invented)}"


def _counted(invented: int) -> str:
    return f"{words.count(invented, 'fact')} from nowhere" if invented else "no fact from nowhere"


def _mark(number: int, check: RepliesAt, of: int) -> Markup:
    """A check as a button: its step, and how many facts its answers have from nowhere."""
    chosen = number == of
    return Markup(
        '<li><button type="button" data-at="{}" data-words="{}" data-key="reply-{}" aria-pressed="{}" aria-label="{}">'
        '<b>{:,}</b><span class="{}">{}</span></button></li>'
    ).format(
        number,
        _named(check),
        check.step,
        "true" if chosen else "false",
        _named(check),
        check.step,
        "some" if check.invented else "none",
        check.invented,
    )


def _ticket(ticket: PaperTicket, checks: Sequence[RepliesAt], number: int) -> Markup:
    """A ticket: what was asked, and the answers of base, run and agent beside each other."""
    panes = []
    if checks[0].step == 0:
        panes.append(_pane("Before training", "", _said(checks[0].said[number], ""), NOTHING))
    now = []
    for place, check in enumerate(checks):
        before = checks[place - 1].said[number].text if place else ""
        hidden = NOTHING if place == len(checks) - 1 else Markup(" hidden")
        now.append(Markup('<div data-at="{}"{}>{}</div>').format(place, hidden, _said(check.said[number], before)))
    panes.append(_pane("The model at this check", "tuned", join(now), NOTHING))
    panes.append(_pane("The agent", "agent", Markup('<p class="said">{}</p>').format(ticket.answer), NOTHING))
    return Markup(
        '<article class="replies-ticket"><p class="replies-asked"><b>#{}</b> {}</p><div class="verdict-panes">{}</div>'
        "</article>"
    ).format(ticket.ticket, " ".join(ticket.said[-1].split()), join(panes))


def _pane(title: str, kind: str, body: Markup, note: Markup) -> Markup:
    return Markup('<section class="verdict-pane {}"><h4>{}</h4>{}{}</section>').format(kind, title, body, note)


def _said(reply: Reply, before: str) -> Markup:
    """An answer, with what is new since the check before and what it has from nowhere marked."""
    if not reply.text.strip():
        return Markup('<p class="quiet">(nothing)</p>')
    new = tuple(changed(reply.text, before))
    ended = ENDS.get(reply.stopped_by or "", "")
    note = Markup('<p class="quiet">{}</p>').format(ended) if ended else NOTHING
    return Markup('<p class="said">{}</p>{}').format(marked(reply.text, reply.invented, new), note)


def _legend(found: Strip, seconds: float) -> Markup:
    counted = len(found.tickets)
    of = f", counted over {counted} tickets, of which {TICKETS} are shown" if counted > TICKETS else ""
    return Markup(
        'Marked: <mark class="new">new since the check before</mark>, <mark class="invented">from nowhere</mark> (not '
        "in the ticket, nor in a near one, nor in the training answers{}). The numbers under the steps are facts from "
        "nowhere. Answering took {} of the run, and changes nothing of what is learnt."
    ).format(of, words.duration(seconds) if seconds >= 1 else "less than a second")
