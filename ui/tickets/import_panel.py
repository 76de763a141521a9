"""The part of the tab 'Tickets' that brings an export in: drop zone, sample shop, progress.

Owns the components and how they hang together; what was recognised of a file is source_panel.py's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.task import Task
from engine.tickets.options import PrepareOptions
from ui import parts
from ui.context import Window
from ui.events import listen, once
from ui.html import html
from ui.server.doors.uploads import MOST_FILES, PACK
from ui.state.page import first_look
from ui.task_registry import PREPARE, looking
from ui.tickets import prepare_options, source_panel
from ui.tickets.source_panel import SourcePanel

MOMENT = 0.5
"""Seconds after which looking into files is shown as work under way."""

FORMATS = (
    '<p class="quiet">Zendesk, Freshdesk, Intercom, Help Scout, HubSpot, Jira Service Management, ServiceNow, Zammad, '
    "Zoho Desk, Gorgias, Front, osTicket, Chatwoot, OTRS and Znuny; mailboxes (mbox, EML, Outlook MSG); tables (CSV, "
    "TSV, XLSX); chat data (OpenAI, ShareGPT, Alpaca, preference pairs). Also as .gz or .zip. What it is, is read off "
    "the content.</p>"
)
"""What goes in; as in the README."""


@dataclass(frozen=True)
class ImportPanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Column
    """[import]"""
    notice: gr.HTML
    """[import-notice]"""
    start: gr.Column
    """[import-start]: drop zone and sample."""
    files: gr.File
    """[drop]"""
    back: gr.Button
    """[import-back]"""
    sample: gr.Button
    """[try-sample]"""
    source: SourcePanel
    """[source]: what was recognised, and what to do with it."""
    progress: gr.HTML
    """[prepare-progress]; raises 'cancel'"""
    timer: gr.Timer

    @property
    def progress_outputs(self) -> list[Any]:
        """What :func:`busy` sets."""
        return [self.notice, self.progress, self.timer, self.start, self.source.panel]


def build() -> ImportPanel:
    """Make the components."""
    with gr.Column(elem_id="import", elem_classes="narrow", visible=False) as panel:
        html(
            parts.empty(
                "Start with your tickets",
                "Drop the export of your help desk. You will see what a model would learn from it before anything is "
                "trained; nothing leaves this computer.",
            )
        )
        notice = html(elem_id="import-notice")
        with gr.Column(elem_id="import-start") as start:
            files = gr.File(
                label="Export of your help desk: one file or several",
                file_count="multiple",
                type="filepath",
                elem_id="drop",
                elem_classes="drop",
                height=150,
            )
            with gr.Row(elem_classes="bar-row"):
                html(FORMATS)
                back = gr.Button("Back", elem_id="import-back", visible=False, scale=0, min_width=80)
                sample = gr.Button(
                    "Try the sample shop", elem_id="try-sample", variant="primary", scale=0, min_width=180
                )
        source = source_panel.build()
        progress = html(elem_id="prepare-progress", raises=("cancel",))
    return ImportPanel(panel, notice, start, files, back, sample, source, progress, gr.Timer(0.5, active=False))


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, source, tickets, work = window.importing, window.importing.source, window.studio.tickets, window.work

    def look(files: list[str] | None, session: str) -> Iterator[dict[Any, Any]]:
        paths = [Path(file) for file in files or []]
        if not paths:
            return
        if len(paths) > MOST_FILES:
            many = StudioError(f"These are {len(paths):,} files; {MOST_FILES:,} are taken at once.", PACK)
            yield {**_dropping(window), ui.notice: parts.failure(many)}
            return
        task = work.replace(looking(session), lambda: tickets.detect(paths))
        yield from _while_looking(window, task)
        if not work.is_newest(looking(session), task):
            return  # other files were dropped meanwhile
        try:
            found = task.wait()
        except StudioError as error:
            # The drop zone is emptied, so that the right file can be dropped at once.
            told = "" if task.cancelled else parts.failure(error)
            yield {**_dropping(window), ui.progress: "", ui.notice: told}
            return
        yield {
            **source_panel.recognised(source, found),
            ui.progress: "",
            ui.notice: "",
            source.guessed: found.mapping,
            source.name: paths[0].stem[:80],
            source.panel: gr.Column(visible=True),
            ui.start: gr.Column(visible=False),
        }

    def look_again(files: list[str] | None, session: str, *corrections: Any) -> Iterator[dict[Any, Any]]:
        if not files:
            return
        overrides = source_panel.overrides(*corrections)
        task = work.replace(looking(session), lambda: tickets.detect([Path(file) for file in files], overrides))
        yield from _while_looking(window, task)
        if not work.is_newest(looking(session), task):
            return  # something else was corrected meanwhile
        try:
            found = task.wait()
        except StudioError as error:
            yield {ui.progress: "", source.notice: "" if task.cancelled else parts.failure(error)}
            return
        shown = source_panel.recognised(source, found)
        kept = {part: value for part, value in shown.items() if part is not source.fields.country}
        yield {**kept, ui.progress: ""}

    def cancel(session: str) -> None:
        work.cancel(PREPARE)
        work.cancel(looking(session))

    def prepare(files: list[str] | None, name: str, *values: Any) -> dict[Any, Any]:
        paths = [Path(file) for file in files or []]
        if not paths:
            raise StudioError("No file has been dropped yet.", "Drop an export, or try the sample shop.")
        count = len(source.fields.inputs)
        base = PrepareOptions(source_panel.overrides(*values[count:]))
        options = prepare_options.chosen(base, *values[:count])
        work.start(PREPARE, lambda: tickets.prepare(paths, (name or "").strip() or paths[0].stem, options))
        return busy(window)

    def prepare_sample() -> dict[Any, Any]:
        work.start(PREPARE, tickets.prepare_sample)
        return busy(window)

    def watch(files: list[str] | None) -> dict[Any, Any]:
        return _progress(window, bool(files))

    shown = [ui.progress, ui.notice, ui.files, ui.start, source.panel, source.name, source.guessed, *source.recognition]
    ended = [*ui.progress_outputs, ui.files, window.page.dataset, window.page.look]
    corrections = source.corrections
    session = window.page.session
    # No lane: what is dropped last takes the place of what is still looked into.
    listen(ui.files.upload, look, [ui.files, session], shown, lane="")
    again = [ui.progress, *source.recognition]
    for control in (source.format, source.encoding, source.delimiter, *source.columns.values()):
        listen(control.input, look_again, [ui.files, session, *corrections], again, lane="")
    values = [ui.files, source.name, *source.fields.inputs, *corrections]
    once(source.prepare, prepare, values, ui.progress_outputs)
    once(ui.sample, prepare_sample, [], ui.progress_outputs, name="prepare_sample")
    listen(ui.timer.tick, watch, [ui.files], ended)
    listen(ui.progress.cancel, cancel, [session])
    another = [ui.files, ui.notice, ui.start, source.panel]
    listen(source.another.click, lambda: {**_dropping(window), ui.notice: ""}, [], another)


def _while_looking(window: Window, task: Task[Any]) -> Iterator[dict[Any, Any]]:
    """Show that the files are being looked into, once that takes longer than a moment."""
    if not task.ended(MOMENT):
        yield {window.importing.progress: parts.task_progress(task.snapshot())}
        task.ended(None)


def _dropping(window: Window) -> dict[Any, Any]:
    """The empty drop zone."""
    ui = window.importing
    return {ui.files: None, ui.source.panel: gr.Column(visible=False), ui.start: gr.Column(visible=True)}


def busy(window: Window) -> dict[Any, Any]:
    """What the panel shows from the moment an import begins."""
    ui = window.importing
    return {
        ui.notice: "",
        ui.progress: parts.task_progress(window.work.seen(PREPARE)),
        ui.timer: gr.Timer(active=True),
        ui.start: gr.Column(visible=False),
        ui.source.panel: gr.Column(visible=False),
    }


def _progress(window: Window, dropped: bool) -> dict[Any, Any]:
    """What the panel shows while an import goes on, and when it has ended.

    Args:
        window: The window.
        dropped: Whether files wait in the drop zone.
    """
    ui, seen = window.importing, window.work.seen(PREPARE)
    if seen is None:
        return {ui.timer: gr.Timer(active=False)}
    if seen.state == "running":
        return {ui.progress: parts.task_progress(seen)}
    ended = {
        ui.timer: gr.Timer(active=False),
        ui.progress: "",
        ui.start: gr.Column(visible=not dropped),
        ui.source.panel: gr.Column(visible=dropped),
    }
    if seen.state == "done":
        return {**ended, **_dropping(window), window.page.dataset: seen.result, window.page.look: first_look()}
    cancelled = parts.banner("The import was cancelled.", "Nothing was kept of it.", "note")
    return {**ended, ui.notice: parts.failure(seen.error) if seen.error else cancelled}


def resume(window: Window) -> dict[Any, Any]:
    """What a page that has just been opened shows of an import under way."""
    seen = window.work.seen(PREPARE)
    return busy(window) if seen is not None and seen.state == "running" else {}
