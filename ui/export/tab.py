"""The tab 'Export': one button that brings the adapter home, and what can be done with it where.

The script is read when somebody unfolds it: it needs the tokenizer, and the first one the libraries of models.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.export.records import Choices, Sending, Sent
from engine.workspace import slug
from ui import parts
from ui.context import Context
from ui.events import bind, once
from ui.export import bring_in_panel, cards, views
from ui.export.hub_panel import checked, sendable, told_of
from ui.export.revealing import open_folder
from ui.html import data_of
from ui.playground.views import newly
from ui.state.focus import is_imported, preferred, run_of
from ui.task_registry import EXPORT


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, studio, tasks = context.export, context.studio, context.tasks
    everything, working = _outputs(context), _working_outputs(context)

    def choose(chosen: str | None) -> dict[Any, Any]:
        return {**_of_another(context, (chosen or "",)), ui.done: "", ui.usage_panel: gr.Accordion(open=False)}

    def read_usage(run: str) -> dict[Any, Any]:
        if not run:
            return {}
        typed = studio.export.commands(run, Path(_target(context, run).name))
        return {ui.typed: cards.commands(typed), ui.usage: studio.export.usage(run)}

    def pack(run: str | None, with_tickets: bool) -> dict[Any, Any]:
        if not run:
            raise StudioError("No run is chosen.", "Choose one from the list.")
        tasks.start(EXPORT, lambda: studio.export.bundle(run, _target(context, run), with_tickets))
        return {**_working(context), ui.done: ""}

    def anyway() -> dict[Any, Any]:
        seen = tasks.seen(EXPORT)
        return {ui.file: str(seen.result)} if seen and isinstance(seen.result, Path) else {}

    def watch(run: str) -> dict[Any, Any]:
        shown = _working(context)
        if ui.file in shown and run and shown[ui.file].endswith("-adapter.zip"):
            told = studio.export.proof(run, "adapter")
            if told is not None and told.is_doubtful:  # it stays here until somebody says that it may go
                del shown[ui.file]
            shown[ui.done] = views.tried(shown[ui.done], told)
        if run and (ui.done in shown or ui.hub.told in shown):  # it has just ended, and may lie in the run's folder now
            shown |= _offered(context, run)
        return shown

    bind(ui.run.input, choose, [ui.run], [*everything, ui.done, ui.usage_panel])
    bind(ui.usage_panel.expand, read_usage, [context.page.export], [ui.typed, ui.usage])
    once(ui.download, pack, [ui.run, ui.with_tickets], working)
    bind(ui.done.anyway, anyway, [], [ui.file])
    bind(ui.timer.tick, watch, [context.page.export], working)
    bind(ui.progress.cancel, lambda: tasks.cancel(EXPORT))
    bind(ui.file.change, None, js="() => ticketTuner.download('download-file')")
    bind(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])
    _wire_cards(context)
    _wire_hub(context)


def _wire_cards(context: Context) -> None:
    """What the buttons of the formats' cards do."""
    ui, studio, tasks, chosen = context.export, context.studio, context.tasks, context.page.export
    working = _working_outputs(context)

    def ask(run: str) -> dict[Any, Any]:
        known = studio.playground.voices()
        voice = next((seen.id for seen in known if run in (seen.id, run_of(seen.id))), "")
        return {context.page.voices: newly(known, voice), context.tabs: gr.Tabs(selected="playground")}

    def make(event: gr.EventData, run: str) -> dict[Any, Any]:
        asked = data_of(event)
        choices = Choices(onto=asked.get("onto", "trained"), quantisation=asked.get("quantisation", ""))
        tasks.start(EXPORT, lambda: studio.export.make(run, asked["format"], choices=choices))
        return {**_working(context), ui.done: ""}

    def fetch(event: gr.EventData, run: str) -> dict[Any, Any]:
        key = str(data_of(event)["format"])
        target = context.downloads / f"{studio.export.made(run, key).folder.name}.zip"
        tasks.start(EXPORT, lambda: studio.export.packed(run, key, target))
        return {**_working(context), ui.done: ""}

    def reveal(event: gr.EventData, run: str, request: gr.Request | None = None) -> dict[Any, Any]:
        folder = studio.export.made(run, str(data_of(event)["format"])).folder
        open_folder(folder, request.client.host if request and request.client else "")
        return {}

    bind(ui.tiles.ask, ask, [chosen], [context.page.voices, context.tabs])
    bind(ui.tiles.make, make, [chosen], working)
    bind(ui.tiles.fetch, fetch, [chosen], working)
    bind(ui.tiles.open, reveal, [chosen])


