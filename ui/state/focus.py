"""Which data set, run and adapter belong together, so that a choice of one selects the others too."""

from collections.abc import Sequence
from typing import Any

from engine.studio import RunInfo
from engine.tickets.library import DataSetInfo
from ui.services import Studio
from ui.state.page import Page


def focused_run(datasets: Sequence[DataSetInfo], runs: Sequence[RunInfo], dataset: str, run: str) -> str:
    """Return the selected run's id where it belongs to the selected data set, or to none that is there; else empty."""
    found = next((seen for seen in runs if seen.id == run), None)
    if found is None:
        return ""
    learnt_from = found.status.dataset
    return run if learnt_from == dataset or learnt_from not in {seen.id for seen in datasets} else ""


def select_run(page: Page, studio: Studio, run: str) -> dict[Any, Any]:
    """Select a run, and the data set that it has learnt from, where that is still there."""
    dataset = next((seen.status.dataset for seen in studio.runs.all() if seen.id == run), "")
    known = dataset in {seen.id for seen in studio.tickets.all()}
    return {page.run: run, **({page.dataset: dataset} if known else {})}


def run_beside(studio: Studio, dataset: str, run: str) -> str:
    """Return the run to select with a data set: the selected one or the newest of its own, where it has any."""
    its_own = [seen.id for seen in studio.runs.all() if seen.status.dataset == dataset]
    return run if run in its_own or not its_own else its_own[0]


def preferred(chosen: str, selected: str, before: str | None) -> tuple[str, ...]:
    """Return what a tab shows, the best first, where it has a choice of its own beside the sidebar's.

    Args:
        chosen: Chosen in the tab, or shown there so far; empty for nothing yet.
        selected: The run that is selected in the sidebar, or empty.
        before: The same when the tab was last drawn; None where it was not drawn yet.
    """
    return (selected, chosen) if before is not None and selected != before else (chosen, selected)


def is_imported(voice: str) -> bool:
    """Whether an id is that of an adapter that was brought in."""
    return voice.startswith("adapter:")


def run_of(voice: str) -> str:
    """Return the run that an adapter comes from, by their ids; empty for one that was brought in."""
    return voice.removeprefix("run:").partition("+")[0].partition("@")[0] if voice.startswith("run:") else ""
