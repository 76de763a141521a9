"""The list at the left and the conversation at the right: to look through, to leave out, to rewrite, to review.

Owns these components and what is shown in each mode of the list.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.privacy.review import SUSPECT
from ui import parts
from ui.context import Context
from ui.events import LATEST, bind, written
from ui.html import data_of
from ui.tickets.components import SEARCHED
from ui.tickets.views import changes, learning, listing, review
from ui.tickets.views.listing import PAGE

CHANGES_SHOWN = 1000
Draw = Callable[..., dict[Any, Any]]


def wire(context: Context, relist: Draw, state: list[Any]) -> None:
    """Attach the handlers that only look; what changes the data set is edit_handlers.py's.

    Args:
        context: The window's parts.
        relist: Draws this part from the values of ``state``; keyword arguments change what is looked at.
        state: Its inputs, the data set first.
    """
    ui = context.tickets.conversations
    listing = [*ui.outputs, context.page.look]

    def search(query: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, query=query, start=0) if query != rest[1]["query"] else {}

    def narrow(chosen: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, filter=chosen or "", start=0)

    def turn(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, start=int(data_of(event).get("start", 0)))

    def to_mode(mode: str, *rest: Any, ticket: str = "") -> dict[Any, Any]:
        anew = {"start": 0, "query": "", "filter": "", "term": "", "rewriting": -1}
        shown = relist(*rest, mode=mode, ticket=ticket or rest[1]["ticket"], **anew)
        search = gr.update(visible=mode in SEARCHED, placeholder=SEARCHED.get(mode))
        if rest[1]["query"]:  # what somebody begins to type meanwhile stays, where there is nothing to clear
            search["value"] = ""
        return {**shown, ui.search: search}

    def change_mode(mode: str, *rest: Any) -> dict[Any, Any]:
        return to_mode(mode, *rest)

    def jump_to_mode(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return to_mode(data_of(event)["mode"], *rest)

    def pick(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        ticket = data_of(event)["ticket"]
        if rest[1]["mode"] != "conversations":
            return to_mode("conversations", *rest, ticket=ticket)
        return relist(*rest, ticket=ticket, rewriting=-1)

    def open_places(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        term = data_of(event)["term"]
        return relist(*rest, term="" if rest[1]["term"] == term else term)

    bind(written(ui.search), search, [ui.search, *state], listing, **LATEST)
    bind(ui.filter.input, narrow, [ui.filter, *state], listing, **LATEST)
    bind(ui.pager.turn, turn, state, listing)
    bind(ui.mode.input, change_mode, [ui.mode, *state], listing, **LATEST)
    bind(context.tickets.summary.mode, jump_to_mode, state, listing)
    bind(context.tickets.quality.pick, pick, state, listing)
    bind(context.tickets.tokens.counted.pick, pick, state, listing)
    bind(ui.rows.pick, pick, state, listing)
    bind(ui.rows.places, open_places, state, listing)


def open_entry(context: Context, dataset: str, look: dict[str, Any]) -> StoredConversation:
    """The conversation at the right.

    Raises:
        StudioError: It is not there any more.
    """
    data = context.studio.tickets.get(dataset)
    ticket = look["ticket"] or next((row.ticket for row in data.page(look["start"], 1, look["query"])[0]), "")
    entry = data.find(ticket)
    if entry is None:
        raise StudioError(f"Ticket {ticket} is not in this data set.", "Choose one from the list.")
    return entry


def shown(context: Context, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The list at the left and the conversation at the right."""
    ui, mode = context.tickets.conversations, look["mode"]
    draw = {"left_out": _left_out, "masked": _masked, "changed": _changed}.get(mode, _conversations)
    return {
        ui.mode: mode,
        ui.search: gr.Textbox(visible=mode in SEARCHED, placeholder=SEARCHED.get(mode)),
        ui.filter: gr.Dropdown(visible=False),
        ui.caution: "",
        ui.adding: gr.Row(visible=mode == "masked"),
        ui.pending: "",
        ui.pager: "",
        ui.notice: "",
        ui.learn: "",
        ui.rewriting: gr.Column(visible=look["rewriting"] >= 0 and mode == "conversations"),
        context.page.look: look,
        **draw(context, dataset, look, recipe),
    }


