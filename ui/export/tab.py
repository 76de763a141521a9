"""The tab 'Export': the card of a run as it will look, one button that brings the file home, and the way back in."""

from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.workspace import slug
from ui import parts
from ui.context import Context
from ui.events import listen, once
from ui.export import views
from ui.task_registry import EXPORT


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, studio, tasks = context.export, context.studio, context.tasks
    everything = _outputs(context)
    working = [ui.progress, ui.done, ui.timer, ui.download, ui.file]

    def choose(chosen: str | None) -> dict[Any, Any]:
        return {**_shown(context, chosen or ""), ui.done: ""}

    def pack(run: str | None) -> dict[Any, Any]:
        if not run:
            raise StudioError("No run is chosen.", "Choose one from the list.")
        tasks.start(EXPORT, lambda: studio.export.bundle(run, _target(context, run)))
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

    listen(ui.run.input, choose, [ui.run], [*everything, ui.done])
    once(ui.download, pack, [ui.run], working)
    listen(ui.timer.tick, watch, [], working)
    listen(ui.progress.cancel, lambda: tasks.cancel(EXPORT))
    listen(ui.file.change, None, js="() => ticketTuner.download('download-file')")
    once(ui.bring, bring, [ui.zip, ui.folder, ui.name, ui.base], [ui.imported, ui.zip, ui.folder, ui.name, ui.base])
    listen(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(chosen: str, selected: str) -> dict[Any, Any]:
        return _shown(context, chosen or selected)

    return show, [context.page.export, context.page.run], _outputs(context)


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets, but for what is packed and brought in."""
    ui = context.export
    return [ui.empty, ui.body, ui.run, ui.package, ui.card, context.page.export]


def _shown(context: Context, run: str) -> dict[Any, Any]:
    """The card and the contents of a run's file; the empty state where no run has an adapter."""
    ui, studio = context.export, context.studio
    runs = studio.runs.all()
    choices = views.exportable(runs)
    known = {identifier for _, identifier in choices}
    if not choices:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Row(visible=False)}
    chosen = run if run in known else choices[0][1]
    return {
        context.page.export: chosen,
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Row(visible=True),
        ui.run: gr.Dropdown(choices, value=chosen),
        ui.package: views.package(studio.export.size(chosen)),
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
