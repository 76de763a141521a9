"""What the tab 'Help desk' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.desk import views
from ui.desk.connecting_components import ConnectingPanel, build_connecting
from ui.html import html


@dataclass(frozen=True)
class DeskTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-desk]"""
    ticket: gr.Textbox
    """[desk-ticket]"""
    voice: gr.Dropdown
    """[desk-voice]"""
    lookup: gr.Checkbox
    """[desk-lookup]"""
    pass_on: gr.Checkbox
    """[desk-pass-on]"""
    draft: gr.Button
    """[desk-draft]"""
    stop: gr.Button
    """[desk-stop]"""
    result: gr.HTML
    """[desk-result]"""
    connecting: ConnectingPanel
    followed: gr.State
    """The run that was selected in the sidebar when the tab was last drawn: str; None before that."""


def build_desk(tab: gr.Tab) -> DeskTab:
    """Make the components, inside ``tab``."""
    with gr.Row(elem_id="desk", elem_classes="desk-row"):
        with gr.Column(elem_classes="sheet", min_width=300):
            html(views.DRAFT_TITLE)
            ticket = gr.Textbox(
                "",
                label="The customer writes",
                placeholder="Paste a ticket",
                lines=9,
                max_lines=18,
                elem_id="desk-ticket",
            )
            voice = gr.Dropdown([], label="Who answers", elem_id="desk-voice", interactive=True)
            lookup = gr.Checkbox(
                False,
                label="With look-up",
                info="Reads the nearest earlier tickets first; facts come from there.",
                elem_id="desk-lookup",
            )
            pass_on = gr.Checkbox(
                False,
                label="Leave what it has not seen to a person",
                info="Drafts nothing where the ticket is stranger than 95 of 100 that were learnt. A rough guess: "
                "of a new and a usual topic it finds the new one stranger 79 times of 100.",
                elem_id="desk-pass-on",
            )
            with gr.Row(elem_classes="bar-row"):
                draft = gr.Button("Draft a reply", variant="primary", elem_id="desk-draft", scale=0, min_width=150)
                stop = gr.Button("Stop", elem_id="desk-stop", scale=0, min_width=100, visible=False)
                html('<p class="quiet keys"><kbd>Ctrl</kbd> <kbd>Enter</kbd> drafts, <kbd>Esc</kbd> stops</p>')
        with gr.Column(min_width=300):
            result = html(views.nothing_drafted(), elem_id="desk-result")
    return DeskTab(tab, ticket, voice, lookup, pass_on, draft, stop, result, build_connecting(), gr.State(None))
