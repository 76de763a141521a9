"""Preparing a data set again: with other options, with the changes of the privacy review, or from a newer export.

Owns these components. What was changed by hand stays; so does the old data set until the new one is complete.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.tickets.dataset.provenance import Origin
from engine.tickets.options import PrepareOptions
from ui import parts, words
from ui.context import Context
from ui.events import bind, once
from ui.task_registry import repreparing
from ui.tickets import prepare_options


def wire(context: Context, redraw: Callable[..., dict[Any, Any]], state: list[Any], outputs: list[Any]) -> None:
    """Attach the handlers.

    Args:
        context: The window's parts.
        redraw: Draws the whole tab from the values of ``state``.
        state: Its inputs, the data set first.
        outputs: Its outputs.
    """
    ui, page = context.tickets.reprepare, context.page

    def prepare_again(dataset: str, files: list[str] | None, *values: Any) -> dict[Any, Any]:
        base = context.studio.tickets.origin(dataset).wanted
        options = prepare_options.chosen(base, *values)
        return begin(context, dataset, options, [Path(file) for file in files or []])

    def watch(*values: Any) -> dict[Any, Any]:
        task = context.tasks.seen(repreparing(values[0]))
        if task is not None and task.state == "running":
            return {ui.progress: parts.task_progress(task)}
        drawn = {**redraw(*values), ui.files: None, ui.timer: gr.Timer(active=False)}
        # The person may have moved on since the timer looked: where they are is theirs.
        for moved in (page.look, context.tickets.data, context.importing.panel, context.importing.back):
            drawn.pop(moved, None)
        if task is not None and task.state != "done":
            stopped = parts.banner("It was cancelled.", "The data set is as it was before.", "note")
            drawn[ui.progress] = parts.failure(task.error) if task.error else stopped
        return drawn

    def cancel(dataset: str) -> None:
        context.tasks.cancel(repreparing(dataset))

    def forget(dataset: str) -> dict[Any, Any]:
        context.studio.tickets.forget_sources(dataset)
        return {ui.about: about(context.studio.tickets.origin(dataset))}

    start = [page.dataset, ui.files, *ui.fields.inputs]
    once(ui.start, prepare_again, start, [ui.progress, ui.timer, ui.panel])
    bind(ui.timer.tick, watch, state, outputs)
    bind(ui.progress.cancel, cancel, [page.dataset])
    bind(ui.about.forget, forget, [page.dataset], [ui.about])


def begin(
    context: Context, dataset: str, options: PrepareOptions | None = None, files: list[Path] | None = None
) -> dict[Any, Any]:
    """Start to prepare again, and show it.

    Raises:
        StudioError: The export was not kept and none was dropped, or it is under way already.
    """
    ui, tickets = context.tickets.reprepare, context.studio.tickets
    if not files and not tickets.origin(dataset).kept:
        raise StudioError(
            "The export was not kept with this data set.", "Drop it once more under ‘Prepare again’ and start there."
        )
    context.tasks.start(repreparing(dataset), lambda: tickets.prepare_again(dataset, options, files or ()))
    return {
        ui.progress: parts.task_progress(context.tasks.seen(repreparing(dataset))),
        ui.timer: gr.Timer(active=True),
        ui.panel: gr.Accordion(open=False),
    }


def shown(context: Context, dataset: str) -> dict[Any, Any]:
    """The panel of a data set; the progress where it is being prepared again."""
    ui, tickets = context.tickets.reprepare, context.studio.tickets
    seen, origin = context.tasks.seen(repreparing(dataset)), tickets.origin(dataset)
    return {
        ui.progress: parts.task_progress(seen),
        ui.timer: gr.Timer(active=seen is not None and seen.state == "running"),
        ui.about: about(origin),
        **prepare_options.shown(ui.fields, origin.used, tickets.get(dataset).report.languages),
    }


def about(origin: Origin) -> Markup:
    """Say how a data set was prepared, and whether its export is kept."""
    how = prepare_options.in_words(origin.used)
    if not origin.kept:
        told = Markup("The export is not kept with it: drop it again to change something.")
    else:
        names = words.listed([name for name, _ in origin.files[:3]])
        more = f" and {len(origin.files) - 3} more" if len(origin.files) > 3 else ""
        told = Markup(
            "A copy of the export that only you can read is kept with it ({}{}, {})."
            '<details class="forget"><summary class="link">Delete the copy</summary><span>To change something later, '
            'the export has to be dropped again.</span> <button type="button" class="button small" data-do="forget">'
            "Really delete</button></details>"
        ).format(names, more, words.file_size(origin.bytes))
    return Markup(
        "<p>Prepared with: {}.</p><div>{}</div>"
        '<p class="quiet">What you changed by hand, allowed, added or left out stays. Runs keep their own copy.</p>'
    ).format(how, told)
