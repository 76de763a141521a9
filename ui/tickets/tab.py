"""The tab 'Tickets': a data set as numbers, as a list of conversations, as what is learnt, and how good it is.

Owns how its parts hang together: import_panel.py brings an export in, conversation_list.py shows the lists,
edit_handlers.py edits, token_panel.py counts, reprepare_panel.py prepares anew.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.recipe import Recipe
from ui import words
from ui.context import Window
from ui.events import listen
from ui.html import html
from ui.state import page as remembered
from ui.tickets import conversation_list, edit_handlers, reprepare_panel, token_panel
from ui.tickets.conversation_list import Reader
from ui.tickets.reprepare_panel import AgainPanel
from ui.tickets.token_panel import TokenPanel
from ui.tickets.views import listing, quality


@dataclass(frozen=True)
class TicketsTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-tickets], its button [tab-tickets-button]"""
    data: gr.Column
    """[data-set]: hidden while there is none, or while an export is brought in."""
    title: gr.HTML
    """[data-set-title]"""
    next: gr.Button
    """[to-recipe]"""
    summary: gr.HTML
    """[summary]; raises 'mode'"""
    again: AgainPanel
    reader: Reader
    tokens: TokenPanel
    quality: gr.HTML
    """[quality]; raises 'pick'"""


def build(tab: gr.Tab) -> TicketsTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="data-set", visible=False) as data:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="data-set-title")
            next_button = gr.Button("Choose a recipe", variant="primary", elem_id="to-recipe", scale=0, min_width=260)
        progress, timer = reprepare_panel.build_progress()
        summary = html(elem_id="summary", raises=("mode",))
        reading = conversation_list.build()
        tokens = token_panel.build()
        with gr.Column(elem_classes="sheet"):
            html('<h2 class="sheet-title">How good these tickets are to learn from</h2>')
            report = html(elem_id="quality", raises=("pick",))
        again = reprepare_panel.build(progress, timer)
    return TicketsTab(tab, data, title, next_button, summary, again, reading, tokens, report)


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page = window.tickets, window.page
    everything = _outputs(window)
    state = [page.dataset, page.look, page.draft]

    def leave(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        return _everything(window, dataset, {**look, "adding": False}, remembered.sound_recipe_of(draft))

    def draw(dataset: str, look: dict[str, Any], draft: dict[str, Any], **changes: Any) -> dict[Any, Any]:
        return _everything(window, dataset, {**look, **changes}, remembered.sound_recipe_of(draft))

    def relist(dataset: str, look: dict[str, Any], draft: dict[str, Any], **changes: Any) -> dict[Any, Any]:
        return conversation_list.shown(window, dataset, {**look, **changes}, remembered.sound_recipe_of(draft))

    def watch(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        recipe = remembered.sound_recipe_of(draft)
        shown = token_panel.shown(window, dataset, recipe)
        if not token_panel.running(window, dataset, recipe):
            shown[ui.reader.learn] = conversation_list.shown(window, dataset, look, recipe)[ui.reader.learn]
            shown[ui.summary] = _summary(window, dataset, recipe)
        return shown

    conversation_list.wire(window, relist, state)
    edit_handlers.wire(window, draw, relist, state, everything)
    token_panel.wire(window)
    reprepare_panel.wire(window, draw, state, everything)
    listen(window.importing.back.click, leave, state, everything)
    listen(ui.tokens.timer.tick, watch, state, [*ui.tokens.outputs, ui.reader.learn, ui.summary])
    listen(ui.next.click, lambda: gr.Tabs(selected="recipe"), [], [window.tabs])


def redraw(window: Window) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs; for whoever changes what it shows."""

    def show(dataset: str | None, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        if dataset is None:
            return {}
        shown = _everything(window, dataset, look, remembered.sound_recipe_of(draft))
        if window.tickets.data in shown and window.tickets.reader.search in shown:
            where = conversation_list.SEARCHED.get(look["mode"])
            search = gr.Textbox(value=look["query"], visible=where is not None, placeholder=where)
            shown[window.tickets.reader.search] = search
        return shown

    return show, [window.page.dataset, window.page.look, window.page.draft], _outputs(window)


def _outputs(window: Window) -> list[Any]:
    """Everything that the tab sets."""
    ui, importing = window.tickets, window.importing
    around = [importing.panel, importing.back, ui.data, ui.title, ui.next, ui.summary, ui.quality, window.page.look]
    return [*around, *ui.reader.outputs, *ui.tokens.outputs, *ui.again.outputs]


def _everything(window: Window, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The whole tab for a data set; the import panel when there is none."""
    ui, library = window.tickets, window.studio.tickets
    info = next((seen for seen in library.all() if seen.id == dataset), None)
    if info is None or look.get("adding"):
        return {
            ui.data: gr.Column(visible=False),
            window.importing.panel: gr.Column(visible=True),
            window.importing.back: gr.Button(visible=info is not None),
        }
    report = library.get(dataset).report
    lead = f"{words.count(info.train, 'conversation')} ready. Choose a recipe  →"
    return {
        ui.data: gr.Column(visible=True),
        window.importing.panel: gr.Column(visible=False),
        window.importing.back: gr.Button(visible=True),
        ui.title: listing.title(info.name, report, words.when_prepared(info.created_at)),
        ui.summary: _summary(window, dataset, recipe),
        ui.quality: quality.sheet(report),
        ui.next: gr.Button(lead),
        **token_panel.start(window, dataset, recipe),
        **reprepare_panel.shown(window, dataset),
        **conversation_list.shown(window, dataset, look, recipe),
    }


def _summary(window: Window, dataset: str, recipe: Recipe) -> Markup:
    """The numbers of a data set and the one verdict on it: of its words, and of its tokens once they are counted."""
    report = window.studio.tickets.get(dataset).report
    return listing.summary(report, quality.verdict_line(report, token_panel.counts(window, dataset, recipe)))
