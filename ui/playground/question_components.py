"""What the panel 'Many questions at once' consists of; what happens in it is question_panel.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html

HELDOUT = "\theldout"
"""The choice of the held-out tickets; no saved set can be called that."""


@dataclass(frozen=True)
class QuestionPanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Accordion
    """[question-sets]"""
    chosen: gr.Dropdown
    """[question-set]"""
    text: gr.Textbox
    """[set-questions]"""
    name: gr.Textbox
    """[question-set-name]"""
    save: gr.Button
    """[save-question-set]"""
    delete: gr.Button
    """[delete-question-set]"""
    answer: gr.Button
    """[answer-questions]"""
    progress: gr.HTML
    """[questions-progress]; raises 'cancel'"""
    table: gr.HTML
    """[answers]"""
    download: gr.Button
    """[download-answers]"""
    file: gr.DownloadButton
    """[answers-file], hidden: pressed by the page as soon as the file is there."""
    timer: gr.Timer


def build_questions() -> QuestionPanel:
    """Make the components."""
    with gr.Accordion("Many questions at once, as a table", open=False, elem_id="question-sets") as panel:
        html(
            '<p class="hint">Your favourite questions, kept under a name, or all held-out tickets: every voice above '
            "answers them, and the table can be compared and downloaded.</p>"
        )
        with gr.Row(elem_classes="bar-row bottom"):
            chosen = gr.Dropdown([], label="Questions", elem_id="question-set", interactive=True)
            answer = gr.Button("Answer all", variant="primary", elem_id="answer-questions", scale=0, min_width=130)
        text = gr.Textbox(
            "",
            label="One question a line",
            placeholder="How long may I return a lamp?\nWhere is my parcel?",
            lines=4,
            max_lines=12,
            elem_id="set-questions",
        )
        with gr.Row(elem_classes="bar-row bottom"):
            name = gr.Textbox("", label="Keep them under the name", elem_id="question-set-name", max_lines=1)
            save = gr.Button("Save", elem_id="save-question-set", scale=0, min_width=80)
            delete = gr.Button("Delete", elem_id="delete-question-set", scale=0, min_width=80)
        progress = html(elem_id="questions-progress", raises=("cancel",))
        table = html(elem_id="answers")
        download = gr.Button("Download as CSV", elem_id="download-answers", scale=0, min_width=180, visible=False)
        file = gr.DownloadButton("Download", elem_id="answers-file", elem_classes="hidden-file")
        timer = gr.Timer(0.5, active=False)
    return QuestionPanel(panel, chosen, text, name, save, delete, answer, progress, table, download, file, timer)
