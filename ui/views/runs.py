"""The table of all runs, under the chart: overlay, name, state, loss, time; resume, rename and delete."""

from collections.abc import Sequence

from markupsafe import Markup

from engine.studio import RunInfo
from engine.training.events import History
from engine.training.run import ACTIVE
from ui.views import icons, words
from ui.views.parts import NOTHING, join, pill
from ui.views.shell import short_model
from ui.views.training import last_step


def runs_table(runs: Sequence[RunInfo], shown: str, overlays: Sequence[str], now: float) -> Markup:
    """All runs: overlay, name, state, data set, loss, time; resume, rename and delete."""
    if not runs:
        return NOTHING
    heads = ("Overlay", "Run", "State", "Learnt from", "Model", "Steps", "Held-out loss", "Time", "Started", "")
    head = join([Markup("<th>{}</th>").format(text) for text in heads])
    body = join([_run_row(run, run.id == shown, list(overlays), now) for run in runs])
    return Markup(
        '<h2 class="section">Runs</h2><div class="scroll-x"><table class="table runs"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(head, body)


def _run_row(run: RunInfo, shown: bool, overlays: list[str], now: float) -> Markup:
    history, status = run.history, run.status
    return Markup(
        '<tr class="{}"><td>{}</td><td><button type="button" class="link" data-do="pick" data-id="{}" '
        'data-key="run-{}">{}</button></td>'
        "<td>{}</td><td>{}</td><td>{}</td><td class='number'>{}</td><td class='number'>{}</td>"
        "<td class='number'>{}</td>"
        "<td class='nowrap'>{}</td><td class='actions'>{}</td></tr>"
    ).format(
        "selected" if shown else "",
        _overlay(run, shown, overlays),
        run.id,
        run.id,
        status.name,
        pill(status.state),
        status.dataset_name,
        short_model(run.recipe.model) if run.recipe else "–",
        _steps(history),
        _losses(history),
        words.duration(history.steps[-1].seconds) if history.steps else "–",
        words.when(status.created_at, now),
        _actions(run),
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


def _overlay(run: RunInfo, shown: bool, overlays: list[str]) -> Markup:
    if shown:
        return Markup('<span class="quiet" title="This is the run on the chart">shown</span>')
    on = run.id in overlays
    place = overlays.index(run.id) + 1 if on else 0
    return Markup(
        '<button type="button" class="check" role="checkbox" aria-checked="{}" data-do="overlay" data-id="{}" '
        'data-key="overlay-{}" '
        'aria-label="Lay {} over the chart">{}</button>{}'
    ).format(
        "true" if on else "false",
        run.id,
        run.id,
        run.status.name,
        icons.CHECK,
        Markup('<i class="line-sample other-{}"></i>').format(place) if on else NOTHING,
    )


def _actions(run: RunInfo) -> Markup:
    resume = Markup('<button type="button" class="button small" data-do="resume" data-id="{}">Resume</button>').format(
        run.id
    )
    more = Markup(
        '<button type="button" class="icon-button small" data-menu data-kind="run" data-id="{}" '
        'data-name="{}"{} aria-haspopup="menu" '
        'aria-label="More for {}">{}</button>'
    ).format(
        run.id,
        run.status.name,
        Markup(" data-fixed") if run.status.state in ACTIVE else "",
        run.status.name,
        icons.DOTS,
    )
    return join([resume if run.resumable else NOTHING, more])
