"""What the tab 'Help desk' consists of; what happens in it is tab.py's and connecting.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.desk import views
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
    draft: gr.Button
    """[desk-draft]"""
    stop: gr.Button
    """[desk-stop]"""
    result: gr.HTML
    """[desk-result]"""
    connecting: gr.Accordion
    """[desk-connect]"""
    switch: gr.Checkbox
    """[api-switch]"""
    state: gr.HTML
    """[api-state]"""
    offered: gr.CheckboxGroup
    """[api-offered]"""
    dataset: gr.Dropdown
    """[api-dataset]"""
    key_name: gr.Textbox
    """[api-key-name]"""
    make: gr.Button
    """[api-make-key]"""
    made: gr.HTML
    """[api-made], the new key, shown once"""
    keys: gr.HTML
    """[api-keys]; raises 'doubt', 'keep' and 'revoke'"""
    snippets: gr.HTML
    """[api-snippets]"""


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
            with gr.Row(elem_classes="bar-row"):
                draft = gr.Button("Draft a reply", variant="primary", elem_id="desk-draft", scale=0, min_width=150)
                stop = gr.Button("Stop", elem_id="desk-stop", scale=0, min_width=100, visible=False)
                html('<p class="quiet keys"><kbd>Ctrl</kbd> <kbd>Enter</kbd> drafts, <kbd>Esc</kbd> stops</p>')
        with gr.Column(min_width=300):
            result = html(views.nothing_drafted(), elem_id="desk-result")
    with gr.Accordion("Connect your help desk (API)", open=False, elem_id="desk-connect") as connecting:
        switch = gr.Checkbox(
            False,
            label="Let other programs ask",
            info="In the form of OpenAI's API. Whoever asks has to show a key.",
            elem_id="api-switch",
        )
        state = html(elem_id="api-state", script="ticketTuner.address(element, watch)")
        with gr.Row():
            offered = gr.CheckboxGroup(
                [],
                label="What they may ask, by the name they use",
                elem_id="api-offered",
                interactive=True,
                min_width=280,
            )
            dataset = gr.Dropdown(
                [],
                label="Where base and imported adapters look up",
                info="A run looks in the tickets that it has learnt from.",
                elem_id="api-dataset",
                interactive=True,
                min_width=280,
            )
        html('<h2 class="section">Keys</h2>')
        keys = html(elem_id="api-keys", raises=("doubt", "keep", "revoke"))
        with gr.Row(elem_classes="bar-row bottom"):
            key_name = gr.Textbox(
                "", label="Name of a new key", placeholder="Zendesk, say", elem_id="api-key-name", max_lines=1
            )
            make = gr.Button("Make a key", elem_id="api-make-key", scale=0, min_width=130)
        made = html(elem_id="api-made")
        html('<h2 class="section">What to type there</h2>')
        snippets = html(elem_id="api-snippets", script="ticketTuner.address(element, watch)")
    return DeskTab(
        tab,
        ticket,
        voice,
        lookup,
        draft,
        stop,
        result,
        connecting,
        switch,
        state,
        offered,
        dataset,
        key_name,
        make,
        made,
        keys,
        snippets,
    )
