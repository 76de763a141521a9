"""The table of all runs, under the chart: overlay, name, state, loss, time; resume, rename and delete."""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from engine.studio import RunInfo
from engine.training.runs.history import History
from engine.training.runs.status import ACTIVE
from ui import icons, words
from ui.parts import NOTHING, join, pill
from ui.shell.views import menu_button, short_model
from ui.training.views import has_curve, last_step, seconds_taken

ACTIONS = Markup('<span class="unseen-text">What can be done</span>')

MOST = 50
"""Rows that the table has: it is sent anew with every step of a run in progress."""


def runs_table(runs: Sequence[RunInfo], shown: str, overlays: Sequence[str], now: float) -> Markup:
    """The newest runs, those in progress, and those on the chart; each with what can be done to it."""
    if not runs:
        return NOTHING
    listed = [
        run
        for place, run in enumerate(runs)
        if place < MOST or run.id == shown or run.id in overlays or run.status.state in ACTIVE
    ]
    heads = ("Overlay", "Run", "State", "Learnt from", "Model", "Steps", "Held-out loss", "Time", "Started", ACTIONS)
    head = join([Markup("<th>{}</th>").format(text) for text in heads])
    rows = [_run_row(run, run.id == shown, tuple(overlays), words.when(run.status.created_at, now)) for run in listed]
    return Markup(
        '<h2 class="section">Runs</h2><div class="scroll-x"><table class="table runs"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>{}"
    ).format(head, join(rows), _older(len(runs) - len(listed)))


def _older(count: int) -> Markup:
    """Where the runs are that the table leaves out."""
    if not count:
        return NOTHING
    told = "One older run is" if count == 1 else f"{count:,} older runs are"
    return Markup('<p class="hint">{} in the list at the left; the one that you pick there is shown here.</p>').format(
        told
    )


@lru_cache(maxsize=256)
def _run_row(run: RunInfo, shown: bool, overlays: tuple[str, ...], started: str) -> Markup:
    history, status = run.history, run.status
    return Markup(
        '<tr class="{selected}"><td>{overlay}</td><td><button type="button" class="link" data-do="pick" data-id="{id}" '
        'data-key="run-{id}">{name}</button></td><td>{state}</td><td>{dataset}</td><td>{model}</td>'
        '<td class="number">{steps}</td><td class="number">{losses}</td><td class="number">{time}</td>'
        '<td>{started}</td><td class="actions">{actions}</td></tr>'
    ).format(
        selected="selected" if shown else "",
        overlay=_overlay(run, shown, overlays),
        id=run.id,
        name=status.name,
        state=pill(status.state),
        dataset=status.dataset_name,
        model=short_model(run.recipe.model) if run.recipe else "–",
        steps=_steps(history),
        losses=_losses(history),
        time=words.duration(taken) if (taken := seconds_taken(history)) else "–",
        started=f"{started}, by {status.started_by}" if status.started_by else started,
        actions=_actions(run),
    )


def _steps(history: History) -> str:
    done = last_step(history)
    return f"{done:,} / {history.started.steps:,}" if history.started else "–"


def _losses(history: History) -> Markup:
    before, best = history.before, history.best
    if not best:
        return Markup("–")
    start = Markup('<span class="quiet">{} → </span>').format(words.loss(before.loss)) if before else NOTHING
    return Markup("{}<b>{}</b>").format(start, words.loss(best.loss))


def _overlay(run: RunInfo, shown: bool, overlays: tuple[str, ...]) -> Markup:
    if shown:
        return Markup('<span class="quiet" title="This is the run on the chart">shown</span>')
    if not has_curve(run.history):
        return NOTHING
    on = run.id in overlays
    sample = Markup('<i class="line-sample other-{}"></i>').format(overlays.index(run.id) + 1) if on else NOTHING
    return Markup(
        '<button type="button" class="check" role="checkbox" aria-checked="{checked}" data-do="overlay" data-id="{id}" '
        'data-key="overlay-{id}" aria-label="Lay {name} over the chart">{mark}</button>{sample}'
    ).format(checked="true" if on else "false", id=run.id, name=run.status.name, mark=icons.CHECK, sample=sample)


def _actions(run: RunInfo) -> Markup:
    resume = Markup('<button type="button" class="button small" data-do="resume" data-id="{}">Resume</button>')
    more = menu_button("run", run.id, run.status.name, fixed=run.status.state in ACTIVE)
    return join([resume.format(run.id) if run.resumable else NOTHING, more])
