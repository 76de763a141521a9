"""The tab 'Verdict': whether a run was worth it, in a sentence; the figures, and the tickets behind each of them.

Nothing here judges: the engine does, in the background, so that a reload finds the same progress.
"""

import time
from collections.abc import Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.chat.records import Voice
from engine.errors import StudioError
from engine.studio import RunInfo
from engine.verdict.facts.fact import Fact
from engine.verdict.records import Verdict
from ui import parts
from ui.context import Context
from ui.events import bind, once
from ui.html import data_of
from ui.task_registry import judging
from ui.verdict import blind_panel, lamps, leak_panel, ticket_views, two_runs, views
from ui.verdict.components import first_look

Look = dict[str, Any]


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio, tasks = context.verdict, context.page, context.studio, context.tasks
    everything = _outputs(context)

    def judge(run: str, look: Look) -> dict[Any, Any]:
        tasks.start(judging(run), lambda: studio.verdict.judge(run))
        return _shown(context, run, look)

    def watch(run: str | None, look: Look) -> dict[Any, Any]:
        task = tasks.seen(judging(run or ""))
        if task is not None and task.state == "running":
            return _working(context, run or "")
        return _shown(context, run or "", look)

    def cancel(run: str) -> None:
        tasks.cancel(judging(run))

    def open_figure(event: gr.EventData, run: str, look: Look) -> dict[Any, Any]:
        data = data_of(event)
        return _looked(context, run, {**look, "voice": data["voice"], "measure": data["measure"]})

    def close_figure(run: str, look: Look) -> dict[Any, Any]:
        return _looked(context, run, {**look, "voice": "", "measure": ""})

    def pick(event: gr.EventData, run: str, look: Look) -> dict[Any, Any]:
        return _looked(context, run, {**look, "ticket": data_of(event)["id"]})

    def compare(other: str | None, run: str, look: Look) -> dict[Any, Any]:
        return _looked(context, run, {**look, "other": other or ""})

    blind_panel.wire(context)
    leak_panel.wire(context)
    state, looked = [page.run, ui.look], _looked_outputs(context)
    bind(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])
    once(ui.judge, judge, state, everything)
    bind(ui.timer.tick, watch, state, everything)
    bind(ui.progress.cancel, cancel, [page.run])
    bind(ui.table.open, open_figure, state, looked)
    bind(ui.tickets.pick, pick, state, looked)
    bind(ui.tickets.close, close_figure, state, looked)
    bind(ui.other.input, compare, [ui.other, *state], looked)


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(run: str | None, look: Look) -> dict[Any, Any]:
        return {} if run is None else _shown(context, run, look)

    return show, [context.page.run, context.verdict.look], _outputs(context)


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets."""
    ui = context.verdict
    frame = [ui.empty, ui.body, ui.title, ui.judge, ui.progress, ui.timer, ui.sentence, ui.lamps, ui.coach, ui.figures]
    return [*frame, *leak_panel.outputs(context), *blind_panel.outputs(context), *_looked_outputs(context)]


def _looked_outputs(context: Context) -> list[Any]:
    """What changes when something else is looked at."""
    ui = context.verdict
    return [ui.look, ui.table, ui.strange, ui.tickets, ui.ticket, ui.other, ui.compared]


def _shown(context: Context, run: str, look: Look) -> dict[Any, Any]:
    """All of the tab for the selected run, else the newest."""
    ui, studio = context.verdict, context.studio
    runs = studio.runs.all()
    info = next((each for each in runs if each.id == run), next(iter(runs), None))
    if info is None:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Column(visible=False), ui.timer: gr.Timer(active=False)}
    verdict = studio.verdict.verdict(info.id)
    shown = {
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Column(visible=True),
        ui.title: views.heading(info),
        ui.sentence: _sentence(context, info, verdict),
        ui.lamps: _lamps(context, info, verdict) if verdict else "",
        ui.coach: views.coach(studio.verdict.advice(info.id)) if info.recipe else "",
        ui.figures: gr.Column(visible=verdict is not None),
        **_working(context, info.id, info, verdict),
        **leak_panel.shown(context, info.id),
    }
    if verdict is None:
        return shown
    blind = {} if look.get("run") == info.id else blind_panel.put_away(context, info.id)
    return {**shown, **blind, **_looked(context, info.id, look, verdict)}


def _sentence(context: Context, info: RunInfo, verdict: Verdict | None) -> Markup:
    if verdict is None:
        return views.offer(info)
    return views.sentence(verdict, time.time(), context.studio.verdict.is_outdated(info.id))


def _lamps(context: Context, info: RunInfo, verdict: Verdict) -> Markup:
    finished, leak = info.history.finished, context.studio.leak
    step = finished.step if finished and finished.step else None
    return lamps.lamps(verdict, info.history.general, step, leak.repeated(info.id), leak.certificate(info.id))


def _working(context: Context, run: str, info: RunInfo | None = None, verdict: Verdict | None = None) -> dict[Any, Any]:
    """How far the judgement is, and whether another may begin."""
    ui, task = context.verdict, context.tasks.seen(judging(run))
    running = task is not None and task.state == "running"
    shown: dict[Any, Any] = {ui.progress: parts.task_progress(task), ui.timer: gr.Timer(active=running)}
    if task is not None and task.error:
        shown[ui.progress] = parts.failure(task.error)
    if info is not None:
        learnt = info.has_adapter or bool(info.checkpoint)
        able = learnt and not running
        shown[ui.judge] = (
            gr.Button("Judge again", variant="secondary", interactive=able)
            if verdict
            else gr.Button("Judge this run", variant="primary", interactive=able)
        )
    return shown


def _looked(context: Context, run: str, look: Look, verdict: Verdict | None = None) -> dict[Any, Any]:
    """The figures, the tickets behind them, one ticket side by side, and the other run."""
    ui, studio = context.verdict, context.studio
    verdict = verdict or studio.verdict.verdict(run)
    if verdict is None:
        return {}
    look = _sound(verdict, run, look)
    answers = studio.verdict.answers(run)
    others = [(each.status.name, each.id) for each in studio.runs.all() if each.id != run and _is_judged(context, each)]
    return {
        ui.look: look,
        ui.table: views.table(verdict, (look["voice"], look["measure"])),
        ui.strange: views.strange(verdict),
        ui.tickets: ticket_views.listed(verdict, answers, look["voice"], look["measure"], look["ticket"]),
        ui.ticket: ticket_views.side_by_side(
            verdict, answers, look["ticket"], _invented(context, verdict, answers, look["ticket"])
        ),
        ui.other: gr.Dropdown(others, value=look["other"] or None, visible=bool(others)),
        ui.compared: _compared(context, run, verdict, look["other"], bool(others)),
    }


def _invented(
    context: Context, verdict: Verdict, answers: ticket_views.Answers, ticket: str
) -> Mapping[str, tuple[Fact, ...]] | None:
    """What the voices have from nowhere in their answers to a ticket; None where that cannot be told."""
    if ticket not in answers:
        return None
    asked, said = answers[ticket]
    texts = {voice: answer.text for voice, answer in said.items()}
    tuned = Voice(verdict.headline.tuned, "", "", None)
    try:
        return context.studio.facts.inventions([tuned], asked.asked, texts, "", ticket, asked.answer)
    except StudioError:
        return None


def _sound(verdict: Verdict, run: str, look: Look) -> Look:
    """What is looked at, where it belongs to this run; else what one sees first."""
    if look.get("run") != run:
        look = {**first_look(), "run": run}
    voices = {voice.id for voice in verdict.voices}
    if look["voice"] not in voices:
        look = {**look, "voice": "", "measure": ""}
    if look["ticket"] not in {ticket.ticket for ticket in verdict.tickets}:
        look = {**look, "ticket": ticket_views.first(verdict)}
    return look


def _is_judged(context: Context, info: RunInfo) -> bool:
    return info.recipe is not None and context.studio.verdict.verdict(info.id) is not None


def _compared(context: Context, run: str, verdict: Verdict, other: str, any_other: bool) -> Any:
    if not any_other:
        return parts.banner("No other run was judged yet.", "Judge another one, and it can be compared.", kind="note")
    both = context.studio.verdict.beside(run, other) if other else None
    if both is None:
        return ""
    infos = [context.studio.runs.info(each) for each in (run, other)]
    return two_runs.told(both, verdict.run, infos[1].status.name, [info.status.dataset_name for info in infos])
