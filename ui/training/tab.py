"""The tab 'Training': the curve of a run, what is going on, and the table of all runs.

Nothing here trains: the engine does, in its own thread, and this tab looks. So a reload, a second tab of the browser
and a restarted program show the same.
"""

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import gradio as gr

from engine.studio import RunInfo, StudioSnapshot
from engine.training.runs.progress import JobSnapshot
from engine.training.runs.status import ACTIVE
from ui import parts
from ui.context import Window
from ui.events import LATEST, listen, once
from ui.html import data_of, html, plot
from ui.state import page as remembered
from ui.state.ownership import Asking, name_of
from ui.training import runs_table as runs_views
from ui.training import views


@dataclass(frozen=True)
class TrainingTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-training]"""
    empty: gr.Column
    """[no-runs]"""
    begin: gr.Button
    """[choose-recipe]"""
    body: gr.Column
    """[run]"""
    title: gr.HTML
    """[run-title]"""
    pause: gr.Button
    """[pause]"""
    resume: gr.Button
    """[resume]"""
    stop: gr.Button
    """[stop]"""
    again: gr.Button
    """[start-again]"""
    compare: gr.Button
    """[to-playground]"""
    progress: gr.HTML
    """[run-progress]"""
    chart: gr.HTML
    """[loss-chart]"""
    facts: gr.HTML
    """[run-facts]"""
    small: dict[str, gr.HTML]
    """Field -> [chart-FIELD]"""
    log: gr.HTML
    """[run-log], inside [log]"""
    table: gr.HTML
    """[runs]; raises 'pick', 'overlay', 'resume', 'rename', 'delete'"""


def build(tab: gr.Tab) -> TrainingTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="no-runs", elem_classes="narrow", visible=False) as empty:
        html(
            parts.empty(
                "Nothing has been trained yet",
                "Choose a recipe and press Start. A quick look takes minutes; the curve appears here.",
            )
        )
        begin = gr.Button("Choose a recipe  →", variant="primary", elem_id="choose-recipe")
    with gr.Column(elem_id="run", visible=False) as body:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="run-title", live=True)
            with gr.Row(elem_classes="buttons", elem_id="run-buttons"):
                pause = gr.Button("Pause", elem_id="pause", visible=False, scale=0, min_width=90)
                resume = gr.Button("Resume", elem_id="resume", variant="primary", visible=False, scale=0, min_width=90)
                stop = gr.Button("Stop", elem_id="stop", visible=False, scale=0, min_width=90)
                again = gr.Button(
                    "Start again", elem_id="start-again", variant="primary", visible=False, scale=0, min_width=200
                )
                compare = gr.Button(
                    "Compare with the base  →",
                    elem_id="to-playground",
                    variant="primary",
                    visible=False,
                    scale=0,
                    min_width=200,
                )
        progress = html(elem_id="run-progress", live=True)
        with gr.Column(elem_classes="sheet", elem_id="loss-panel"):
            html(
                '<h2 class="sheet-title">Loss <span class="quiet">lower is better; held-out tickets are never learnt '
                "from</span></h2>"
            )
            chart = plot("loss-chart", "plot-tall", live=True)
        facts = html(elem_id="run-facts", live=True)
        with gr.Row(elem_classes="small-charts", elem_id="small-charts"):
            small = {field: _small(field) for field in views.SMALL}
        with gr.Accordion("Log", open=False, elem_id="log"):
            log = html(elem_id="run-log", live=True)
        table = html(elem_id="runs", raises=("pick", "overlay", "resume", "rename", "delete"), live=True)
    return TrainingTab(
        tab,
        empty,
        begin,
        body,
        title,
        pause,
        resume,
        stop,
        again,
        compare,
        progress,
        chart,
        facts,
        small,
        log,
        table,
    )


def _small(field: str) -> gr.HTML:
    title, unit = views.SMALL[field]
    with gr.Column(elem_classes="sheet small-sheet", min_width=140):
        html(f'<h3 class="sheet-title">{title} <span class="quiet">{unit}</span></h3>')
        return plot(f"chart-{field}", "plot-small", live=True)


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.training, window.page, window.studio
    everything = _outputs(window)
    state = [page.run, page.overlays]
    asking = Asking(studio)

    def overlay(event: gr.EventData, run: str, overlays: list[str]) -> dict[Any, Any]:
        name = data_of(event)["id"]
        chosen = (
            [other for other in overlays if other != name] if name in overlays else [*overlays, name][-views.OVERLAYS :]
        )
        return {page.overlays: chosen, **_shown(window, run, chosen)}

    def resume_row(
        event: gr.EventData, run: str, overlays: list[str], request: gr.Request | None = None
    ) -> dict[Any, Any]:
        chosen = data_of(event)["id"]
        asking.check(name_of(request), "resume it", chosen)
        studio.runs.resume(chosen)
        return {page.run: chosen} if chosen != run else _shown(window, chosen, overlays)

    def pick(event: gr.EventData) -> str:
        return data_of(event)["id"]

    def act(action: Any, words: str) -> Any:
        def handler(run: str, overlays: list[str], request: gr.Request | None = None) -> dict[Any, Any]:
            asking.check(name_of(request), words, run)
            action(run)
            return _shown(window, run, overlays)

        return handler

    def compare(run: str) -> dict[Any, Any]:
        voice = next((seen.id for seen in studio.playground.voices() if seen.id.partition("@")[0] == f"run:{run}"), "")
        return {page.voices: [voice] if voice else [], window.tabs: gr.Tabs(selected="playground")}

    def again(run: str) -> dict[Any, Any]:
        info = studio.runs.info(run)
        if info.recipe is None or not info.status.lower_rate:
            return {}
        recipe = replace(info.recipe, learning_rate=info.status.lower_rate)
        known = info.status.dataset in {seen.id for seen in studio.tickets.all()}
        return {
            page.draft: remembered.draft_of(recipe),
            **({page.dataset: info.status.dataset} if known else {}),
            window.tabs: gr.Tabs(selected="recipe"),
        }

    listen(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [window.tabs])
    once(ui.pause, act(studio.runs.pause, "pause it"), state, everything, name="pause")
    once(ui.resume, act(studio.runs.resume, "resume it"), state, everything, name="resume")
    once(ui.stop, act(studio.runs.stop, "stop it"), state, everything, name="stop")
    once(ui.again, again, [page.run], [page.draft, page.dataset, window.tabs])
    listen(ui.compare.click, compare, [page.run], [page.voices, window.tabs])
    listen(ui.table.pick, pick, [], [page.run], **LATEST)
    listen(ui.table.overlay, overlay, state, [page.overlays, *everything])
    listen(ui.table.resume, resume_row, state, [page.run, *everything])


def redraw(window: Window) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(run: str | None, overlays: list[str]) -> dict[Any, Any]:
        return {} if run is None else _shown(window, run, overlays)

    return show, [window.page.run, window.page.overlays], _outputs(window)


def _outputs(window: Window) -> list[Any]:
    """Everything that the tab sets."""
    ui = window.training
    frame = [ui.empty, ui.body, ui.title, ui.pause, ui.resume, ui.stop, ui.again, ui.compare, ui.progress, ui.table]
    return [*frame, ui.chart, ui.facts, *ui.small.values(), ui.log]


def _found(snapshot: StudioSnapshot, runs: list[RunInfo], run: str) -> RunInfo | None:
    """The selected run; the one in progress or the newest where that is gone."""
    for wanted in (run, snapshot.job.run if snapshot.job else ""):
        for info in runs:
            if info.id == wanted:
                return info
    return runs[0] if runs else None


def _shown(window: Window, run: str, overlays: list[str]) -> dict[Any, Any]:
    """The whole tab."""
    ui, studio = window.training, window.studio
    snapshot, runs = studio.snapshot(), studio.runs.all()
    info = _found(snapshot, runs, run)
    if info is None:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Column(visible=False)}
    pieces = [ui.title, ui.progress, ui.chart, ui.facts, *ui.small.values(), ui.log, ui.table]
    now = live(snapshot, runs, info.id, overlays)
    return {**_frame(ui, info, _job_of(info, snapshot)), **{piece: now[piece.elem_id or ""] for piece in pieces}}


def live(snapshot: StudioSnapshot, runs: list[RunInfo], run: str, overlays: list[str]) -> dict[str, str]:
    """Return what the tab says of a run now, by elem_id."""
    info = _found(snapshot, runs, run)
    if info is None:
        return {}
    others = tuple(other for name in overlays for other in runs if other.id == name and name != info.id)
    return {
        "run-title": str(views.heading(info, overlays)),
        "run-progress": str(views.progress(info, _job_of(info, snapshot))),
        "runs": str(runs_views.runs_table(runs, info.id, overlays, time.time())),
        **_drawn(info, others),
    }


@lru_cache(maxsize=16)
def _drawn(info: RunInfo, others: tuple[RunInfo, ...]) -> dict[str, str]:
    """What of it changes with the run's curve alone: drawn once for all pages and looks."""
    return {
        "loss-chart": views.loss_chart(info, others),
        "run-facts": str(views.facts(info.history)),
        "run-log": str(views.log(info.history)),
        **{f"chart-{field}": views.small_chart(info.history, field) for field in views.SMALL},
    }


def _job_of(info: RunInfo, snapshot: StudioSnapshot) -> JobSnapshot | None:
    return snapshot.job if snapshot.job and snapshot.job.run == info.id else None


def _frame(ui: TrainingTab, info: RunInfo, job: JobSnapshot | None) -> dict[Any, Any]:
    """Which parts and buttons are of use."""
    pause, resume, stop = views.buttons(info, job)
    lower_rate = views.lower_rate(info)
    return {
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Column(visible=True),
        ui.pause: gr.Button(visible=pause),
        ui.resume: gr.Button(visible=resume, variant="secondary" if lower_rate else "primary"),
        ui.stop: gr.Button(visible=stop),
        ui.again: gr.Button(f"Start again with learning rate {lower_rate:g}  →", visible=lower_rate > 0),
        ui.compare: gr.Button(
            visible=info.has_adapter and info.status.state not in ACTIVE, variant="secondary" if resume else "primary"
        ),
    }
