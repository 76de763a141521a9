"""The tab 'Export': the card of a run as it will look, one button that brings the file home, and the way back in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.workspace import slug
from ui import parts
from ui.context import Window
from ui.events import listen, once
from ui.export import views
from ui.html import html
from ui.task_registry import EXPORT


@dataclass(frozen=True)
class ExportTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-export]"""
    empty: gr.Column
    """[no-adapter]"""
    begin: gr.Button
    """[export-choose-recipe]"""
    body: gr.Column
    """[export]"""
    run: gr.Dropdown
    """[export-run]"""
    package: gr.HTML
    """[package]"""
    download: gr.Button
    """[download]"""
    progress: gr.HTML
    """[export-progress]; raises 'cancel'"""
    done: gr.HTML
    """[export-done]"""
    file: gr.DownloadButton
    """[download-file], hidden: pressed by the page as soon as the file is there."""
    card: gr.Markdown
    """[card]"""
    bring_in: gr.Accordion
    """[import-adapter-panel]"""
    zip: gr.File
    """[import-zip]"""
    folder: gr.Textbox
    """[import-folder]"""
    name: gr.Textbox
    """[import-name]"""
    base: gr.Textbox
    """[import-base]"""
    bring: gr.Button
    """[import-adapter]"""
    imported: gr.HTML
    """[import-done]"""
    timer: gr.Timer


def build(tab: gr.Tab) -> ExportTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="no-adapter", elem_classes="narrow", visible=False) as empty:
        html(
            parts.empty(
                "No adapter to take home yet",
                "As soon as a run has finished, its card and its file are here.",
            )
        )
        begin = gr.Button("Choose a recipe  →", variant="primary", elem_id="export-choose-recipe")
    with gr.Row(elem_id="export", elem_classes="with-aside", visible=False) as body:
        with gr.Column(elem_classes="main-column sheet", min_width=320):
            html('<h2 class="sheet-title">The card that travels with it</h2>')
            card = gr.Markdown(elem_id="card", sanitize_html=True)
        with gr.Column(elem_classes="aside sheet", scale=0, min_width=300):
            html('<h2 class="sheet-title">Take it home</h2>')
            run = gr.Dropdown([], label="Run", elem_id="export-run", interactive=True)
            package = html(elem_id="package")
            download = gr.Button("Download adapter (.zip)", variant="primary", elem_id="download")
            progress = html(elem_id="export-progress", raises=("cancel",))
            done = html(elem_id="export-done")
            file = gr.DownloadButton("File", elem_id="download-file", elem_classes="unseen")
    with gr.Accordion("Bring an adapter in", open=False, elem_id="import-adapter-panel") as bring_in:
        html(
            '<p class="quiet">A .zip from here, or any PEFT adapter folder on this computer. It becomes a voice in the '
            "playground.</p>"
        )
        with gr.Row():
            zip_file = gr.File(
                label="Adapter (.zip)",
                file_types=[".zip"],
                type="filepath",
                elem_id="import-zip",
                elem_classes="drop",
                height=120,
            )
            with gr.Column():
                folder = gr.Textbox(
                    "",
                    label="Or the path of its folder",
                    placeholder="/home/me/adapters/shop",
                    elem_id="import-folder",
                    max_lines=1,
                )
                name = gr.Textbox(
                    "", label="Name", placeholder="How it is called here", elem_id="import-name", max_lines=1
                )
                base = gr.Textbox(
                    "",
                    label="Its base model, where that is not found",
                    placeholder="A folder here, or an id of the model hub",
                    elem_id="import-base",
                    max_lines=1,
                )
        with gr.Row(elem_classes="bar-row end"):
            imported = html(elem_id="import-done")
            bring = gr.Button("Import", elem_id="import-adapter", scale=0, min_width=110)
    return ExportTab(
        tab,
        empty,
        begin,
        body,
        run,
        package,
        download,
        progress,
        done,
        file,
        card,
        bring_in,
        zip_file,
        folder,
        name,
        base,
        bring,
        imported,
        gr.Timer(0.4, active=False),
    )


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, studio, work = window.export, window.studio, window.work
    everything = _outputs(window)
    working = [ui.progress, ui.done, ui.timer, ui.download, ui.file]

    def choose(chosen: str | None) -> dict[Any, Any]:
        return {**_shown(window, chosen or ""), ui.done: ""}

    def pack(run: str | None) -> dict[Any, Any]:
        if not run:
            raise StudioError("No run is chosen.", "Choose one from the list.")
        work.start(EXPORT, lambda: studio.export.bundle(run, _target(window, run)))
        return {**_working(window), ui.done: ""}

    def watch() -> dict[Any, Any]:
        return _working(window)

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
    listen(ui.progress.cancel, lambda: work.cancel(EXPORT))
    listen(ui.file.change, None, js="() => ticketTuner.download('download-file')")
    once(ui.bring, bring, [ui.zip, ui.folder, ui.name, ui.base], [ui.imported, ui.zip, ui.folder, ui.name, ui.base])
    listen(ui.begin.click, lambda: gr.Tabs(selected="recipe"), [], [window.tabs])


def redraw(window: Window) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(chosen: str, selected: str) -> dict[Any, Any]:
        return _shown(window, chosen or selected)

    return show, [window.page.export, window.page.run], _outputs(window)


def _outputs(window: Window) -> list[Any]:
    """Everything that the tab sets, but for what is packed and brought in."""
    ui = window.export
    return [ui.empty, ui.body, ui.run, ui.package, ui.card, window.page.export]


def _shown(window: Window, run: str) -> dict[Any, Any]:
    """The card and the contents of a run's file; the empty state where no run has an adapter."""
    ui, studio = window.export, window.studio
    runs = studio.runs.all()
    choices = views.exportable(runs)
    known = {identifier for _, identifier in choices}
    if not choices:
        return {ui.empty: gr.Column(visible=True), ui.body: gr.Row(visible=False)}
    chosen = run if run in known else choices[0][1]
    return {
        window.page.export: chosen,
        ui.empty: gr.Column(visible=False),
        ui.body: gr.Row(visible=True),
        ui.run: gr.Dropdown(choices, value=chosen),
        ui.package: views.package(studio.export.size(chosen)),
        ui.card: views.card_body(studio.export.card(chosen)),
    }


def _target(window: Window, run: str) -> Path:
    """Where the file is packed: among the files that the page may fetch, under the run's name."""
    return window.downloads / f"{slug(window.studio.runs.info(run).status.name)}-adapter.zip"


def _working(window: Window) -> dict[Any, Any]:
    """How far the packing is; at its end the file, which the page then downloads by itself."""
    ui, seen = window.export, window.work.seen(EXPORT)
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
