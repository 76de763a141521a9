"""What the tab 'Export' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass

import gradio as gr

from ui import parts
from ui.export import views
from ui.export.bring_in_components import BringInPanel, build_bring_in
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
    bringing: BringInPanel
    timer: gr.Timer
    followed: gr.State
    """The run that was selected in the sidebar when the tab was last drawn: str; None before that."""


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
    bringing = build_bring_in()
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
        bringing,
        gr.Timer(0.4, active=False),
        gr.State(None),
    )
