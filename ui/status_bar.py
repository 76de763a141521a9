"""The status bar, and the pulse of the page: a timer that asks the engine how things are and wakes what has changed."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.studio import Studio
from ui import sidebar
from ui.html import html
from ui.views import shell
from ui.window import Window
from ui.wiring import listen

BUSY, IDLE = 1.0, 3.0
"""Seconds between two looks while something is going on, and otherwise."""


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


def build() -> StatusBar:
    """Make the components."""
    return StatusBar(html(elem_id="status-bar"), gr.Timer(BUSY), gr.State({}), gr.State(""))


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.status_bar, window.page, window.studio

    def look(seen: dict[str, Any], dataset: str, run: str, voices: list[str]) -> dict[Any, Any]:
        studio.warm_up()
        snapshot = studio.snapshot()
        line = shell.status_bar(snapshot, *_heldout(studio, run))
        lists = sidebar.lists(studio, dataset, run, voices)
        version = str(hash(sidebar.lists(studio, "", "", ())))
        pace = BUSY if snapshot.job else IDLE
        now = {"line": str(line), "lists": str(lists), "version": version, "pace": pace}
        shown = {"line": (ui.line, line), "lists": (window.sidebar.lists, lists), "version": (ui.version, version), "pace": (ui.timer, gr.Timer(pace))}
        fresh = {component: value for name, (component, value) in shown.items() if now[name] != seen.get(name)}
        return {**fresh, ui.seen: now} if fresh else {}

    outputs = [ui.line, ui.timer, ui.seen, ui.version, window.sidebar.lists]
    listen(ui.timer.tick, look, [ui.seen, page.dataset, page.run, page.voices], outputs, queue=False)


def _heldout(studio: Studio, run: str) -> tuple[float | None, str]:
    """The newest held-out loss of the run in progress, else of the selected one, and whose it is."""
    snapshot = studio.snapshot()
    wanted = snapshot.job.run if snapshot.job else run
    found = next((seen for seen in studio.runs() if seen.id == wanted), None)
    if found is None or not found.history.evaluations:
        return None, ""
    return found.history.evaluations[-1].loss, found.status.name
