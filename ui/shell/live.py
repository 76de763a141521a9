"""What keeps a page up to date: every few seconds it asks what is going on, and is told what has changed.

It asks past Gradio's events: each of those costs the browser half a second of a core (Gradio 6 goes through all
components of the page), which a run without a GPU has to do without; with an event every 4 seconds it made 65 tokens a
second in place of 112 (two cores). Asked like this a page costs a tenth at most (tests/benchmarks/bench_page.py). An
event follows only when a data set, a run or an adapter comes, goes, or changes its state.

The page learns the name that Gradio has given it from the first event, and brings it along to a route of its own: what
took 20 ms of a core through Gradio takes 2 there, and thirty pages ask eight times a second.
"""

import secrets
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import orjson
from anyio import to_thread
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from engine.hardware import DeviceReport
from engine.studio import RunInfo, StudioSnapshot
from ui.html import html
from ui.services import Studio
from ui.shell import status_bar
from ui.training.live import live as live_training

PROGRAM = secrets.token_hex(8)
"""Another one after a restart: a page that was hidden meanwhile has to begin again, since its selections are gone."""

IDLE = 4.0
"""Seconds between two questions while nothing is going on."""

LONGEST = 100_000
"""Bytes of a question; one of a page with a hundred runs laid over each other has 10,000."""

WARM = 2
"""The question at which the heavy libraries begin to be imported: not before the page has settled; it takes a core."""


@dataclass(frozen=True)
class Live:
    """Components; their elem_ids in brackets."""

    asks: gr.HTML
    """[live], the page's name and version;
    raises 'changed' whenever a data set, a run or an adapter comes, goes, or changes its state"""
    route: Callable[[Request], Awaitable[Response]]
    """Answers POST /live."""


def build(studio: Studio, begun: Callable[[str], bool]) -> Live:
    """Make the components.

    Args:
        studio: The engine.
        begun: Says whether the selections of a page, named by Gradio's session hash, are here.
    """

    async def live(request: Request) -> Response:
        body = await request.body()
        try:
            asked = orjson.loads(body) if len(body) <= LONGEST else None
            if not isinstance(asked, dict) or not isinstance(page := asked.get("page"), str):
                raise TypeError("no question of a page")
            found = {**await to_thread.run_sync(answer, studio, asked), "begun": begun(page)}
        except (ValueError, TypeError, AttributeError):
            return Response("This is no question of a page.", status_code=400, media_type="text/plain")
        return Response(orjson.dumps(found), media_type="application/json")

    return Live(html(elem_id="live", script="ticketTuner.live(() => trigger('changed'))"), live)


def answer(studio: Studio, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a page.

    Args:
        studio: The engine.
        asked: 'run' and 'overlays', ids of the runs that the page shows; 'marks', by elem_id those of what it has,
            empty where it has nothing; 'looks', how often it has asked.

    Returns:
        'values' by elem_id of what has changed and their 'marks'; the 'title' of the browser's tab; the 'version';
        'program', which differs after a restart; 'wait', seconds to the next question.
    """
    if asked.get("looks") == WARM:
        studio.warm_up()
    snapshot, runs = studio.snapshot(), studio.runs.all()
    run, overlays, page_marks = str(asked.get("run", "")), list(asked.get("overlays", ())), dict(asked.get("marks", {}))
    now = status_bar.live(snapshot, runs, run)
    if page_marks.keys() - now.keys():
        now |= live_training(snapshot, runs, run, overlays, studio.replies.strip)
    marks = {name: _mark(value) for name, value in now.items()}
    new = {name for name in now if name in page_marks and page_marks[name] != marks[name]}
    return {
        "values": {name: now[name] for name in new},
        "marks": {name: marks[name] for name in new},
        "title": title(snapshot, runs, str(asked.get("followed", ""))),
        "version": version(studio, snapshot),
        "program": PROGRAM,
        "wait": pace(snapshot.device) if snapshot.job else IDLE,
    }


def title(snapshot: StudioSnapshot, runs: list[RunInfo], followed: str) -> dict[str, str]:
    """Say what the browser's tab is called: how far the run in progress is, and how one that was followed has ended.

    Args:
        snapshot: The machine now.
        runs: All runs.
        followed: The run that the page has last seen in progress.

    Returns:
        'run', the run in progress or empty, and 'text', empty where there is nothing to say.
    """
    if snapshot.job:
        return {"run": snapshot.job.run, "text": f"{snapshot.job.whole:.0%} · {snapshot.job.name}"}
    ended = next((run.status for run in runs if run.id == followed), None)
    said = {"finished": "Done", "failed": "Failed"}.get(ended.state, "") if ended else ""
    return {"run": "", "text": f"{said} · {ended.name}" if ended and said else ""}


def seen(studio: Studio, page: str) -> Markup:
    """Tell a page that is drawn now its name and its version, so that it hears of what changes from here on."""
    return Markup('<i data-page="{}" data-version="{}"></i>').format(page, version(studio, studio.snapshot()))


def pace(device: DeviceReport) -> float:
    """Return the seconds between two questions during a run; without a GPU its steps take seconds anyway."""
    return 1.0 if device.kind == "cuda" else 4.0


def version(studio: Studio, snapshot: StudioSnapshot) -> str:
    """Return a value that differs whenever a page should look again."""
    job = (snapshot.job.run, snapshot.job.state, snapshot.job.phase) if snapshot.job else None
    return _mark(repr((snapshot.device.kind, snapshot.model, studio.revision(), job)))


def _mark(value: str) -> str:
    """A short value that tells one text from another."""
    return f"{zlib.crc32(value.encode()):08x}"
