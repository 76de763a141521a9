"""The tab 'Training': the curve of a run, what is going on, and the table of all runs.

Nothing here trains: the engine does, in its own thread, and this tab looks. So a reload, a second tab of the browser
and a restarted program show the same.
"""

from dataclasses import replace
from typing import Any

import gradio as gr

from engine.recipe import Recipe
from engine.studio import RunInfo
from engine.training.runs.progress import JobSnapshot
from engine.training.runs.status import ACTIVE
from engine.typed_numbers import short
from ui.context import Context
from ui.events import bind, once
from ui.html import data_of
from ui.playground.views import newly
from ui.state import page as remembered
from ui.state.focus import select_run
from ui.state.ownership import name_of
from ui.training import views
from ui.training.components import TrainingTab
from ui.training.forgetting import remedied, rings_for
from ui.training.live import job_of, live, selected_run
from ui.verdict.views import at_a_glance


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio = context.training, context.page, context.studio
    everything, state = _outputs(context), [page.run, page.overlays]

    def act(action: Any, words: str) -> Any:
        def handler(run: str, overlays: list[str], request: gr.Request | None = None) -> dict[Any, Any]:
            context.asking.check(name_of(request), words, run)
            action(run)
            return _shown(context, run, overlays)

        return handler

    def compare(run: str) -> dict[Any, Any]:
        voice = next((seen.id for seen in studio.playground.voices() if seen.id.partition("@")[0] == f"run:{run}"), "")
        return {page.voices: newly(studio.playground.voices(), voice), context.tabs: gr.Tabs(selected="playground")}

    def again(run: str) -> dict[Any, Any]:
        info = studio.runs.info(run)
        lower_rate = views.lower_rate(info)
        if info.recipe is None:
            return {}
        return start_again(info, replace(info.recipe, learning_rate=lower_rate) if lower_rate else info.recipe)

    def start_again(info: RunInfo, recipe: Recipe) -> dict[Any, Any]:
        known = info.status.dataset in {seen.id for seen in studio.tickets.all()}
        return {
            page.draft: remembered.draft_of(recipe),
            **({page.dataset: info.status.dataset} if known else {}),
            context.tabs: gr.Tabs(selected="recipe"),
        }

    def remedy(event: gr.EventData, run: str, overlays: list[str], request: gr.Request | None = None) -> dict[Any, Any]:
        info, what = studio.runs.info(run), data_of(event)["what"]
        if what != "checkpoint":
            return {} if info.recipe is None else start_again(info, remedied(info.recipe, what))
        rings = rings_for(info)
        if rings is not None and rings.earlier:
            context.asking.check(name_of(request), "take another checkpoint of it", run)
            studio.runs.take_checkpoint(run, rings.earlier)
        return _shown(context, run, overlays)

    bind(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])
    once(ui.pause, act(studio.runs.pause, "pause it"), state, everything, name="pause")
    once(ui.resume, act(studio.runs.resume, "resume it"), state, everything, name="resume")
    once(ui.stop, act(studio.runs.stop, "stop it"), state, everything, name="stop")
    once(ui.again, again, [page.run], [page.draft, page.dataset, context.tabs])
    bind(ui.forgetting.remedy, remedy, state, [page.draft, page.dataset, context.tabs, *everything])
    bind(ui.verdict.verdict, lambda: gr.Tabs(selected="verdict"), [], [context.tabs])
    bind(ui.compare.click, compare, [page.run], [page.voices, context.tabs])
    _wire_table(context)


def _wire_table(context: Context) -> None:
    """What a row of the table of runs does; renaming and deleting are the sidebar's."""
    ui, page, studio = context.training, context.page, context.studio
    everything, state = _outputs(context), [page.run, page.overlays]

    def overlay(event: gr.EventData, run: str, overlays: list[str]) -> dict[Any, Any]:
        name = data_of(event)["id"]
        chosen = (
            [other for other in overlays if other != name] if name in overlays else [*overlays, name][-views.OVERLAYS :]
        )
        return {page.overlays: chosen, **_shown(context, run, chosen)}

    def resume_row(
        event: gr.EventData, run: str, overlays: list[str], request: gr.Request | None = None
    ) -> dict[Any, Any]:
        chosen = data_of(event)["id"]
        context.asking.check(name_of(request), "resume it", chosen)
        studio.runs.resume(chosen)
        return {page.run: chosen} if chosen != run else _shown(context, chosen, overlays)

    def pick(event: gr.EventData) -> dict[Any, Any]:
        return select_run(page, studio, str(data_of(event)["id"]))

    bind(ui.table.pick, pick, [], [page.run, page.dataset])
    bind(ui.table.overlay, overlay, state, [page.overlays, *everything])
    bind(ui.table.resume, resume_row, state, [page.run, *everything])


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(run: str | None, overlays: list[str]) -> dict[Any, Any]:
        return {} if run is None else _shown(context, run, overlays)

    return show, [context.page.run, context.page.overlays], _outputs(context)


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets."""
    ui = context.training
    frame = [ui.empty, ui.body, ui.title, ui.pause, ui.resume, ui.stop, ui.again, ui.compare, ui.progress, ui.table]
    return [
        *frame,
        ui.layers,
        ui.forgetting,
        ui.verdict,
        ui.replies,
        ui.curves,
        ui.measured,
        ui.chart,
        ui.facts,
        *ui.small.values(),
        ui.log,
    ]


def _shown(context: Context, run: str, overlays: list[str]) -> dict[Any, Any]:
    """The whole tab."""
    ui, studio = context.training, context.studio
    snapshot, runs = studio.snapshot(), studio.runs.all()
    info = selected_run(snapshot, runs, run)
    if info is None:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Column(visible=False)}
    pieces = [
        ui.title,
        ui.progress,
        ui.layers,
        ui.forgetting,
        ui.replies,
        ui.chart,
        ui.facts,
        *ui.small.values(),
        ui.log,
        ui.table,
    ]
    now = live(snapshot, runs, info.id, overlays, studio.replies.strip)
    return {
        ui.verdict: at_a_glance(info, None if studio.verdict.is_outdated(info.id) else studio.verdict.verdict(info.id)),
        **_frame(ui, info, job_of(info, snapshot), studio.runs.can_be_asked(info.id)),
        **{piece: now[piece.elem_id or ""] for piece in pieces},
    }


def _frame(ui: TrainingTab, info: RunInfo, job: JobSnapshot | None, asked: bool) -> dict[Any, Any]:
    """Which parts and buttons are of use; ``asked`` says whether the run can be asked while it trains."""
    pause, resume, stop = views.buttons(info, job)
    lower_rate = views.lower_rate(info)
    return {
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Column(visible=True),
        ui.pause: gr.Button(visible=pause),
        ui.curves: gr.Column(visible=views.has_curve(info.history)),
        ui.measured: gr.Column(visible=views.has_curve(info.history)),
        ui.resume: gr.Button(  # it would break again where there is a lower rate; the row's menu still has it
            visible=resume and not lower_rate, variant="secondary" if views.never_began(info) else "primary"
        ),
        ui.stop: gr.Button("Take out of the queue" if info.status.state == "queued" else "Stop", visible=stop),
        ui.again: gr.Button(
            f"Start again with learning rate {short(lower_rate)}  →" if lower_rate else "Change its recipe  →",
            visible=lower_rate > 0 or views.never_began(info),
        ),
        ui.compare: gr.Button(
            "Ask it as it is now  →" if asked else "Compare with the base  →",
            visible=asked or (info.has_adapter and info.status.state not in ACTIVE),
            variant="secondary" if asked or resume else "primary",
        ),
    }
