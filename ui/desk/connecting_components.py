"""What 'Connect your help desk' consists of, on the tab 'Help desk'; what happens in it is connecting.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html


@dataclass(frozen=True)
class ConnectingPanel:
    """Components; their elem_ids in brackets."""

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


def build_connecting() -> ConnectingPanel:
    """Make the components, folded [desk-connect]."""
    with gr.Accordion("Connect your help desk (API)", open=False, elem_id="desk-connect"):
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
    return ConnectingPanel(switch, state, offered, dataset, key_name, make, made, keys, snippets)
