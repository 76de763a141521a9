"""The status bar: device and memory, the model that is loaded, the run in progress, the newest held-out loss."""

import gradio as gr

from engine.studio import RunInfo, StudioSnapshot
from engine.training.runs.events import Evaluated
from ui.html import html
from ui.shell import views

LINE = "status-bar"


def build() -> gr.HTML:
    """Make it: [status-bar], with [status-device], [status-model], [status-job], [status-heldout]."""
    return html(elem_id=LINE, live=True)


def live(snapshot: StudioSnapshot, runs: list[RunInfo], run: str) -> dict[str, str]:
    """Return what it says now, by elem_id; ``run`` is the selected one."""
    return {LINE: str(views.status_bar(snapshot, *_heldout(snapshot, runs, run)))}


def _heldout(snapshot: StudioSnapshot, runs: list[RunInfo], run: str) -> tuple[Evaluated | None, str]:
    """The newest check on held-out tickets of the run in progress, else of the selected one, and whose it is."""
    wanted = snapshot.job.run if snapshot.job else run
    found = next((seen for seen in runs if seen.id == wanted), None)
    if found is None or found.history.checked is None:
        return None, ""
    return found.history.checked, found.status.name
