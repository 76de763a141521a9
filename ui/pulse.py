"""The pulse of the page: every few seconds it asks what is going on, and is told what has changed.

It asks past Gradio's events: each of those costs the browser half a second of a core (Gradio 6 goes through all
components of the page), which a run without a GPU has to do without; with an event every 4 seconds it made 65 tokens a
second in place of 112 (two cores). Asked like this a page costs a tenth at most (tests/benchmarks/bench_page.py). An
event follows only when a data set, a run or an adapter comes, goes, or changes its state.
"""

import secrets
import zlib
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.model.device import DeviceReport
from engine.studio import Studio, StudioSnapshot
from ui import sidebar, status_bar, training_tab
from ui.html import html
from ui.window import Window
from ui.wiring import listen

PROGRAM = secrets.token_hex(8)
"""Another one after a restart: a page that was hidden meanwhile has to begin again, since its selections are gone."""

IDLE = 4.0
"""Seconds between two questions while nothing is going on."""

WARM = 2
"""The question at which the heavy libraries begin to be imported: not before the page has settled; it takes a core."""


@dataclass(frozen=True)
class Pulse:
    """Components; their elem_ids in brackets."""

    asks: gr.HTML
    """[pulse], empty; raises 'changed'"""
    version: gr.State
    """Changes whenever a data set, a run or an adapter comes, goes, or changes its state; tabs listen to it."""


def build(studio: Studio) -> Pulse:
    """Make the components."""

    def glance(asked: dict[str, Any]) -> dict[str, Any]:
        return answer(studio, asked)

    script = "ticketTuner.pulse(server, () => trigger('changed'))"
    return Pulse(html(elem_id="pulse", script=script, server=(glance,)), gr.State(""))


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.pulse, window.page, window.studio

    def changed(dataset: str | None, run: str | None, voices: list[str]) -> dict[Any, Any]:
        return {
            ui.version: version(studio, studio.snapshot()),
            window.sidebar.lists: sidebar.lists(studio, dataset or "", run or "", voices),
        }

    outputs = [ui.version, window.sidebar.lists]
    listen(ui.asks.changed, changed, [page.dataset, page.run, page.voices], outputs)


def answer(studio: Studio, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a page.

    Args:
        studio: The engine.
        asked: 'run' and 'overlays', ids of the runs that the page shows; 'marks', by elem_id those of what it has,
            empty where it has nothing; 'looks', how often it has asked.

    Returns:
        'values' by elem_id of what has changed and their 'marks'; the 'version'; 'program', which differs after a
        restart; 'wait', seconds to the next question.
    """
    if asked.get("looks") == WARM:
        studio.warm_up()
    snapshot, runs = studio.snapshot(), studio.runs()
    run, overlays, known = str(asked.get("run", "")), list(asked.get("overlays", ())), dict(asked.get("marks", {}))
    now = status_bar.live(snapshot, runs, run)
    if known.keys() - now.keys():
        now |= training_tab.live(snapshot, runs, run, overlays)
    marks = {name: _mark(value) for name, value in now.items()}
    new = {name for name in now if name in known and known[name] != marks[name]}
    return {
        "values": {name: now[name] for name in new},
        "marks": {name: marks[name] for name in new},
        "version": version(studio, snapshot),
        "program": PROGRAM,
        "wait": pace(snapshot.device) if snapshot.job else IDLE,
    }


def pace(device: DeviceReport) -> float:
    """Return the seconds between two questions during a run; without a GPU its steps take seconds anyway."""
    return 1.0 if device.kind == "cuda" else 4.0


def version(studio: Studio, snapshot: StudioSnapshot) -> str:
    """Return a value that differs whenever a tab should look again."""
    job = (snapshot.job.run, snapshot.job.state) if snapshot.job else None
    return _mark(repr((snapshot.device.kind, snapshot.model, studio.revision(), job)))


def _mark(value: str) -> str:
    """A short value that tells one text from another."""
    return f"{zlib.crc32(value.encode()):08x}"
