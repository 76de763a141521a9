"""The tab 'Tickets': a data set as numbers, as a list of conversations, as what is learnt, and how good it is.

Owns how its parts hang together: import_panel.py brings an export in, conversation_list.py shows the lists,
edit_handlers.py edits, token_panel.py counts, reprepare_panel.py prepares anew.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.recipe import Recipe
from engine.workspace import slug
from ui import words
from ui.context import Context
from ui.events import bind
from ui.state import page as remembered
from ui.tickets import conversation_list, edit_handlers, reprepare_panel, token_panel
from ui.tickets.components import SEARCHED
from ui.tickets.import_components import import_heading
from ui.tickets.views import listing, quality


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page = context.tickets, context.page
    everything = _outputs(context)
    state = [page.dataset, page.look, page.draft]

    def leave(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        return _everything(context, dataset, {**look, "adding": False}, remembered.sound_recipe_of(draft))

    def draw(dataset: str, look: dict[str, Any], draft: dict[str, Any], **changes: Any) -> dict[Any, Any]:
        return _everything(context, dataset, {**look, **changes}, remembered.sound_recipe_of(draft))

    def relist(dataset: str, look: dict[str, Any], draft: dict[str, Any], **changes: Any) -> dict[Any, Any]:
        return conversation_list.shown(context, dataset, {**look, **changes}, remembered.sound_recipe_of(draft))

    def watch(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        recipe = remembered.sound_recipe_of(draft)
        shown, learn = token_panel.shown(context, dataset, recipe), ui.conversations.learn
        if not token_panel.running(context, dataset, recipe):
            shown[learn] = conversation_list.shown(context, dataset, look, recipe)[learn]
            shown[ui.summary] = _summary(context, dataset, recipe)
        return shown

    def take_pairs(dataset: str) -> dict[Any, Any]:
        library = context.studio.tickets
        context.downloads.mkdir(parents=True, exist_ok=True)
        file = context.downloads / f"{slug(library.info(dataset).name)}-preferences.jsonl"
        file.write_text(library.get(dataset).preferences(), encoding="utf-8")
        return {ui.pairs: str(file)}

    bind(ui.summary.pairs, take_pairs, [page.dataset], [ui.pairs])
    bind(ui.pairs.change, None, js="() => ticketTuner.download('pairs-file')")
    conversation_list.wire(context, relist, state)
    edit_handlers.wire(context, draw, relist, state, everything)
    token_panel.wire(context)
    reprepare_panel.wire(context, draw, state, everything)
    bind(context.importing.back.click, leave, state, everything)
    bind(ui.tokens.timer.tick, watch, state, [*ui.tokens.outputs, ui.conversations.learn, ui.summary])
    bind(ui.next.click, lambda: gr.Tabs(selected="recipe"), [], [context.tabs])


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs; for whoever changes what it shows."""

    def show(dataset: str | None, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        if dataset is None:
            return {}
        shown = _everything(context, dataset, look, remembered.sound_recipe_of(draft))
        if context.tickets.data in shown and context.tickets.conversations.search in shown:
            where = SEARCHED.get(look["mode"])
            search = gr.Textbox(value=look["query"], visible=where is not None, placeholder=where)
            shown[context.tickets.conversations.search] = search
        return shown

    return show, [context.page.dataset, context.page.look, context.page.draft], _outputs(context)


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets."""
    ui, importing = context.tickets, context.importing
    around = [
        importing.panel,
        importing.heading,
        importing.back,
        ui.data,
        ui.title,
        ui.next,
        ui.summary,
        ui.quality,
        context.page.look,
    ]
    return [*around, *ui.conversations.outputs, *ui.tokens.outputs, *ui.reprepare.outputs]


def _everything(context: Context, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The whole tab for a data set; the import panel when there is none."""
    ui, library = context.tickets, context.studio.tickets
    info = next((seen for seen in library.all() if seen.id == dataset), None)
    if info is None or look.get("adding"):
        return {
            ui.data: gr.Column(visible=False),
            context.importing.panel: gr.Column(visible=True),
            context.importing.heading: import_heading(is_first=info is None),
            context.importing.back: gr.Button(visible=info is not None),
        }
    report = library.get(dataset).report
    lead = f"{words.count(info.train, 'conversation')} ready. Choose a recipe{words.ARROW}"
    return {
        ui.data: gr.Column(visible=True),
        context.importing.panel: gr.Column(visible=False),
        context.importing.back: gr.Button(visible=True),
        ui.title: listing.title(info.name, report, words.when_prepared(info.created_at)),
        ui.summary: _summary(context, dataset, recipe),
        ui.quality: quality.sheet(report),
        ui.next: gr.Button(lead),
        **token_panel.start(context, dataset, recipe),
        **reprepare_panel.shown(context, dataset),
        **conversation_list.shown(context, dataset, look, recipe),
    }


def _summary(context: Context, dataset: str, recipe: Recipe) -> Markup:
    """The numbers of a data set and the one verdict on it: of its words, and of its tokens once they are counted."""
    report = context.studio.tickets.get(dataset).report
    return listing.summary(report, quality.verdict_line(report, token_panel.counts(context, dataset, recipe)))
