"""The tab 'Export': one button that brings the adapter home, what can be done with it where, and the way back in.

The script is read when somebody unfolds it: it needs the tokenizer, and the first one the libraries of models.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.workspace import slug
from ui import parts
from ui.context import Context
from ui.events import bind, once
from ui.export import views
from ui.playground.views import newly
from ui.state.focus import run_of
from ui.task_registry import EXPORT


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, studio, tasks = context.export, context.studio, context.tasks
    everything = _outputs(context)
    working = [ui.progress, ui.done, ui.timer, ui.download, ui.file]

    def choose(chosen: str | None) -> dict[Any, Any]:
        shown = {**_shown(context, chosen or ""), ui.done: "", ui.usage_panel: gr.Accordion(open=False)}
        if ui.with_tickets in shown:  # whoever lets the tickets of one run travel has not said so of another's
            shown[ui.with_tickets] = gr.update(**{**shown[ui.with_tickets], "value": False})
        return shown

    def read_usage(run: str) -> dict[Any, Any]:
        return {ui.usage: studio.export.usage(run) if run else ""}

    def ask(run: str) -> dict[Any, Any]:
        known = studio.playground.voices()
        voice = next((seen.id for seen in known if run_of(seen.id) == run), "")
        return {context.page.voices: newly(known, voice), context.tabs: gr.Tabs(selected="playground")}

    def pack(run: str | None, with_tickets: bool) -> dict[Any, Any]:
        if not run:
            raise StudioError("No run is chosen.", "Choose one from the list.")
        tasks.start(EXPORT, lambda: studio.export.bundle(run, _target(context, run), with_tickets))
        return {**_working(context), ui.done: ""}

    def watch() -> dict[Any, Any]:
        return _working(context)

    def bring(zip_file: str | None, folder: str, name: str, base: str) -> dict[Any, Any]:
        source = zip_file or folder.strip()
        if not source:
            raise StudioError("Nothing to import yet.", "Drop a .zip, or write the path of an adapter folder.")
        voice = studio.playground.voice(
            studio.adapters.bring_in(Path(source), name.strip() or Path(source).stem, base.strip())
        )
        return {ui.imported: views.imported(voice.label), ui.zip: None, ui.folder: "", ui.name: "", ui.base: ""}

    bind(ui.run.input, choose, [ui.run], [*everything, ui.done, ui.usage_panel])
    bind(ui.usage_panel.expand, read_usage, [context.page.export], [ui.usage])
    bind(ui.tiles.ask, ask, [context.page.export], [context.page.voices, context.tabs])
    once(ui.download, pack, [ui.run, ui.with_tickets], working)
    bind(ui.timer.tick, watch, [], working)
    bind(ui.progress.cancel, lambda: tasks.cancel(EXPORT))
    bind(ui.file.change, None, js="() => ticketTuner.download('download-file')")
    once(ui.bring, bring, [ui.zip, ui.folder, ui.name, ui.base], [ui.imported, ui.zip, ui.folder, ui.name, ui.base])
    bind(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(chosen: str, selected: str) -> dict[Any, Any]:
        return _shown(context, chosen or selected)

    return show, [context.page.export, context.page.run], _outputs(context)


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets, but for what is packed and brought in."""
    ui = context.export
    pieces = [ui.about, ui.run, ui.with_tickets, ui.download, ui.tiles, ui.package, ui.card]
    return [ui.empty, ui.body, *pieces, context.page.export]


def _shown(context: Context, run: str) -> dict[Any, Any]:
    """The card and the contents of a run's file; the empty state where no run has an adapter."""
    ui, studio = context.export, context.studio
    runs = studio.runs.all()
    choices = views.exportable(runs)
    known = {identifier for _, identifier in choices}
    if not choices:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Column(visible=False)}
    chosen = run if run in known else choices[0][1]
    info = next(seen for seen in runs if seen.id == chosen)
    return {
        context.page.export: chosen,
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Column(visible=True),
        ui.about: views.about(info),
        ui.run: gr.Dropdown(choices, value=chosen),
        ui.with_tickets: gr.update(label=views.tickets_label(*studio.export.tickets(chosen))),
        ui.download: gr.Button(views.download_label(info, studio.export.size(chosen))),
        ui.tiles: views.tiles(info),
        ui.package: views.package(),
        ui.card: views.card_body(studio.export.card(chosen)),
    }


def _target(context: Context, run: str) -> Path:
    """Where the file is packed: among the files that the page may fetch, under the run's name."""
    return context.downloads / f"{slug(context.studio.runs.info(run).status.name)}-adapter.zip"


def _working(context: Context) -> dict[Any, Any]:
    """How far the packing is; at its end the file, which the page then downloads by itself."""
    ui, seen = context.export, context.tasks.seen(EXPORT)
    if seen is not None and seen.state == "running":
        return {
            ui.progress: parts.task_progress(seen),
            ui.timer: gr.Timer(active=True),
            ui.download: gr.Button(interactive=False),
        }
    ended = {ui.progress: "", ui.timer: gr.Timer(active=False), ui.download: gr.Button(interactive=True)}
    if seen is None or seen.state == "cancelled":
        return ended
    if seen.error or seen.result is None:
        return {**ended, ui.done: parts.failure(seen.error) if seen.error else ""}
    return {**ended, ui.done: views.packed(seen.result.name, seen.result.stat().st_size), ui.file: str(seen.result)}
