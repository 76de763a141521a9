"""What the blind test consists of; what happens in it is blind_panel.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html


@dataclass(frozen=True)
class BlindPanel:
    """Components; their elem_ids in brackets."""

    voter: gr.Textbox
    """[blind-voter]"""
    start: gr.Button
    """[blind-start]"""
    card: gr.HTML
    """[blind-card]; raises 'vote'"""
    tally: gr.HTML
    """[blind-tally]"""
    download: gr.Button
    """[blind-download]"""
    file: gr.DownloadButton
    """[blind-file], hidden: pressed by the page as soon as the file is there."""


def build_blind() -> BlindPanel:
    """Make the components."""
    with gr.Accordion("Blind test: which answer would you send?", open=False, elem_id="blind-test"):
        html(
            '<p class="hint">Two answers to each held-out ticket, without names and in random order: the tuned model’s '
            "and those of its best alternative. They are there already. Stop whenever you like; under the same name it "
            "goes on where it was, and several people may vote at once.</p>"
        )
        with gr.Row(elem_classes="bar-row bottom"):
            voter = gr.Textbox("", label="Your name", elem_id="blind-voter", max_lines=1)
            start = gr.Button("Begin or go on", elem_id="blind-start", scale=0, min_width=150)
        card = html(elem_id="blind-card", script="ticketTuner.blind(element, trigger, watch, ['vote']);")
        with gr.Row(elem_classes="bar-row end"):
            tally = html(elem_id="blind-tally")
            download = gr.Button(
                "Preference pairs (.jsonl)", elem_id="blind-download", scale=0, min_width=190, visible=False
            )
        file = gr.DownloadButton("Download", elem_id="blind-file", elem_classes="hidden-file")
    return BlindPanel(voter, start, card, tally, download, file)
