"""The status bar, and the pulse of the page: a timer that asks the engine how things are and wakes what has changed."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.model.device import DeviceReport
from engine.studio import RunInfo, StudioSnapshot
from engine.training.events import Evaluated
from ui.html import html
from ui.views import shell
from ui.window import Window
from ui.wiring import listen

IDLE = 4.0
"""Seconds between two looks while nothing is going on."""

WARM = 3
"""The look at which the heavy libraries begin to be imported: not before the page has settled; it takes a core."""


@dataclass(frozen=True)
class StatusBar:
    """Components; their elem_ids in brackets."""

    line: gr.HTML
    """[status-bar], with [status-device], [status-model], [status-job], [status-heldout]"""
    timer: gr.Timer
    seen: gr.State
    """What was shown last, so that only what is new is sent."""
    version: gr.State
    """Changes whenever a data set, a run or an adapter comes, goes, or changes its state; tabs listen to it."""


def pace(device: DeviceReport) -> float:
    """Return the seconds between two looks at a run.

    Every look costs the browser a quarter of a second of a core (Gradio 6 goes through all components of the page;
    measured on two cores), which a run without a GPU has to do without; its steps take seconds anyway.
    """
    return 1.5 if device.kind == "cuda" else 4.0


def build() -> StatusBar:
    """Make the components."""
    return StatusBar(html(elem_id="status-bar"), gr.Timer(IDLE / 2), gr.State({}), gr.State(""))


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.status_bar, window.page, window.studio

    def look(seen: dict[str, Any], dataset: str | None, run: str | None, voices: list[str]) -> dict[Any, Any]:
        looks = seen.get("looks", 0) + 1
        if looks == WARM:
            studio.warm_up()
        snapshot, sets, runs, known = studio.snapshot(), studio.tickets.all(), studio.runs(), studio.voices()
        now = {
            ui.line: shell.status_bar(snapshot, *_heldout(snapshot, runs, run or "")),
            window.sidebar.lists: shell.sidebar(sets, runs, known, dataset or "", run or "", voices),
            ui.version: _version(snapshot, shell.sidebar(sets, runs, known, "", "", ())),
            ui.timer: pace(snapshot.device) if snapshot.job else IDLE,
        }
        marks = {component._id: hash(str(value)) for component, value in now.items()}
        fresh = {
            component: value for component, value in now.items() if marks[component._id] != seen.get(component._id)
        }
        if looks == 1:
            fresh.pop(ui.version)
        return {**fresh, ui.seen: {**marks, "looks": looks}}

    outputs = [ui.line, ui.timer, ui.seen, ui.version, window.sidebar.lists]
    listen(ui.timer.tick, look, [ui.seen, page.dataset, page.run, page.voices], outputs)


def _heldout(snapshot: StudioSnapshot, runs: list[RunInfo], run: str) -> tuple[Evaluated | None, str]:
    """The newest check on held-out tickets of the run in progress, else of the selected one, and whose it is."""
    wanted = snapshot.job.run if snapshot.job else run
    found = next((seen for seen in runs if seen.id == wanted), None)
    if found is None or not found.history.evaluations:
        return None, ""
    return found.history.evaluations[-1], found.status.name


def _version(snapshot: StudioSnapshot, lists: str) -> str:
    """A value that differs whenever a tab should look again."""
    return str(hash((snapshot.device.kind, snapshot.model, str(lists))))
