"""What the way in consists of, on the tab 'Export'; what happens in it is bring_in_panel.py's."""

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
    progress: gr.HTML
    """[import-progress]; raises 'cancel'"""
    done: gr.HTML
    """[import-done]; raises 'ask' and 'train'"""
    timer: gr.Timer


def build_bring_in() -> BringInPanel:
    """Make the components, folded."""
    with gr.Accordion("Bring an adapter or a model in", open=False, elem_id="import-adapter-panel") as panel:
        html(
            '<p class="quiet">A .zip from here, or any PEFT adapter: it becomes a voice in the playground, is tried, '
            "and can be taken home again in every format. A whole model becomes a base to train over; its folder stays "
            "where it is.</p>"
        )
        with gr.Row():
            zip_file = gr.File(
                label="Adapter or model (.zip)",
                file_types=[".zip"],
                type="filepath",
                elem_id="import-zip",
                elem_classes="drop",
                height=120,
            )
            with gr.Column():
                folder = _field(
                    "Or the path of its folder, or an adapter's id on the model hub",
                    "/home/me/adapters/shop",
                    "import-folder",
                )
                name = _field("Name", "How it is called here", "import-name")
                base = _field(
                    "Its base model, where that is not found", "A folder here, or an id of the model hub", "import-base"
                )
        progress = html(elem_id="import-progress", raises=("cancel",))
        with gr.Row(elem_classes="bar-row end"):
            done = html(elem_id="import-done", raises=("ask", "train"))
            bring = gr.Button("Bring in", elem_id="import-adapter", scale=0, min_width=110)
    return BringInPanel(panel, zip_file, folder, name, base, bring, progress, done, gr.Timer(0.4, active=False))


def _field(label: str, placeholder: str, elem_id: str) -> gr.Textbox:
    return gr.Textbox("", label=label, placeholder=placeholder, elem_id=elem_id, max_lines=1)
