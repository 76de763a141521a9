"""What the tab 'Playground' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.html import html
from ui.playground import views
from ui.playground.question_components import QuestionPanel, build_questions
from ui.playground.sampling_fields import SamplingFields, build_sampling

ANSWERS: dict[str, Any] = {"concurrency_id": "answers", "concurrency_limit": 16}
"""Handlers that stream answers: so many people at the same time, who share one batch; each takes a thread."""


@dataclass(frozen=True)
class PlaygroundTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-playground]"""
    voices: gr.Dropdown
    """[voices]"""
    ticket: gr.Button
    """[pick-ticket]"""
    new: gr.Button
    """[new-talk]"""
    notice: gr.HTML
    """[playground-notice]"""
    board: gr.HTML
    """[board]; panes carry data-voice"""
    question: gr.Textbox
    """[question]"""
    send: gr.Button
    """[send]"""
    stop: gr.Button
    """[stop-answer]"""
    system: gr.Textbox
    """[system-prompt]"""
    sampling: SamplingFields
    number: gr.State
    """Which held-out ticket comes next."""
    questions: QuestionPanel
    again: gr.Button
    """[ask-again]"""
    edit: gr.Button
    """[edit-question]"""
    differences: gr.Checkbox
    """[differences]"""
    invented: gr.Checkbox
    """[invented]"""
    pass_on: gr.Checkbox
    """[pass-on]"""
    keep: gr.Button
    """[keep-conversation]"""
    kept: gr.DownloadButton
    """[conversation-file], hidden: pressed by the page as soon as the file is there."""


def build_playground(tab: gr.Tab) -> PlaygroundTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="playground"):
        with gr.Row(elem_classes="bar-row bottom", elem_id="playground-head"):
            voices = gr.Dropdown(
                [],
                multiselect=True,
                max_choices=views.MOST_BESIDE,
                label="Compare the base with (up to three)",
                elem_id="voices",
                interactive=True,
            )
            ticket = gr.Button("Pick a held-out ticket", elem_id="pick-ticket", scale=0, min_width=170)
            new = gr.Button("New conversation", elem_id="new-talk", scale=0, min_width=150)
        notice = html(elem_id="playground-notice")
        board = html(elem_id="board", script="ticketTuner.follow(element, watch)")
        with gr.Row(elem_classes="bar-row bottom", elem_id="ask"):
            question = gr.Textbox(
                "",
                label="The customer writes",
                placeholder="Type a question, or pick a held-out ticket",
                lines=2,
                max_lines=6,
                elem_id="question",
            )
            send = gr.Button("Send", variant="primary", elem_id="send", scale=0, min_width=100)
            stop = gr.Button("Stop", elem_id="stop-answer", scale=0, min_width=100, visible=False)
        actions = _build_actions()
        html('<p class="quiet keys"><kbd>Ctrl</kbd> <kbd>Enter</kbd> sends, <kbd>Esc</kbd> stops</p>')
        with gr.Accordion("Settings", open=False, elem_id="playground-settings"):
            system = gr.Textbox(
                "",
                label="Standing instruction (system prompt)",
                info="Put before the conversation; empty uses none.",
                lines=2,
                elem_id="system-prompt",
            )
            sampling = build_sampling()
        questions = build_questions()
    parts = (tab, voices, ticket, new, notice, board, question, send, stop, system, sampling)
    return PlaygroundTab(*parts, number=gr.State(0), questions=questions, **actions)


def _build_actions() -> dict[str, Any]:
    with gr.Row(elem_classes="bar-row", elem_id="conversation-actions"):
        again = gr.Button("Answer again, another seed", elem_id="ask-again", size="sm", scale=0, min_width=190)
        edit = gr.Button("Edit the question", elem_id="edit-question", size="sm", scale=0, min_width=140)
        keep = gr.Button("Download the conversation", elem_id="keep-conversation", size="sm", scale=0, min_width=190)
    with gr.Row(elem_classes="bar-row", elem_id="conversation-switches"):
        differences = gr.Checkbox(
            False, label="Mark differences", elem_id="differences", container=False, scale=0, min_width=150
        )
        invented = gr.Checkbox(
            True, label="Mark facts from nowhere", elem_id="invented", container=False, scale=0, min_width=200
        )
        pass_on = gr.Checkbox(
            False,
            label="Pass strange questions to a person",
            elem_id="pass-on",
            container=False,
            scale=0,
            min_width=260,
        )
    kept = gr.DownloadButton("Download", elem_id="conversation-file", elem_classes="hidden-file")
    switches = {"differences": differences, "invented": invented, "pass_on": pass_on}
    return {"again": again, "edit": edit, "keep": keep, "kept": kept, **switches}
