"""What the tab 'Playground' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.html import html
from ui.playground import views
from ui.playground.question_components import QuestionPanel, build_questions


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
    temperature: gr.Slider
    """[temperature]"""
    top_p: gr.Slider
    """[top-p]"""
    length: gr.Slider
    """[answer-length]"""
    seed: gr.Number
    """[answer-seed]"""
    number: gr.State
    """Which held-out ticket comes next."""
    questions: QuestionPanel
    again: gr.Button
    """[ask-again]"""
    edit: gr.Button
    """[edit-question]"""
    differences: gr.Checkbox
    """[differences]"""
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
            settings = _build_settings()
        questions = build_questions()
    parts = (tab, voices, ticket, new, notice, board, question, send, stop)
    return PlaygroundTab(*parts, number=gr.State(0), questions=questions, **settings | actions)


def _build_actions() -> dict[str, Any]:
    with gr.Row(elem_classes="bar-row", elem_id="conversation-actions"):
        again = gr.Button("Answer again, another seed", elem_id="ask-again", size="sm", scale=0, min_width=190)
        edit = gr.Button("Edit the question", elem_id="edit-question", size="sm", scale=0, min_width=140)
        keep = gr.Button("Download the conversation", elem_id="keep-conversation", size="sm", scale=0, min_width=190)
        differences = gr.Checkbox(
            False, label="Mark differences", elem_id="differences", container=False, min_width=150
        )
    kept = gr.DownloadButton("Download", elem_id="conversation-file", elem_classes="hidden-file")
    return {"again": again, "edit": edit, "keep": keep, "differences": differences, "kept": kept}


def _build_settings() -> dict[str, Any]:
    system = gr.Textbox(
        "",
        label="Standing instruction (system prompt)",
        info="Put before the conversation; empty uses none.",
        lines=2,
        elem_id="system-prompt",
    )
    with gr.Row(elem_classes="settings"):
        temperature = gr.Slider(
            0,
            2,
            value=0.0,
            step=0.05,
            label="Daring (temperature)",
            info="0 always takes the likeliest word.",
            elem_id="temperature",
        )
        top_p = gr.Slider(
            0.05,
            1,
            value=0.9,
            step=0.05,
            label="Choice (top-p)",
            info="Draws among the likeliest words only.",
            elem_id="top-p",
        )
        length = gr.Slider(
            16,
            1024,
            value=160,
            step=16,
            label="Longest answer (tokens)",
            info="About three quarters of a word each.",
            elem_id="answer-length",
        )
        seed = gr.Number(
            0, label="Seed", info="The same seed gives the same answer.", elem_id="answer-seed", precision=0
        )
    return {"system": system, "temperature": temperature, "top_p": top_p, "length": length, "seed": seed}
