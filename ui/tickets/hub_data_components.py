"""What taking a data set from the hub consists of; what happens in it is hub_data_panel.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html


@dataclass(frozen=True)
class HubDataPanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Accordion
    """[hub-data]"""
    name: gr.Textbox
    """[hub-data-name]"""
    token: gr.Textbox
    """[hub-data-token]; emptied as soon as the files are here"""
    look: gr.Button
    """[hub-data-look]"""
    told: gr.HTML
    """[hub-data-told]"""
    part: gr.Dropdown
    """[hub-data-part]"""
    fetch: gr.Button
    """[hub-data-fetch]"""
    found: gr.State
    """What was looked up: a HubData, or None."""


def build() -> HubDataPanel:
    """Make the components, folded."""
    with gr.Accordion("Or take a data set from the Hugging Face hub", open=False, elem_id="hub-data") as panel:
        with gr.Row(elem_classes="bar-row bottom"):
            name = gr.Textbox(
                "", label="Name of the data set", placeholder="owner/name", elem_id="hub-data-name", max_lines=1
            )
            token = gr.Textbox("", label="Your token, if it needs one", type="password", elem_id="hub-data-token")
            look = gr.Button("Look it up", elem_id="hub-data-look", scale=0, min_width=120)
        told = html(
            '<p class="quiet">Nothing of yours is sent: the name is asked for, and the files come here. One that is '
            "private or gated needs your token, which is used for that and kept nowhere.</p>",
            elem_id="hub-data-told",
        )
        with gr.Row(elem_classes="bar-row bottom"):
            part = gr.Dropdown([], label="Part of it", elem_id="hub-data-part", visible=False, interactive=True)
            fetch = gr.Button("Fetch it", elem_id="hub-data-fetch", variant="primary", scale=0, visible=False)
    return HubDataPanel(panel, name, token, look, told, part, fetch, gr.State(None))