def _conversations(context: Context, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    ui, data, start = context.tickets.conversations, context.studio.tickets.get(dataset), max(0, look["start"])
    rows, total = data.page(start, PAGE, look["query"])
    ticket = look["ticket"] or (rows[0].ticket if rows else "")
    return {
        ui.rows: listing.conversation_list(rows, ticket),
        ui.learn: _conversation(context, dataset, ticket, recipe),
        ui.pager: parts.pager(start, len(rows), total, PAGE, "conversations"),
    }


def _left_out(context: Context, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, data, start = context.tickets.conversations, context.studio.tickets.get(dataset), max(0, look["start"])
    rows, total = data.left_out(start, PAGE, look["filter"] or None)
    counts = {
        reason: count
        for reason, count in {**data.report.dropped, **data.report.messages_left_out}.items()
        if reason not in listing.BY_HAND
    }
    reasons = [("all reasons", ""), *((f"{reason} ({count:,})", reason) for reason, count in counts.items())]
    return {
        ui.filter: gr.Dropdown(reasons, value=look["filter"], label="Reason", visible=True),
        ui.rows: _wide(listing.left_out_list(rows)),
        ui.pager: parts.pager(start, len(rows), total, PAGE, "left out"),
    }


def _masked(context: Context, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, library, start = context.tickets.conversations, context.studio.tickets, max(0, look["start"])
    data, origin = library.get(dataset), library.origin(dataset)
    terms, total = data.masked_terms(start, PAGE, look["filter"], look["query"])
    places = data.masked_places(look["term"], review.PLACES) if look["term"] else []
    _none, suspects = data.masked_terms(0, 0, SUSPECT)
    kinds = [
        ("all kinds", ""),
        *([(f"{review.SUSPECTED} ({suspects:,})", SUSPECT)] if suspects else []),
        *((f"{listing.kind_name(kind, 2)} ({count:,})", kind) for kind, count in data.report.redactions.items()),
    ]
    return {
        ui.filter: gr.Dropdown(kinds, value=look["filter"], label="Kind", visible=True),
        ui.caution: review.CAUTION + review.suspicion(suspects, look["filter"] == SUSPECT),
        ui.pending: changes.pending(origin),
        ui.rows: _wide(review.term_table(terms, look["term"], places, origin.choices())),
        ui.pager: parts.pager(start, len(terms), total, PAGE, "terms"),
    }


def _changed(context: Context, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, library = context.tickets.conversations, context.studio.tickets
    data = library.get(dataset)
    left_out, _total = data.dropped_by_hand(0, CHANGES_SHOWN)
    return {
        ui.rows: _wide(changes.everything(library.edits(dataset), library.origin(dataset), left_out, data.rewritten()))
    }


def _wide(listed: Markup) -> Markup:
    """A list that takes the whole width, beside which no conversation is shown."""
    return Markup('<div class="wide-list">{}</div>').format(listed)


def _conversation(context: Context, dataset: str, ticket: str, recipe: Recipe) -> Markup:
    """What the model will learn of a ticket; its plain messages until the tokenizer is there."""
    data, tokens = context.studio.tickets.get(dataset), context.studio.tokens
    row = data.find(ticket)
    if row is None:
        return Markup('<p class="hint">Choose a conversation at the left.</p>')
    agents = data.agents_of(row.key)
    if not tokens.ready(recipe.model):
        waiting = "Which words are learnt is marked here as soon as the model that reads them is at hand."
        return learning.plain_conversation(row, waiting, agents)
    try:
        return learning.learning(row, tokens.view(dataset, ticket, recipe), agents)
    except StudioError as error:
        return Markup("{}{}").format(parts.failure(error), learning.plain_conversation(row, agents=agents))
