"""Small pieces that several tabs are built from: banners, progress, empty states, badges, pagers."""

from collections.abc import Sequence

from markupsafe import Markup

from engine.errors import StudioError
from engine.task import TaskSnapshot
from engine.training.runs.status import RunState
from ui import icons, words

NOTHING = Markup("")

STATES: dict[RunState, str] = {
    "queued": "waiting",
    "preparing": "preparing",
    "running": "training",
    "paused": "paused",
    "stopping": "stopping",
    "finished": "finished",
    "cancelled": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}
"""The state of a run, in the words of the window."""


def banner(message: str, remedy: str = "", kind: str = "warn") -> Markup:
    """Show a calm sentence in place; ``kind`` is 'warn' or 'note'."""
    icon = icons.WARN if kind == "warn" else icons.NOTE
    return Markup(
        '<div class="banner banner-{}" role="{}">{}<div><strong>{}</strong> <span>{}</span></div></div>'
    ).format(kind, "alert" if kind == "warn" else "status", icon, message, remedy)


def failure(error: StudioError) -> Markup:
    """Show a known failure: what happened, and what to do."""
    return banner(error.message, error.remedy)


def progress(stage: str, fraction: float | None, note: str = "", cancel: str = "") -> Markup:
    """Show how far a long action is.

    Args:
        stage: What is being done.
        fraction: 0 to 1, or None while unknown.
        note: Such as the time that is left.
        cancel: The label of the button that cancels; none when empty.
    """
    bar = bar_of(fraction, stage)
    button = Markup('<button type="button" class="button" data-do="cancel">{}</button>').format(cancel)
    return Markup(
        '<div class="work"><div class="work-words"><span class="work-stage">{}</span><span class="quiet">{}</span>'
        "</div>"
        '<div class="work-row">{}{}</div></div>'
    ).format(stage or "Starting", note, bar, button if cancel else NOTHING)


def bar_of(fraction: float | None, label: str) -> Markup:
    """Draw a progress bar; one of unknown length moves."""
    if fraction is None:
        return Markup('<div class="bar bar-unknown" role="progressbar" aria-label="{}"><i></i></div>').format(label)
    share = min(max(fraction, 0.0), 1.0) * 100
    return Markup(
        '<div class="bar" role="progressbar" aria-label="{}" aria-valuemin="0" aria-valuemax="100" '
        'aria-valuenow="{:.0f}">'
        '<i style="width:{:.1f}%"></i></div>'
    ).format(label, share, share)


def task_progress(seen: TaskSnapshot[object] | None, cancel: str = "Cancel") -> Markup:
    """Show a running task; nothing when none runs."""
    if seen is None or seen.state != "running":
        return NOTHING
    return progress(seen.stage or seen.title, seen.fraction, _time_left(seen.seconds, seen.fraction), cancel)


def _time_left(seconds: float, fraction: float | None) -> str:
    """Guess in words what is left of a task, ``fraction`` of which took ``seconds``; empty while that says little."""
    if fraction is None or fraction <= 0.05 or seconds <= 2:
        return ""
    return words.left(seconds / fraction * (1 - fraction))


def command(text: str) -> Markup:
    """Show what is to be typed in a terminal; a press copies it."""
    return Markup(
        '<pre class="command" data-copy tabindex="0" role="button" aria-label="Copy the command">{}</pre>'
    ).format(text)


def empty(title: str, sentence: str) -> Markup:
    """Say what a place is for while there is nothing in it; the button to begin stands below."""
    return Markup('<div class="empty"><h2>{}</h2><p>{}</p></div>').format(title, sentence)


def pill(state: RunState) -> Markup:
    """Show the state of a run as a mark and a word."""
    return Markup('<span class="pill pill-{}"><i></i>{}</span>').format(state, STATES[state])


def badge(verdict: str) -> Markup:
    """Show whether a model fits this machine, as a mark and words."""
    kind = {"fits": "fits", "tight": "tight", "does not fit": "not"}.get(verdict, "unknown")
    mark = {"fits": icons.CHECK, "tight": icons.WARN, "not": icons.CROSS}.get(kind, icons.HELP)
    return Markup('<span class="badge badge-{}">{}{}</span>').format(kind, mark, verdict)


def pager(start: int, shown: int, total: int, page: int, noun: str) -> Markup:
    """Show which entries are seen, with buttons to the pages before and after.

    Args:
        start: Number of the first entry shown, from 0.
        shown: How many are shown.
        total: How many there are.
        page: Entries a page.
        noun: What they are, in the plural.
    """
    if not total:
        return NOTHING
    button = Markup(
        '<button type="button" class="button small" data-do="turn" data-start="{}" data-key="page-{}"{}>{}</button>'
    )
    off = Markup(" disabled")
    before = button.format(max(0, start - page), "before", off if start <= 0 else "", "Previous")
    after = button.format(start + page, "after", off if start + shown >= total else "", "Next")
    return Markup(
        '<div class="pager"><span>{:,}–{:,} of {:,} {}</span><span class="pager-buttons">{}{}</span></div>'
    ).format(start + 1, start + shown, total, noun, before, after)


def join(parts: Sequence[Markup], between: str = "") -> Markup:
    """Put pieces of HTML one after the other."""
    return Markup(between).join(parts)
