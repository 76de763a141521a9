"""What the leak test consists of; what happens in it is leak_panel.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html


@dataclass(frozen=True)
class LeakPanel:
    """Components; their elem_ids in brackets."""

    repeated: gr.HTML
    """[leak-repeated]"""
    told: gr.HTML
    """[leak-told]"""
    test: gr.Button
    """[leak-test]"""
    progress: gr.HTML
    """[leak-progress]; raises 'cancel'"""
    table: gr.HTML
    """[leak-table]"""
    timer: gr.Timer


def build_leak() -> LeakPanel:
    """Make the components."""
    with gr.Accordion("Does it repeat private data?", open=False, elem_id="leak"):
        repeated = html(elem_id="leak-repeated")
        told = html(elem_id="leak-told")
        with gr.Row(elem_classes="bar-row"):
            test = gr.Button("Test whether it repeats private data", elem_id="leak-test", scale=0, min_width=280)
        progress = html(elem_id="leak-progress", raises=("cancel",))
        table = html(elem_id="leak-table")
    return LeakPanel(repeated, told, test, progress, table, gr.Timer(0.5, active=False))
