"""The tab 'Tickets': a data set as numbers, as a list of conversations, and as what the model will learn.

Owns the components and how they hang together; bringing an export in is import_panel.py's.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.studio import Studio
from engine.training.recipe import Recipe
from ui import page as remembered
from ui.html import data_of, html, plot
from ui.views import charts, learning, parts, tickets, words
from ui.views.tickets import PAGE
from ui.window import Window
from ui.wiring import listen
from ui.work import Work, counting

MODES = [("Conversations", "conversations"), ("Left out", "left_out"), ("Masked", "masked")]


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
    mode: gr.Radio
    """[list-mode]"""
    search: gr.Textbox
    """[search]"""
    rows: gr.HTML
    """[conversations]; raises 'pick'"""
    pager: gr.HTML
    """[pager]; raises 'turn'"""
    learn: gr.HTML
    """[learn-view]"""
    chart: gr.HTML
    """[lengths]"""
    counted: gr.HTML
    """[lengths-note]: verdict, or progress of the count; raises 'cancel' and 'again'"""
    timer: gr.Timer


def build(tab: gr.Tab) -> TicketsTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="data-set", visible=False) as data:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="data-set-title")
            next_button = gr.Button("Choose a recipe", variant="primary", elem_id="to-recipe", scale=0, min_width=260)
        summary = html(elem_id="summary", raises=("mode",))
        with gr.Row(elem_id="reader", elem_classes="split"):
            with gr.Column(elem_id="reader-list", elem_classes="sheet", min_width=320):
                mode = gr.Radio(
                    MODES, value="conversations", label="Show", elem_id="list-mode", elem_classes="segments"
                )
                search = gr.Textbox(
                    label="Search", placeholder="Words in a conversation", elem_id="search", max_lines=1
                )
                rows = html(elem_id="conversations", raises=("pick",))
                pager = html(elem_id="pager", raises=("turn",))
            with gr.Column(elem_id="reader-view", elem_classes="sheet", min_width=320):
                html('<h2 class="sheet-title">What the model will learn</h2>')
                learn = html(elem_id="learn-view")
        with gr.Column(elem_classes="sheet", elem_id="lengths-panel"):
            html('<h2 class="sheet-title">Length of the conversations</h2>')
            counted = html(elem_id="lengths-note", raises=("cancel", "again"))
            chart = plot("lengths", "plot-low")
    return TicketsTab(
        tab,
        data,
        title,
        next_button,
        summary,
        mode,
        search,
        rows,
        pager,
        learn,
        chart,
        counted,
        gr.Timer(0.7, active=False),
    )


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.tickets, window.page, window.studio
    everything = _outputs(window)
    listing = [ui.mode, ui.search, ui.rows, ui.pager, ui.learn, page.look, ui.timer, ui.chart, ui.counted]
    state = [page.dataset, page.look, page.draft]

    def leave(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        return _everything(window, dataset, {**look, "adding": False}, remembered.sound_recipe_of(draft))

    def relist(dataset: str, look: dict[str, Any], draft: dict[str, Any], **changes: Any) -> dict[Any, Any]:
        return _listing(window, dataset, {**look, **changes}, remembered.sound_recipe_of(draft))

    def search(query: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, query=query, start=0)

    def turn(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, start=int(data_of(event).get("start", 0)))

    def change_mode(mode: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, mode=mode, start=0)

    def jump_to_mode(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return change_mode(data_of(event)["mode"], *rest)

    def pick(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, ticket=data_of(event)["ticket"])

    def recount(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        recipe = sound = remembered.sound_recipe_of(draft)
        window.work.ensure(
            counting(dataset, recipe.model, recipe.system_prompt), lambda: studio.token_lengths(dataset, sound)
        )
        return {**_lengths(window, dataset, recipe)}

    def watch(dataset: str, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        recipe = remembered.sound_recipe_of(draft)
        shown = _lengths(window, dataset, recipe)
        ended = window.work.seen(counting(dataset, recipe.model, recipe.system_prompt))
        if ended is None or ended.state != "running":
            shown |= _listing(window, dataset, look, recipe)
        return shown

    def cancel(dataset: str, draft: dict[str, Any]) -> None:
        recipe = remembered.sound_recipe_of(draft)
        window.work.cancel(counting(dataset, recipe.model, recipe.system_prompt))

    drawn = listen(page.dataset.change, *redraw(window))
    listen(drawn.then, None, js="() => ticketTuner.ready()")
    listen(ui.tab.select, *redraw(window))
    listen(window.importing.back.click, leave, state, everything)
    listen(ui.search.input, search, [ui.search, *state], listing, trigger_mode="always_last")
    listen(ui.pager.turn, turn, state, listing)
    listen(ui.mode.input, change_mode, [ui.mode, *state], listing)
    listen(ui.summary.mode, jump_to_mode, state, listing)
    listen(ui.rows.pick, pick, state, listing)
    listen(ui.counted.again, recount, state, [ui.timer, ui.chart, ui.counted])
    listen(ui.counted.cancel, cancel, [page.dataset, page.draft])
    listen(ui.timer.tick, watch, state, listing)
    listen(ui.next.click, lambda: gr.Tabs(selected="recipe"), [], [window.tabs])


def redraw(window: Window) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs; for whoever changes what it shows."""

    def show(dataset: str | None, look: dict[str, Any], draft: dict[str, Any]) -> dict[Any, Any]:
        if dataset is None:
            return {}
        return _everything(window, dataset, look, remembered.sound_recipe_of(draft))

    return show, [window.page.dataset, window.page.look, window.page.draft], _outputs(window)


