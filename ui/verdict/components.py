"""What the tab 'Verdict' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import parts
from ui.html import html
from ui.verdict.blind_components import BlindPanel, build_blind
from ui.verdict.leak_components import LeakPanel, build_leak


@dataclass(frozen=True)
class VerdictTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-verdict]"""
    empty: gr.Column
    """[no-verdict]"""
    begin: gr.Button
    """[verdict-choose-recipe]"""
    body: gr.Column
    """[judgement]"""
    title: gr.HTML
    """[verdict-title]"""
    judge: gr.Button
    """[judge]"""
    progress: gr.HTML
    """[judge-progress]; raises 'cancel'"""
    sentence: gr.HTML
    """[verdict-sentence]"""
    lamps: gr.HTML
    """[verdict-lamps]"""
    coach: gr.HTML
    """[coach]"""
    figures: gr.Column
    """[verdict-figures]"""
    table: gr.HTML
    """[verdict-table]; raises 'open'"""
    tickets: gr.HTML
    """[verdict-tickets]; raises 'pick' and 'close'"""
    ticket: gr.HTML
    """[verdict-ticket]"""
    blind: BlindPanel
    leak: LeakPanel
    strange: gr.HTML
    """[verdict-strange]"""
    other_panel: gr.Accordion
    """[verdict-compare]"""
    other: gr.Dropdown
    """[verdict-other]"""
    compared: gr.HTML
    """[verdict-compared]"""
    look: gr.State
    """What is looked at: see :func:`first_look`."""
    timer: gr.Timer


def first_look() -> dict[str, Any]:
    """Nothing is opened: 'voice' and 'measure' of a figure, 'ticket' that is read, 'other' run; 'run' has them all."""
    return {"run": "", "voice": "", "measure": "", "ticket": "", "other": ""}


def build_verdict(tab: gr.Tab) -> VerdictTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="no-verdict", elem_classes="narrow", visible=False) as empty:
        html(
            parts.empty(
                "Nothing to judge yet",
                "When a run has learnt, this is where you see whether it was worth it: beside the base model, and "
                "beside what you could have without training.",
            )
        )
        begin = gr.Button("Choose a recipe  →", variant="primary", elem_id="verdict-choose-recipe")
    with gr.Column(elem_id="judgement", visible=False) as body:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="verdict-title")
            judge = gr.Button("Judge this run", variant="primary", elem_id="judge", scale=0, min_width=160)
        progress = html(elem_id="judge-progress", raises=("cancel",))
        sentence = html(elem_id="verdict-sentence")
        lamps = html(elem_id="verdict-lamps")
        coach = html(elem_id="coach")
        with gr.Column(elem_id="verdict-figures", visible=False) as figures:
            with gr.Column(elem_classes="sheet"):
                table = html(elem_id="verdict-table", raises=("open",))
            with gr.Row(elem_classes="verdict-reading"):
                with gr.Column(elem_classes="sheet verdict-list", min_width=260, scale=2):
                    tickets = html(elem_id="verdict-tickets", raises=("pick", "close"))
                with gr.Column(elem_classes="sheet verdict-answers", min_width=260, scale=5):
                    ticket = html(elem_id="verdict-ticket")
            strange = html(elem_id="verdict-strange")
            blind = build_blind()
            with gr.Accordion("Compare with another run", open=False, elem_id="verdict-compare") as other_panel:
                other = gr.Dropdown([], label="Another judged run", elem_id="verdict-other", interactive=True)
                compared = html(elem_id="verdict-compared")
        leak = build_leak()
    return VerdictTab(
        tab=tab,
        empty=empty,
        begin=begin,
        body=body,
        title=title,
        judge=judge,
        progress=progress,
        sentence=sentence,
        lamps=lamps,
        coach=coach,
        figures=figures,
        table=table,
        tickets=tickets,
        ticket=ticket,
        blind=blind,
        leak=leak,
        strange=strange,
        other_panel=other_panel,
        other=other,
        compared=compared,
        look=gr.State(first_look()),
        timer=gr.Timer(0.5, active=False),
    )
