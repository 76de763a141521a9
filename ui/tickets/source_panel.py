"""What was recognised of an export, how to put it right, and what to do with it.

Owns these inputs and what they mean together. What a format is, and which column is the question, the engine guesses.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import gradio as gr

from engine.tickets.importing.columns import ROLES
from engine.tickets.importing.detect import Detection
from engine.tickets.importing.hub_listing import FetchedData
from engine.tickets.overrides import FORMATS, SourceOverrides
from ui import parts
from ui.html import html
from ui.tickets import prepare_options
from ui.tickets.prepare_options import OptionFields
from ui.tickets.views import listing

ENCODINGS = ("utf-8", "utf-16", "cp1252", "iso-8859-15", "cp1250", "cp1251", "shift_jis", "gb18030", "mac_roman")
"""Encodings to choose from; others can be typed."""

DELIMITERS = (("comma", ","), ("semicolon", ";"), ("tab", "tab"), ("bar", "|"))
AS_RECOGNISED = ("as recognised", "")
MOST_WRITERS = 200
"""Of those who write in an export, so many are offered; others can be typed."""


@dataclass(frozen=True)
class Guess:
    """What was guessed of an export, so that only what a person changed is passed on."""

    mapping: dict[str, str] = field(default_factory=dict)
    agents: tuple[str, ...] = ()
    fetched: FetchedData | None = None
    """The files, where they came from the hub and not out of the drop zone."""

    def with_found(self, found: Detection) -> Self:
        """Return what is shown as guessed of the same files."""
        return replace(self, mapping=found.mapping, agents=tuple(_ours(found)))

    def paths(self, dropped: list[str] | None) -> list[Path]:
        """Return the files that are looked at: those that were fetched, else those in the drop zone."""
        return list(self.fetched.files) if self.fetched else [Path(file) for file in dropped or []]


@dataclass(frozen=True)
class SourcePanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Column
    """[source]"""
    notice: gr.HTML
    """[source-notice]"""
    found: gr.HTML
    """[found]"""
    name: gr.Textbox
    """[data-set-name]"""
    agents: gr.Dropdown
    """[who-are-we]"""
    change: gr.Accordion
    """[change]"""
    format: gr.Dropdown
    """[source-format]"""
    encoding: gr.Dropdown
    """[source-encoding]"""
    delimiter: gr.Dropdown
    """[source-delimiter]"""
    sheet: gr.Dropdown
    """[source-sheet]"""
    mapping: gr.Column
    """[columns]"""
    columns: dict[str, gr.Dropdown]
    """Role -> [column-ROLE]"""
    sample_rows: gr.HTML
    """[sample-rows]"""
    fields: OptionFields
    """Inside [prepare-options]."""
    another: gr.Button
    """[other-files]"""
    prepare: gr.Button
    """[prepare]"""
    guessed: gr.State
    """A :class:`Guess`."""

    @property
    def corrections(self) -> list[Any]:
        """The inputs of :func:`overrides`."""
        chosen = [self.format, self.encoding, self.delimiter, self.sheet]
        return [self.guessed, *chosen, self.agents, *self.columns.values()]

    @property
    def recognition(self) -> list[Any]:
        """What :func:`recognised` sets."""
        shown = [self.notice, self.found, self.change, self.mapping, self.sample_rows, self.fields.country]
        return [*shown, self.agents, self.sheet, *self.columns.values()]


def build() -> SourcePanel:
    """Make the components."""
    with gr.Column(elem_id="source", elem_classes="sheet", visible=False) as panel:
        found = html(elem_id="found")
        notice = html(elem_id="source-notice")
        agents = gr.Dropdown(
            [],
            value=[],
            multiselect=True,
            allow_custom_value=True,
            visible=False,
            label="Who are we?",
            info="These files name who writes, and not who the support is. Guessed by who answers, or as you said "
            "before: choose all of your team; everybody else is a customer.",
            elem_id="who-are-we",
        )
        name = gr.Textbox("", label="Name of the data set", elem_id="data-set-name", max_lines=1)
        with gr.Accordion("Change what was recognised", open=False, elem_id="change") as change:
            corrections = _build_corrections()
        with gr.Accordion("Options: what is held out, masked, left out", open=False, elem_id="prepare-options"):
            fields = prepare_options.build()
        with gr.Row(elem_classes="bar-row end"):
            another = gr.Button("Other files", elem_id="other-files", scale=0, min_width=110)
            prepare = gr.Button("Prepare the tickets", variant="primary", elem_id="prepare", scale=0, min_width=180)
    return SourcePanel(
        panel=panel,
        notice=notice,
        found=found,
        name=name,
        agents=agents,
        change=change,
        another=another,
        prepare=prepare,
        guessed=gr.State(Guess()),
        fields=fields,
        **corrections,
    )


def _build_corrections() -> dict[str, Any]:
    with gr.Row():
        formats = gr.Dropdown(
            [AS_RECOGNISED, *((name, name) for name in FORMATS)], value="", label="Format", elem_id="source-format"
        )
        encoding = gr.Dropdown(
            [AS_RECOGNISED, *((name, name) for name in ENCODINGS)],
            value="",
            label="Encoding of the text",
            elem_id="source-encoding",
            allow_custom_value=True,
        )
        delimiter = gr.Dropdown([AS_RECOGNISED, *DELIMITERS], value="", label="Delimiter", elem_id="source-delimiter")
        sheet = gr.Dropdown([AS_RECOGNISED], value="", label="Sheet or table", elem_id="source-sheet", visible=False)
    with gr.Column(elem_id="columns", visible=False) as mapping:
        html(
            '<p class="quiet">Which column is what? Name question and answer (a row a ticket), or text, ticket and '
            "author or role (a row a message). A column of yes and no is incoming where yes means that the customer "
            "wrote, outgoing where it means the support, internal where only staff saw it, public where customers "
            "did, bot where a machine wrote. Reply names the message that a row replies to.</p>"
        )
        with gr.Row(elem_classes="column-grid"):
            columns = {
                role: gr.Dropdown(
                    [("none", "")], value="", label=role.capitalize(), elem_id=f"column-{role}", min_width=150
                )
                for role in ROLES
            }
        sample_rows = html(elem_id="sample-rows")
    return {
        "format": formats,
        "encoding": encoding,
        "delimiter": delimiter,
        "sheet": sheet,
        "mapping": mapping,
        "columns": columns,
        "sample_rows": sample_rows,
    }


def overrides(
    guessed: Guess, format: str, encoding: str, delimiter: str, sheet: str, agents: list[str] | None, *columns: str
) -> SourceOverrides:
    """What a person changed, as the engine takes it; see :attr:`SourcePanel.corrections`."""
    mapping = {role: column or "" for role, column in zip(ROLES, columns, strict=True)}
    named = {role: column for role, column in mapping.items() if column}
    return SourceOverrides(
        format or "",
        encoding or "",
        delimiter or "",
        mapping if named != guessed.mapping else {},
        tuple(agents or ()) if set(agents or ()) != set(guessed.agents) else (),
        sheet or "",
    )


def sheets(found: Detection) -> list[tuple[str, str]]:
    """Return the sheets of a workbook to choose from."""
    return [AS_RECOGNISED, *((name, name) for name in found.sheets)]


def _ours(found: Detection) -> list[str]:
    return [writer.name for writer in found.writers if writer.ours]


def _who(found: Detection) -> gr.Dropdown:
    """Ask who the support is, where the files do not say: chosen are those named before, else those guessed."""
    choices = [(f"{writer.name} ({writer.messages:,})", writer.name) for writer in found.writers[:MOST_WRITERS]]
    chosen = list(found.remembered) or _ours(found)
    return gr.Dropdown(choices, value=chosen, visible=bool(choices), multiselect=True, allow_custom_value=True)


def recognised(ui: SourcePanel, found: Detection) -> dict[Any, Any]:
    """Show what an export is; where it is not clear which column is what, the way to say so stands open."""
    choices = [("none", ""), *((column, column) for column in found.columns)]
    note = " ".join(found.doubts) or "Which columns hold the question and the answer is not clear."
    values = found.mapping or found.likely
    unclear_columns = [parts.banner(note, "Choose them below.", "note")] if found.unclear else []
    return {
        ui.notice: parts.join([*unclear_columns, *(parts.banner(caution, kind="note") for caution in found.cautions)]),
        ui.found: listing.detection(found),
        ui.change: gr.Accordion(open=True) if found.unclear else gr.skip(),
        ui.mapping: gr.Column(visible=bool(found.columns)),
        ui.sample_rows: listing.sample_table(found),
        ui.agents: _who(found),
        ui.sheet: gr.Dropdown(sheets(found), visible=bool(found.sheets)),
        **prepare_options.guess(ui.fields, found.country, found.country_evidence),
        **{box: gr.Dropdown(choices, value=values.get(role, "")) for role, box in ui.columns.items()},
    }