def _outputs(window: Window) -> list[Any]:
    """Everything that the tab sets."""
    ui, importing = window.tickets, window.importing
    return [
        importing.panel,
        importing.back,
        ui.data,
        ui.title,
        ui.next,
        ui.summary,
        ui.mode,
        ui.search,
        ui.rows,
        ui.pager,
        ui.learn,
        ui.chart,
        ui.counted,
        ui.timer,
        window.page.look,
    ]


def _everything(window: Window, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The whole tab for a data set; the import panel when there is none."""
    ui = window.tickets
    info = next((seen for seen in window.studio.datasets() if seen.id == dataset), None)
    if info is None or look.get("adding"):
        return {
            ui.data: gr.Column(visible=False),
            window.importing.panel: gr.Column(visible=True),
            window.importing.back: gr.Button(visible=info is not None),
        }
    report = window.studio.dataset(dataset).report
    lead = f"{words.count(info.train, 'conversation')} ready. Choose a recipe  →"
    return {
        ui.data: gr.Column(visible=True),
        window.importing.panel: gr.Column(visible=False),
        window.importing.back: gr.Button(visible=True),
        ui.title: tickets.title(info.name, report, words.when_prepared(info.created_at)),
        ui.summary: tickets.summary(report),
        ui.next: gr.Button(lead),
        **_start_count(window, dataset, recipe),
        **_listing(window, dataset, look, recipe),
        ui.search: gr.Textbox(value=look["query"], visible=look["mode"] == "conversations"),
    }


def _listing(window: Window, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The list at the left and the conversation at the right."""
    ui, data = window.tickets, window.studio.dataset(dataset)
    start, mode = max(0, look["start"]), look["mode"]
    plain = {ui.mode: mode, ui.search: gr.Textbox(visible=mode == "conversations"), window.page.look: look}
    if mode == "conversations":
        rows, total = data.page(start, PAGE, look["query"])
        ticket = look["ticket"] or (rows[0]["ticket"] if rows else "")
        learn = _conversation(window.studio, window.work, dataset, ticket, rows, recipe)
        return {
            **plain,
            ui.rows: tickets.conversation_list(rows, ticket),
            ui.learn: learn,
            ui.pager: parts.pager(start, len(rows), total, PAGE, "conversations"),
        }
    rows, total = data.left_out(start, PAGE) if mode == "left_out" else data.redactions(start, PAGE)
    drawn = tickets.left_out_list(rows) if mode == "left_out" else tickets.masked_list(rows)
    noun = "left out" if mode == "left_out" else "places masked"
    return {**plain, ui.rows: drawn, ui.learn: "", ui.pager: parts.pager(start, len(rows), total, PAGE, noun)}


def _conversation(
    studio: Studio, work: Work, dataset: str, ticket: str, rows: list[dict[str, Any]], recipe: Recipe
) -> Markup:
    """What the model will learn of a ticket; its plain messages until the tokenizer is there."""
    row = next((row for row in rows if row["ticket"] == ticket), None)
    if row is None:
        found, _ = studio.dataset(dataset).page(0, 1, ticket)
        row = found[0] if found and found[0]["ticket"] == ticket else None
    if row is None:
        return Markup('<p class="hint">Choose a conversation at the left.</p>')
    counted = work.seen(counting(dataset, recipe.model, recipe.system_prompt))
    if counted is None or counted.state != "done":
        return learning.plain_conversation(
            row, "Which words are learnt is shown as soon as the model's tokenizer is here."
        )
    try:
        return learning.learning(row, studio.learn_view(dataset, ticket, recipe))
    except StudioError as error:
        return Markup("{}{}").format(parts.failure(error), learning.plain_conversation(row))


def _start_count(window: Window, dataset: str, recipe: Recipe) -> dict[Any, Any]:
    """Begin to count tokens, unless that has been done or was called off, and show how far it is."""
    purpose = counting(dataset, recipe.model, recipe.system_prompt)
    if window.work.seen(purpose) is None:
        window.work.ensure(purpose, lambda: window.studio.token_lengths(dataset, recipe))
    return _lengths(window, dataset, recipe)


def _lengths(window: Window, dataset: str, recipe: Recipe) -> dict[Any, Any]:
    """The histogram, or how far the count is."""
    ui, seen = window.tickets, window.work.seen(counting(dataset, recipe.model, recipe.system_prompt))
    running = seen is not None and seen.state == "running"
    timer = {ui.timer: gr.Timer(active=running)}
    if seen is not None and seen.state == "done" and seen.result is not None:
        note = Markup("<p>{}</p>").format(learning.verdict(seen.result, recipe.max_length))
        return {**timer, ui.chart: learning.histogram(seen.result, recipe.max_length), ui.counted: note}
    again = Markup('<button type="button" class="button small" data-do="again">Count again</button>')
    why = (
        parts.failure(seen.error)
        if seen and seen.error
        else Markup('<p class="hint">The tokens have not been counted.</p>')
    )
    return {
        **timer,
        ui.chart: charts.NOTHING,
        ui.counted: parts.task_progress(seen) if running else Markup("{}{}").format(why, again),
    }