def _wire_hub(context: Context) -> None:
    """What is sent to the model hub, and what would be."""
    ui, studio, tasks = context.export, context.studio, context.tasks
    working, asked = _working_outputs(context), [context.page.export, ui.hub.what]

    def look(run: str, what: str) -> dict[Any, Any]:
        tasks.start(EXPORT, lambda: studio.hub.plan_of(run, what))
        return {**_working(context), ui.hub.told: ""}

    def send(run: str, what: str, repository: str, token: str, public: bool) -> dict[Any, Any]:
        place = checked(repository)
        tasks.start(EXPORT, lambda: studio.hub.send_of(run, what, place, token, private=not public))
        return {**_working(context), ui.hub.told: "", ui.hub.token: ""}

    once(ui.hub.look, look, asked, working)
    once(ui.hub.send, send, [*asked, ui.hub.repository, ui.hub.token, ui.hub.public], [*working, ui.hub.token])


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""
    ui, page = context.export, context.page

    def show(chosen: str, selected: str | None, before: str | None = None) -> dict[Any, Any]:
        wanted, shown = preferred(chosen, selected or "", before), _shown
        if chosen and wanted[0] != chosen:
            shown = _of_another
        return {**shown(context, wanted), ui.followed: selected or ""}

    return show, [page.export, page.run, ui.followed], [*_outputs(context), ui.followed]


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets, but for what is packed and brought in."""
    ui = context.export
    coming = bring_in_panel.pieces(context)
    drawn = [ui.about, ui.run, ui.with_tickets, ui.tiles, ui.hub.what, ui.package, ui.card]
    return [ui.empty, ui.body, *_working_pieces(context), *coming, *drawn, context.page.export]


def _shown(context: Context, wanted: Sequence[str]) -> dict[Any, Any]:
    """The card and the contents of a run's file; the empty state where no run has an adapter.

    Args:
        context: The window.
        wanted: Runs, of which the first that has an adapter is shown, else the newest.
    """
    ui, studio = context.export, context.studio
    runs, imported = studio.runs.all(), [voice for voice in studio.playground.voices() if is_imported(voice.id)]
    choices = views.exportable(runs, imported)
    known = {identifier for _, identifier in choices}
    if not choices:
        coming = bring_in_panel.under_way(context)
        return {**coming, ui.empty: gr.Column(visible=True), ui.body: gr.Column(visible=False)}
    chosen = next((run for run in wanted if run in known), choices[0][1])
    info = next((seen for seen in runs if seen.id == chosen), None)
    voice = next((seen for seen in imported if seen.id == chosen), None)
    label = views.download_label(info, studio.export.size(chosen))
    tickets = views.tickets_label(*studio.export.tickets(chosen))
    return {
        **_under_way(context, label),
        **bring_in_panel.under_way(context),
        context.page.export: chosen,
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Column(visible=True),
        ui.about: views.about(info) if info else views.about_imported(voice) if voice else "",
        ui.run: gr.Dropdown(choices, value=chosen),
        ui.with_tickets: gr.update(label=tickets, visible=info is not None),
        **_offered(context, chosen),
        ui.package: views.package(),
        ui.card: views.card_body(studio.export.card(chosen)),
    }


def _of_another(context: Context, wanted: Sequence[str]) -> dict[Any, Any]:
    """As :func:`_shown`; whoever lets the tickets of one run travel has not said so of another's."""
    ui, shown = context.export, _shown(context, wanted)
    if ui.with_tickets in shown:
        shown[ui.with_tickets] = gr.update(**{**shown[ui.with_tickets], "value": False})
    return shown


def _target(context: Context, run: str) -> Path:
    """Where the file is packed: among the files that the page may fetch, under the run's or the adapter's name."""
    studio = context.studio
    name = studio.playground.voice(run).label if is_imported(run) else studio.runs.info(run).status.name
    return context.downloads / f"{slug(name)}-adapter.zip"


def _offered(context: Context, run: str) -> dict[Any, Any]:
    """The cards, and what can be sent."""
    ui, offers = context.export, context.studio.export.offers(run)
    return {ui.tiles: cards.cards(offers), ui.hub.what: sendable(offers)}


def _working_pieces(context: Context) -> list[Any]:
    """What shows that an export is under way."""
    ui = context.export
    return [ui.progress, ui.timer, ui.download]


def _working_outputs(context: Context) -> list[Any]:
    """What an export sets while it goes on, and at its end."""
    ui = context.export
    return [*_working_pieces(context), ui.done, ui.file, ui.tiles, ui.hub.what, ui.hub.told]


def _under_way(context: Context, label: str | None = None) -> dict[Any, Any]:
    """How far an export is, for a page that has just been opened too; nothing of one that has ended."""
    ui, seen = context.export, context.tasks.seen(EXPORT)
    is_running = seen is not None and seen.state == "running"
    button: dict[str, Any] = {} if label is None else {"value": label}
    return {
        ui.progress: parts.task_progress(seen),
        ui.timer: gr.Timer(active=is_running),
        ui.download: gr.update(interactive=not is_running, **button),
    }


def _working(context: Context) -> dict[Any, Any]:
    """How far it is; at its end the file, which the page then downloads by itself, or the folder."""
    ui, task = context.export, context.tasks.seen(EXPORT)
    shown = _under_way(context)
    if task is None or task.state in ("running", "cancelled"):
        return shown
    if task.error or task.result is None:
        return {**shown, ui.done: parts.failure(task.error) if task.error else ""}
    if isinstance(task.result, Sending | Sent):
        return {**shown, ui.hub.told: told_of(task.result)}
    if task.result.is_dir():
        return {**shown, ui.done: views.saved(task.result)}
    return {**shown, ui.done: views.packed(task.result.name, task.result.stat().st_size), ui.file: str(task.result)}
