"""What the tab 'Training' says of a run now, as text by elem_id: for the tab, and for pages that look again."""

import time
from collections.abc import Callable
from functools import lru_cache

from engine.studio import RunInfo, StudioSnapshot
from engine.training.runs.progress import JobSnapshot
from engine.verdict.replies import Strip
from ui.training import runs_table as runs_views
from ui.training import views
from ui.training.forgetting import forgetting
from ui.training.layers import layers
from ui.training.replies import replies


def selected_run(snapshot: StudioSnapshot, runs: list[RunInfo], run: str) -> RunInfo | None:
    """The selected run; the one in progress or the newest where that is gone."""
    for wanted in (run, snapshot.job.run if snapshot.job else ""):
        for info in runs:
            if info.id == wanted:
                return info
    return runs[0] if runs else None


def live(
    snapshot: StudioSnapshot,
    runs: list[RunInfo],
    run: str,
    overlays: list[str],
    strip: Callable[[str], Strip | None],
) -> dict[str, str]:
    """Return what the tab says of a run now, by elem_id.

    Args:
        snapshot: The machine now.
        runs: All runs.
        run: The selected one.
        overlays: Runs that are laid over it.
        strip: Finds what a run was answered on the way.
    """
    info = selected_run(snapshot, runs, run)
    if info is None:
        return {}
    others = tuple(other for name in overlays for other in runs if other.id == name and name != info.id)
    return {
        "run-title": str(views.heading(info, overlays)),
        "run-progress": str(views.progress(info, job_of(info, snapshot))),
        "run-replies": str(replies(info, strip(info.id))),
        "runs": str(runs_views.runs_table(runs, info.id, overlays, time.time())),
        **_drawn(info, others),
    }


@lru_cache(maxsize=16)
def _drawn(info: RunInfo, others: tuple[RunInfo, ...]) -> dict[str, str]:
    """What of it changes with the run's curve alone: drawn once for all pages and looks."""
    return {
        "loss-chart": views.loss_chart(info, others),
        "run-forgetting": str(forgetting(info)),
        "run-layers": str(layers(info)),
        "run-facts": str(views.facts(info.history)),
        "run-log": str(views.log(info.history)),
        **{f"chart-{field}": views.small_chart(info, field) for field in views.SMALL},
    }


def job_of(info: RunInfo, snapshot: StudioSnapshot) -> JobSnapshot | None:
    """How far the run is, while it is the one under way."""
    return snapshot.job if snapshot.job and snapshot.job.run == info.id else None
