"""The part of the tab 'Tickets' that brings an export in: drop zone, sample shop, progress.

Owns the components and how they hang together; what was recognised of a file is source_panel.py's.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.task import Task
from engine.tickets.importing.detect import Detection
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import SourceOverrides
from ui import parts
from ui.context import Context
from ui.events import bind, once
from ui.server.doors.uploads import MOST_FILES, PACK
from ui.state.page import first_look
from ui.task_registry import PREPARE, looking
from ui.tickets import prepare_options, source_panel
from ui.tickets.source_panel import Guess

MOMENT = 0.5
"""Seconds after which looking into files is shown as work under way."""


def wire(context: Context) -> None:
    """Attach the handlers."""
    _wire_looking(context)
    _wire_preparing(context)


def _wire_looking(context: Context) -> None:
    """What is dropped is looked into, and again whenever somebody corrects what was recognised."""
    ui, source = context.importing, context.importing.source

    def look(files: list[str] | None, session: str) -> Iterator[dict[Any, Any]]:
        paths = [Path(file) for file in files or []]
        if not paths:
            return
        if len(paths) > MOST_FILES:
            many = StudioError(f"These are {len(paths):,} files; {MOST_FILES:,} are taken at once.", PACK)
            yield {**_dropping(context), ui.notice: parts.failure(many)}
            return

        def failed(told: str) -> dict[Any, Any]:  # the drop zone is emptied, so that the right file can be dropped
            return {**_dropping(context), ui.progress: "", ui.notice: told}

        recognised = yield from looked_into(context, session, paths, None, failed)
        if recognised is not None:
            yield taken(context, recognised, paths[0].stem, Guess())

    def look_again(
        files: list[str] | None, session: str, guessed: Guess, *corrections: Any
    ) -> Iterator[dict[Any, Any]]:
        paths = guessed.paths(files)
        if not paths:
            return

        def failed(told: str) -> dict[Any, Any]:
            return {ui.progress: "", source.notice: told}

        overrides = source_panel.overrides(guessed, *corrections)
        recognised = yield from looked_into(context, session, paths, overrides, failed)
        if recognised is not None:
            shown = source_panel.recognised(source, recognised)
            shown.pop(source.fields.country, None)  # what the person has chosen there stays
            agents = guessed.agents if overrides.agents else guessed.with_found(recognised).agents
            yield {**shown, ui.progress: "", source.guessed: replace(guessed, agents=agents)}

    # No lane: what is dropped last takes the place of what is still looked into.
    shown = [ui.files, *taken_outputs(context)]
    dropped, again = [ui.files, context.page.session], [ui.progress, source.guessed, *source.recognition]
    bind(ui.files.upload, look, dropped, shown, lane="")
    for control in (source.format, source.encoding, source.delimiter, source.sheet, *source.columns.values()):
        bind(control.input, look_again, [*dropped, *source.corrections], again, lane="")
    another = [ui.files, ui.notice, ui.start, source.panel, source.guessed]
    bind(source.another.click, lambda: {**_dropping(context), ui.notice: ""}, [], another)


def _wire_preparing(context: Context) -> None:
    """What was dropped becomes a data set, or the sample shop does."""
    ui, source, tickets, tasks = context.importing, context.importing.source, context.studio.tickets, context.tasks

    def cancel(session: str) -> None:
        tasks.cancel(PREPARE)
        tasks.cancel(looking(session))

    def prepare(files: list[str] | None, name: str, *values: Any) -> dict[Any, Any]:
        count = len(source.fields.inputs)
        guessed: Guess = values[count]
        paths = guessed.paths(files)
        if not paths:
            raise StudioError("No file has been dropped yet.", "Drop an export, or try the sample shop.")
        hub = guessed.fetched.record if guessed.fetched else {}
        base = PrepareOptions(source_panel.overrides(*values[count:]), hub=hub)
        options = prepare_options.chosen(base, *values[:count])
        tasks.start(PREPARE, lambda: tickets.prepare(paths, (name or "").strip() or paths[0].stem, options))
        return busy(context)

    def prepare_sample() -> dict[Any, Any]:
        tasks.start(PREPARE, tickets.prepare_sample)
        return busy(context)

    def watch(files: list[str] | None, guessed: Guess) -> dict[Any, Any]:
        return _progress(context, bool(guessed.paths(files)))

    ended = [*ui.progress_outputs, ui.files, source.guessed, context.page.dataset, context.page.look]
    values = [ui.files, source.name, *source.fields.inputs, *source.corrections]
    once(source.prepare, prepare, values, ui.progress_outputs)
    once(ui.sample, prepare_sample, [], ui.progress_outputs, name="prepare_sample")
    bind(ui.timer.tick, watch, [ui.files, source.guessed], ended)
    bind(ui.progress.cancel, cancel, [context.page.session])


def looked_into(
    context: Context,
    session: str,
    paths: list[Path],
    overrides: SourceOverrides | None,
    failed: Callable[[str], dict[Any, Any]],
) -> Generator[dict[Any, Any], None, Detection | None]:
    """Look into files, and show so.

    Args:
        context: The window's parts.
        session: Whose files these are; what the same person asks later takes their place.
        paths: The files.
        overrides: What the person has corrected.
        failed: What is shown where they cannot be read; it gets the reason as HTML, empty where it was cancelled.

    Returns:
        What was recognised; None where it failed, or where something else was dropped or corrected meanwhile.
    """
    tasks = context.tasks
    task = tasks.replace(looking(session), lambda: context.studio.tickets.detect(paths, overrides))
    yield from _while_looking(context, task)
    if not tasks.is_newest(looking(session), task):
        return None
    try:
        return task.wait()
    except StudioError as error:
        yield failed("" if task.cancelled else parts.failure(error))
        return None


def _while_looking(context: Context, task: Task[Any]) -> Iterator[dict[Any, Any]]:
    """Show that the files are being looked into, once that takes longer than a moment."""
    if not task.ended(MOMENT):
        yield {context.importing.progress: parts.task_progress(task.snapshot())}
        task.ended(None)


def _dropping(context: Context) -> dict[Any, Any]:
    """The empty drop zone."""
    ui = context.importing
    return {
        ui.files: None,
        ui.source.guessed: Guess(),
        ui.source.panel: gr.Column(visible=False),
        ui.start: gr.Column(visible=True),
    }


def taken(context: Context, recognised: Detection, name: str, guess: Guess) -> dict[Any, Any]:
    """Show what was dropped or fetched, and what can be done with it.

    Args:
        context: The window's parts.
        recognised: What it is.
        name: What the data set is called, if nobody says otherwise.
        guess: Says where the files lie.
    """
    ui, source = context.importing, context.importing.source
    return {
        **source_panel.recognised(source, recognised),
        ui.progress: "",
        ui.notice: "",
        source.sheet: gr.Dropdown(source_panel.sheets(recognised), value="", visible=bool(recognised.sheets)),
        source.guessed: guess.with_found(recognised),
        source.name: name[:80],
        source.panel: gr.Column(visible=True),
        ui.start: gr.Column(visible=False),
    }


def taken_outputs(context: Context) -> list[Any]:
    """What :func:`taken` sets."""
    ui, source = context.importing, context.importing.source
    return [ui.progress, ui.notice, ui.start, source.panel, source.name, source.guessed, *source.recognition]


def busy(context: Context) -> dict[Any, Any]:
    """What the panel shows from the moment an import begins."""
    ui = context.importing
    return {
        ui.notice: "",
        ui.progress: parts.task_progress(context.tasks.seen(PREPARE)),
        ui.timer: gr.Timer(active=True),
        ui.start: gr.Column(visible=False),
        ui.source.panel: gr.Column(visible=False),
    }


def _progress(context: Context, dropped: bool) -> dict[Any, Any]:
    """What the panel shows while an import goes on, and when it has ended.

    Args:
        context: The window's parts.
        dropped: Whether files wait in the drop zone.
    """
    ui, task = context.importing, context.tasks.seen(PREPARE)
    if task is None:
        return {ui.timer: gr.Timer(active=False)}
    if task.state == "running":
        return {ui.progress: parts.task_progress(task)}
    ended = {
        ui.timer: gr.Timer(active=False),
        ui.progress: "",
        ui.start: gr.Column(visible=not dropped),
        ui.source.panel: gr.Column(visible=dropped),
    }
    if task.state == "done":
        return {**ended, **_dropping(context), context.page.dataset: task.result, context.page.look: first_look()}
    cancelled = parts.banner("The import was cancelled.", "Nothing was kept of it.", "note")
    return {**ended, ui.notice: parts.failure(task.error) if task.error else cancelled}


def resume(context: Context) -> dict[Any, Any]:
    """What a page that has just been opened shows of an import under way."""
    seen = context.tasks.seen(PREPARE)
    return busy(context) if seen is not None and seen.state == "running" else {}
