"""What the tab 'Export' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass

import gradio as gr

from ui import parts
from ui.export import views
from ui.export.hub_panel import HubPanel, build_hub_panel
from ui.html import html


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
    about: gr.HTML
    """[export-about]"""
    run: gr.Dropdown
    """[export-run]"""
    with_tickets: gr.Checkbox
    """[export-tickets]; off, and off again whenever another run is chosen"""
    download: gr.Button
    """[download]"""
    progress: gr.HTML
    """[export-progress]; raises 'cancel'"""
    done: gr.HTML
    """[export-done]; raises 'anyway' where an export has failed its trial"""
    file: gr.DownloadButton
    """[download-file], hidden: pressed by the page as soon as the file is there."""
    tiles: gr.HTML
    """[export-tiles]; raises 'ask', 'make', 'open' and 'fetch'"""
    package: gr.HTML
    """[package]"""
    card: gr.Markdown
    """[card]"""
    usage_panel: gr.Accordion
    """[usage-panel]"""
    typed: gr.HTML
    """[export-commands]"""
    usage: gr.Markdown
    """[usage]"""
    hub: HubPanel
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


def build_export(tab: gr.Tab) -> ExportTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="no-adapter", elem_classes="narrow", visible=False) as empty:
        html(
            parts.empty(
                "No adapter to take home yet",
                "As soon as a run has its first checkpoint, what it has learnt is here as one file.",
            )
        )
        begin = gr.Button("Choose a recipe  →", variant="primary", elem_id="export-choose-recipe")
    with gr.Column(elem_id="export", visible=False) as body:
        with gr.Row(elem_classes="sheet take"):
            with gr.Column(elem_classes="take-words", min_width=280):
                about = html(elem_id="export-about")
                run = gr.Dropdown([], label="Which run", elem_id="export-run", interactive=True)
            with gr.Column(elem_classes="take-button", scale=0, min_width=280):
                download = gr.Button("Download adapter (.zip)", variant="primary", elem_id="download")
                with_tickets = gr.Checkbox(
                    False, label="Put its tickets in too", info=views.TICKETS_INFO, elem_id="export-tickets"
                )
                progress = html(elem_id="export-progress", raises=("cancel",))
                done = html(elem_id="export-done", raises=("anyway",))
                file = gr.DownloadButton("File", elem_id="download-file", elem_classes="unseen")
        tiles = html(elem_id="export-tiles", raises=("ask", "make", "open", "fetch"))
        with gr.Accordion("What is in the .zip", open=False, elem_id="contents-panel"):
            package = html(elem_id="package")
            card = gr.Markdown(elem_id="card", sanitize_html=True)
        with gr.Accordion("Commands and script", open=False, elem_id="usage-panel") as usage_panel:
            typed = html(elem_id="export-commands")
            usage = gr.Markdown(elem_id="usage", sanitize_html=True)
        hub = build_hub_panel()
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
                    label="Or the path of its folder, or its id on the model hub",
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
        about,
        run,
        with_tickets,
        download,
        progress,
        done,
        file,
        tiles,
        package,
        card,
        usage_panel,
        typed,
        usage,
        hub,
        bring_in,
        zip_file,
        folder,
        name,
        base,
        bring,
        imported,
        gr.Timer(0.4, active=False),
    )
