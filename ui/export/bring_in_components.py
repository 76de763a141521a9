"""What 'Bring an adapter in' consists of, on the tab 'Export'; what happens in it is bring_in_panel.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html


@dataclass(frozen=True)
class BringInPanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Accordion
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


def build_bring_in() -> BringInPanel:
    """Make the components, folded."""
    with gr.Accordion("Bring an adapter in", open=False, elem_id="import-adapter-panel") as panel:
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
    return BringInPanel(panel, zip_file, folder, name, base, bring, imported)
