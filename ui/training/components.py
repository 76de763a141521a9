"""What the tab 'Training' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass

import gradio as gr

from ui import parts
from ui.html import html, plot
from ui.training import views


@dataclass(frozen=True)
class TrainingTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-training]"""
    empty: gr.Column
    """[no-runs]"""
    begin: gr.Button
    """[choose-recipe]"""
    body: gr.Column
    """[run]"""
    title: gr.HTML
    """[run-title]"""
    pause: gr.Button
    """[pause]"""
    resume: gr.Button
    """[resume]"""
    stop: gr.Button
    """[stop]"""
    again: gr.Button
    """[start-again]"""
    compare: gr.Button
    """[to-playground]"""
    progress: gr.HTML
    """[run-progress]"""
    layers: gr.HTML
    """[run-layers]"""
    forgetting: gr.HTML
    """[run-forgetting]; raises 'remedy'"""
    verdict: gr.HTML
    """[run-verdict]; raises 'verdict'"""
    replies: gr.HTML
    """[run-replies]"""
    curves: gr.Column
    """[run-curves] around the chart: there is nothing to see in it before the first check."""
    chart: gr.HTML
    """[loss-chart]"""
    measured: gr.Column
    """[run-measured], inside [experts], around the next two; likewise."""
    facts: gr.HTML
    """[run-facts]"""
    small: dict[str, gr.HTML]
    """Field -> [chart-FIELD]"""
    log: gr.HTML
    """[run-log], inside [experts]"""
    table: gr.HTML
    """[runs]; raises 'pick', 'overlay', 'resume', 'rename', 'delete'"""


def build_training(tab: gr.Tab) -> TrainingTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="no-runs", elem_classes="narrow", visible=False) as empty:
        html(
            parts.empty(
                "Nothing has been trained yet",
                "Choose a recipe and press Start. What the model learns is seen here, step by step.",
            )
        )
        begin = gr.Button("Choose a recipe  →", variant="primary", elem_id="choose-recipe")
    with gr.Column(elem_id="run", visible=False) as body:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="run-title", live=True)
            with gr.Row(elem_classes="buttons", elem_id="run-buttons"):
                pause = gr.Button("Pause", elem_id="pause", visible=False, scale=0, min_width=90)
                resume = gr.Button("Resume", elem_id="resume", variant="primary", visible=False, scale=0, min_width=90)
                stop = gr.Button("Stop", elem_id="stop", visible=False, scale=0, min_width=90)
                again = gr.Button(
                    "Start again", elem_id="start-again", variant="primary", visible=False, scale=0, min_width=200
                )
                compare = gr.Button(
                    "Compare with the base  →",
                    elem_id="to-playground",
                    variant="primary",
                    visible=False,
                    scale=0,
                    min_width=200,
                )
        progress = html(elem_id="run-progress", live=True)
        layers = html(elem_id="run-layers", live=True)
        forgetting = html(elem_id="run-forgetting", raises=("remedy",), live=True)
        verdict = html(elem_id="run-verdict", raises=("verdict",))
        replies = html(elem_id="run-replies", script="ticketTuner.replies(element, props, watch, 'run-replies')")
        curves, chart = _losses()
        with gr.Accordion("For experts: learning rate, gradient, speed, memory and log", open=False, elem_id="experts"):
            with gr.Column(elem_id="run-measured", visible=False) as measured:
                facts = html(elem_id="run-facts", live=True)
                with gr.Row(elem_classes="small-charts", elem_id="small-charts"):
                    small = {field: _small(field) for field in views.SMALL}
            log = html(elem_id="run-log", live=True)
        table = html(elem_id="runs", raises=("pick", "overlay", "resume", "rename", "delete"), live=True)
    return TrainingTab(
        tab,
        empty,
        begin,
        body,
        title,
        pause,
        resume,
        stop,
        again,
        compare,
        progress,
        layers,
        forgetting,
        verdict,
        replies,
        curves,
        chart,
        measured,
        facts,
        small,
        log,
        table,
    )


def _losses() -> tuple[gr.Column, gr.HTML]:
    """Make the sheet of the losses, and the curve in it."""
    with gr.Column(elem_id="run-curves", visible=False) as sheet, gr.Column(elem_classes="sheet", elem_id="loss-panel"):
        html(
            '<h2 class="sheet-title">Loss <span class="quiet">lower is better; held-out tickets are never '
            "learnt from</span></h2>"
        )
        chart = plot("loss-chart", "plot-tall", live=True)
    return sheet, chart


def _small(field: str) -> gr.HTML:
    title, unit = views.SMALL[field]
    with gr.Column(elem_classes="sheet small-sheet", min_width=140):
        html(f'<h3 class="sheet-title">{title} <span class="quiet">{unit}</span></h3>')
        return plot(f"chart-{field}", "plot-small", live=True)
