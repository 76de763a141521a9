"""The part of the tab 'Tickets' that brings an export in: drop zone, what was recognised, options, progress.

Owns the components and how they hang together. What a format is, and how it is read, the engine knows.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.tickets.columns import ROLES
from engine.tickets.dataset import Detection, PrepareOptions, SourceOverrides
from engine.tickets.detect import FORMATS
from ui.page import first_look
from ui.html import html
from ui.views import parts, tickets
from ui.window import Window
from ui.wiring import listen
from ui.work import PREPARE

ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-15", "cp1250", "cp1251", "shift_jis", "gb18030", "mac_roman")
"""Encodings to choose from; others can be typed."""

DELIMITERS = (("comma", ","), ("semicolon", ";"), ("tab", "tab"), ("bar", "|"))


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
    sample: gr.Button
    """[try-sample]"""
    back: gr.Button
    """[import-back]"""
    source: gr.Column
    """[source]: what was recognised, and what to do with it."""
    found: gr.HTML
    """[found]"""
    name: gr.Textbox
    """[data-set-name]"""
    change: gr.Accordion
    """[change]"""
    format: gr.Dropdown
    """[source-format]"""
    encoding: gr.Dropdown
    """[source-encoding]"""
    delimiter: gr.Dropdown
    """[source-delimiter]"""
    mapping: gr.Column
    """[columns]"""
    columns: dict[str, gr.Dropdown]
    """Role -> [column-ROLE]"""
    sample_rows: gr.HTML
    """[sample-rows]"""
    heldout: gr.Slider
    """[heldout]"""
    split: gr.Radio
    """[split]"""
    mask: gr.Checkbox
    """[mask]"""
    prepare: gr.Button
    """[prepare]"""
    another: gr.Button
    """[other-files]"""
    progress: gr.HTML
    """[prepare-progress]; raises 'cancel'"""
    guessed: gr.State
    """The mapping as it was guessed, so that only what a person changed is passed on."""
    timer: gr.Timer


def build() -> ImportPanel:
    """Make the components."""
    with gr.Column(elem_id="import", elem_classes="narrow") as panel:
        html(
            parts.empty(
                "Start with your tickets",
                "Drop the export of your help desk. You will see what a model would learn from it before anything is trained; nothing leaves this computer.",
            )
        )
        notice = html(elem_id="import-notice")
        with gr.Column(elem_id="import-start") as start:
            files = gr.File(
                label="Export of your help desk: one file or several", file_count="multiple", type="filepath", elem_id="drop", elem_classes="drop", height=150
            )
            with gr.Row(elem_classes="bar-row"):
                html('<p class="quiet">Zendesk, tables (CSV, TSV, XLSX), chat data (OpenAI, ShareGPT, Alpaca).</p>')
                back = gr.Button("Back", elem_id="import-back", visible=False, scale=0, min_width=80)
                sample = gr.Button("Try the sample shop", elem_id="try-sample", variant="primary", scale=0, min_width=180)
        with gr.Column(elem_id="source", elem_classes="sheet", visible=False) as source:
            parts_of_source = _build_source()
        progress = html(elem_id="prepare-progress", raises=("cancel",))
    return ImportPanel(
        panel=panel, notice=notice, start=start, files=files, sample=sample, back=back, source=source, progress=progress,
        guessed=gr.State({}), timer=gr.Timer(0.5, active=False), **parts_of_source,
    )  # fmt: skip


def _build_source() -> dict[str, Any]:
    found = html(elem_id="found")
    name = gr.Textbox(label="Name of the data set", elem_id="data-set-name", max_lines=1)
    with gr.Accordion("Change what was recognised", open=False, elem_id="change") as change:
        with gr.Row():
            format = gr.Dropdown(
                [("as recognised", ""), *((name, name) for name in FORMATS)], value="", label="Format", elem_id="source-format"
            )
            encoding = gr.Dropdown(
                [("as recognised", ""), *((name, name) for name in ENCODINGS)], value="", label="Encoding of the text",
                elem_id="source-encoding", allow_custom_value=True,
            )  # fmt: skip
            delimiter = gr.Dropdown([("as recognised", ""), *DELIMITERS], value="", label="Delimiter of the columns", elem_id="source-delimiter")
        with gr.Column(elem_id="columns", visible=False) as mapping:
            html(
                '<p class="quiet">Which column is what? Name question and answer (a row a ticket), or text, ticket and author or role (a row a message).</p>'
            )
            with gr.Row(elem_classes="column-grid"):
                columns = {
                    role: gr.Dropdown([("none", "")], value="", label=role.capitalize(), elem_id=f"column-{role}", min_width=150)
                    for role in ROLES
                }
            sample_rows = html(elem_id="sample-rows")
    with gr.Accordion("Options: what is held out, what is masked", open=False, elem_id="prepare-options"):
        with gr.Row():
            heldout = gr.Slider(
                0, 50, value=10, step=1, label="Held out to measure (%)", elem_id="heldout",
                info="Never learnt from; shows whether the model has learnt or only memorised.",
            )  # fmt: skip
            split = gr.Radio(
                [("the newest", "recent"), ("at random", "random")], value="recent", label="Which are held out", elem_id="split",
                info="The newest are next week's questions.",
            )  # fmt: skip
        mask = gr.Checkbox(
            True, label="Mask personal data", elem_id="mask", info="E-mail addresses and the like become placeholders. No detector is complete."
        )
    with gr.Row(elem_classes="bar-row end"):
        another = gr.Button("Other files", elem_id="other-files", scale=0, min_width=110)
        prepare = gr.Button("Prepare the tickets", variant="primary", elem_id="prepare", scale=0, min_width=180)
    return {
        "found": found, "name": name, "change": change, "format": format, "encoding": encoding, "delimiter": delimiter, "mapping": mapping, "columns": columns,
        "sample_rows": sample_rows, "heldout": heldout, "split": split, "mask": mask, "prepare": prepare, "another": another,
    }  # fmt: skip


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, studio, work = window.importing, window.studio, window.work
    columns = list(ui.columns.values())
    overrides = [ui.format, ui.encoding, ui.delimiter, ui.guessed, *columns]
    shown = [ui.notice, ui.found, ui.source, ui.start, ui.name, ui.change, ui.mapping, ui.sample_rows, ui.guessed, *columns]

    def look(files: list[str] | None) -> dict[Any, Any]:
        if not files:
            return {ui.source: gr.Column(visible=False), ui.start: gr.Column(visible=True), ui.notice: ""}
        try:
            found = studio.detect([Path(file) for file in files])
        except StudioError as error:
            return {ui.notice: parts.failure(error), ui.source: gr.Column(visible=False), ui.start: gr.Column(visible=True)}
        return {
            **_recognised(ui, found), ui.guessed: found.mapping, ui.name: gr.Textbox(value=Path(files[0]).stem[:80]),
            ui.source: gr.Column(visible=True), ui.start: gr.Column(visible=False),
        }  # fmt: skip

    def look_again(files: list[str] | None, *values: Any) -> dict[Any, Any]:
        if not files:
            return {}
        try:
            found = studio.detect([Path(file) for file in files], _overrides(*values))
        except StudioError as error:
            return {ui.notice: parts.failure(error)}
        return _recognised(ui, found)

    def prepare(files: list[str] | None, name: str, heldout: float, split: str, mask: bool, *values: Any) -> dict[Any, Any]:
        paths = [Path(file) for file in files or []]
        if not paths:
            raise StudioError("No file has been dropped yet.", "Drop an export, or try the sample shop.")
        options = PrepareOptions(_overrides(*values), heldout=heldout / 100, split=split, mask=mask)  # type: ignore[arg-type]
        work.start(PREPARE, lambda: studio.prepare(paths, name.strip() or paths[0].stem, options))
        return _busy(window)

    def prepare_sample() -> dict[Any, Any]:
        work.start(PREPARE, studio.prepare_sample)
        return _busy(window)

    def watch(files: list[str] | None) -> dict[Any, Any]:
        return _progress(window, bool(files))

    outputs = [ui.notice, ui.progress, ui.timer, ui.start, ui.source, ui.files, window.page.dataset, window.page.look]
    listen(ui.files.change, look, [ui.files], shown)
    for control in (ui.format, ui.encoding, ui.delimiter, *columns):
        listen(control.input, look_again, [ui.files, *overrides], shown)
    listen(ui.prepare.click, prepare, [ui.files, ui.name, ui.heldout, ui.split, ui.mask, *overrides], outputs)
    listen(ui.sample.click, prepare_sample, [], outputs, name="prepare_sample")
    listen(ui.timer.tick, watch, [ui.files], outputs, queue=False)
    listen(ui.progress.cancel, lambda: work.cancel(PREPARE))
    listen(ui.another.click, lambda: {ui.files: None, ui.notice: ""}, [], [ui.files, ui.notice])


def _overrides(format: str, encoding: str, delimiter: str, guessed: dict[str, str], *columns: str) -> SourceOverrides:
    """What a person changed, as the engine takes it."""
    named = {role: column for role, column in zip(ROLES, columns, strict=True) if column}
    changed = named and named != guessed
    mapping = dict(zip(ROLES, columns, strict=True)) if changed else {}
    return SourceOverrides(format or "", encoding or "", delimiter or "", mapping)


def _recognised(ui: ImportPanel, found: Detection) -> dict[Any, Any]:
    choices = [("none", ""), *((column, column) for column in found.columns)]
    unclear = bool(found.columns) and not found.mapping
    note = parts.banner("Which columns hold the question and the answer is not clear.", "Choose them below.", "note") if unclear else ""
    return {
        ui.notice: note,
        ui.found: tickets.detection(found),
        ui.change: gr.Accordion(open=unclear) if unclear else gr.skip(),
        ui.mapping: gr.Column(visible=bool(found.columns)),
        ui.sample_rows: tickets.sample_table(found),
        **{box: gr.Dropdown(choices, value=found.mapping.get(role, "")) for role, box in ui.columns.items()},
    }


def _busy(window: Window) -> dict[Any, Any]:
    """What the panel shows from the moment an import begins."""
    ui = window.importing
    return {
        ui.notice: "",
        ui.progress: parts.task_progress(window.work.seen(PREPARE)),
        ui.timer: gr.Timer(active=True),
        ui.start: gr.Column(visible=False),
        ui.source: gr.Column(visible=False),
    }


def _progress(window: Window, dropped: bool) -> dict[Any, Any]:
    """What the panel shows while an import goes on, and when it has ended; ``dropped`` says whether files wait in it."""
    ui, seen = window.importing, window.work.seen(PREPARE)
    if seen is None:
        return {ui.timer: gr.Timer(active=False)}
    if seen.state == "running":
        return {ui.progress: parts.task_progress(seen)}
    ended = {
        ui.timer: gr.Timer(active=False), ui.progress: "",
        ui.start: gr.Column(visible=not dropped), ui.source: gr.Column(visible=dropped),
    }  # fmt: skip
    if seen.state == "done":
        return {**ended, ui.files: None, window.page.dataset: seen.result, window.page.look: first_look()}
    note = parts.failure(seen.error) if seen.error else parts.banner("The import was cancelled.", "Nothing was kept of it.", "note")
    return {**ended, ui.notice: note}


def resume(window: Window) -> dict[Any, Any]:
    """What a page that has just been opened shows of an import under way."""
    seen = window.work.seen(PREPARE)
    return _busy(window) if seen is not None and seen.state == "running" else {}
