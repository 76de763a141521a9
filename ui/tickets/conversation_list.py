"""The list at the left and the conversation at the right: to look through, to leave out, to rewrite, to review.

Owns these components and what is shown in each mode of the list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.tickets.privacy.review import SUSPECT
from ui import parts
from ui.context import Window
from ui.events import LATEST, listen, written
from ui.html import data_of, html
from ui.tickets.views import changes, learning, listing, review
from ui.tickets.views.listing import PAGE

MODES = [
    ("Conversations", "conversations"),
    ("Left out", "left_out"),
    ("Masked", "masked"),
    ("Changed by you", "changed"),
]
SEARCHED = {"conversations": "Words in a conversation", "masked": "Words in a term"}
"""Mode in which words can be searched for -> where."""

CHANGES_SHOWN = 1000
Draw = Callable[..., dict[Any, Any]]


@dataclass(frozen=True)
class Reader:
    """Components; their elem_ids in brackets."""

    mode: gr.Radio
    """[list-mode]"""
    search: gr.Textbox
    """[search]"""
    filter: gr.Dropdown
    """[list-filter]: a reason, or a kind of personal data"""
    caution: gr.HTML
    """[caution]"""
    adding: gr.Row
    """Around [mask-also] and [mask-also-add]"""
    term: gr.Textbox
    """[mask-also]"""
    add: gr.Button
    """[mask-also-add]"""
    pending: gr.HTML
    """[pending]; raises 'undo' and 'again'"""
    rows: gr.HTML
    """[conversations]; raises 'pick', 'places', 'allow', 'mask', 'undo' and 'again'"""
    pager: gr.HTML
    """[pager]; raises 'turn'"""
    notice: gr.HTML
    """[reader-notice]: what was just done; raises 'undo'"""
    learn: gr.HTML
    """[learn-view]; raises 'drop', 'rewrite', 'tag' and 'agent'"""
    rewriting: gr.Column
    """Around [rewrite-text], [rewrite-save] and [rewrite-cancel]"""
    text: gr.Textbox
    """[rewrite-text]"""
    save: gr.Button
    """[rewrite-save]"""
    back: gr.Button
    """[rewrite-cancel]"""

    @property
    def outputs(self) -> list[Any]:
        """What :func:`shown` sets."""
        left = [self.mode, self.search, self.filter, self.caution, self.adding, self.pending, self.rows, self.pager]
        return [*left, self.notice, self.learn, self.rewriting]


def build() -> Reader:
    """Make the components."""
    with gr.Row(elem_id="reader", elem_classes="split"):
        with gr.Column(elem_id="reader-list", elem_classes="sheet", min_width=320):
            mode = gr.Radio(MODES, value="conversations", label="Show", elem_id="list-mode", elem_classes="segments")
            caution = html(elem_id="caution")
            with gr.Row(elem_classes="bar-row bottom", visible=False) as adding:
                term = gr.Textbox(
                    "", label="Mask also", placeholder="A name, a place, any words", elem_id="mask-also", max_lines=1
                )
                add = gr.Button("Add", elem_id="mask-also-add", scale=0, min_width=70)
            pending = html(elem_id="pending", raises=("undo", "again"))
            with gr.Row(elem_classes="bar-row bottom find-row"):
                search = gr.Textbox(
                    "",
                    label="Search",
                    placeholder=SEARCHED["conversations"],
                    elem_id="search",
                    max_lines=1,
                    min_width=150,
                )
                picked = gr.Dropdown([("all", "")], value="", label="Only", elem_id="list-filter", min_width=150)
            rows = html(elem_id="conversations", raises=("pick", "places", "allow", "mask", "undo", "again"))
            pager = html(elem_id="pager", raises=("turn",))
        with gr.Column(elem_id="reader-view", elem_classes="sheet", min_width=320):
            html('<h2 class="sheet-title">What the model will learn</h2>')
            notice = html(elem_id="reader-notice", raises=("undo",))
            with gr.Column(elem_id="rewriting", visible=False) as rewriting:
                text = gr.Textbox(
                    "", label="The answer that is to be learnt instead", elem_id="rewrite-text", lines=6, max_lines=14
                )
                with gr.Row(elem_classes="bar-row end"):
                    back = gr.Button("Cancel", elem_id="rewrite-cancel", scale=0, min_width=90)
                    save = gr.Button("Save", variant="primary", elem_id="rewrite-save", scale=0, min_width=90)
            learn = html(elem_id="learn-view", raises=("drop", "rewrite", "tag", "agent"))
    return Reader(
        mode,
        search,
        picked,
        caution,
        adding,
        term,
        add,
        pending,
        rows,
        pager,
        notice,
        learn,
        rewriting,
        text,
        save,
        back,
    )


def wire(window: Window, relist: Draw, state: list[Any]) -> None:
    """Attach the handlers that only look; what changes the data set is edit_handlers.py's.

    Args:
        window: The window.
        relist: Draws this part from the values of ``state``; keyword arguments change what is looked at.
        state: Its inputs, the data set first.
    """
    ui = window.tickets.reader
    listing = [*ui.outputs, window.page.look]

    def search(query: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, query=query, start=0) if query != rest[1]["query"] else {}

    def narrow(chosen: str, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, filter=chosen or "", start=0)

    def turn(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        return relist(*rest, start=int(data_of(event).get("start", 0)))

    def to_mode(mode: str, *rest: Any, ticket: str = "") -> dict[Any, Any]:
        anew = {"start": 0, "query": "", "filter": "", "term": "", "rewriting": -1}
        shown = relist(*rest, mode=mode, ticket=ticket or rest[1]["ticket"], **anew)
        # What somebody begins to type meanwhile stays, where there is nothing to clear.
        cleared = {"value": ""} if rest[1]["query"] else {}
        return {**shown, ui.search: gr.Textbox(visible=mode in SEARCHED, placeholder=SEARCHED.get(mode), **cleared)}

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

    listen(written(ui.search), search, [ui.search, *state], listing, **LATEST)
    listen(ui.filter.input, narrow, [ui.filter, *state], listing, **LATEST)
    listen(ui.pager.turn, turn, state, listing, **LATEST)
    listen(ui.mode.input, change_mode, [ui.mode, *state], listing, **LATEST)
    listen(window.tickets.summary.mode, jump_to_mode, state, listing)
    listen(window.tickets.quality.pick, pick, state, listing)
    listen(window.tickets.tokens.counted.pick, pick, state, listing)
    listen(ui.rows.pick, pick, state, listing, **LATEST)
    listen(ui.rows.places, open_places, state, listing)


def open_entry(window: Window, dataset: str, look: dict[str, Any]) -> dict[str, Any]:
    """The conversation at the right.

    Raises:
        StudioError: It is not there any more.
    """
    data = window.studio.tickets.get(dataset)
    ticket = look["ticket"] or next((row["ticket"] for row in data.page(look["start"], 1, look["query"])[0]), "")
    entry = data.find(ticket)
    if entry is None:
        raise StudioError(f"Ticket {ticket} is not in this data set.", "Choose one from the list.")
    return entry


def shown(window: Window, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    """The list at the left and the conversation at the right."""
    ui, mode = window.tickets.reader, look["mode"]
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
        window.page.look: look,
        **draw(window, dataset, look, recipe),
    }


def _conversations(window: Window, dataset: str, look: dict[str, Any], recipe: Recipe) -> dict[Any, Any]:
    ui, data, start = window.tickets.reader, window.studio.tickets.get(dataset), max(0, look["start"])
    rows, total = data.page(start, PAGE, look["query"])
    ticket = look["ticket"] or (rows[0]["ticket"] if rows else "")
    return {
        ui.rows: listing.conversation_list(rows, ticket),
        ui.learn: _conversation(window, dataset, ticket, recipe),
        ui.pager: parts.pager(start, len(rows), total, PAGE, "conversations"),
    }


def _left_out(window: Window, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, data, start = window.tickets.reader, window.studio.tickets.get(dataset), max(0, look["start"])
    rows, total = data.left_out(start, PAGE, look["filter"] or None)
    found = {
        reason: count
        for reason, count in {**data.report.dropped, **data.report.messages_left_out}.items()
        if reason not in listing.BY_HAND
    }
    reasons = [("all reasons", ""), *((f"{reason} ({count:,})", reason) for reason, count in found.items())]
    return {
        ui.filter: gr.Dropdown(reasons, value=look["filter"], label="Reason", visible=True),
        ui.rows: _wide(listing.left_out_list(rows)),
        ui.pager: parts.pager(start, len(rows), total, PAGE, "left out"),
    }


def _masked(window: Window, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, library, start = window.tickets.reader, window.studio.tickets, max(0, look["start"])
    data, origin = library.get(dataset), library.origin(dataset)
    terms, total = data.masked_terms(start, PAGE, look["filter"], look["query"])
    found = data.masked_places(look["term"], review.PLACES) if look["term"] else []
    _, suspects = data.masked_terms(0, 0, SUSPECT)
    kinds = [
        ("all kinds", ""),
        *([(f"{review.SUSPECTED} ({suspects:,})", SUSPECT)] if suspects else []),
        *((f"{listing.kind_name(kind, 2)} ({count:,})", kind) for kind, count in data.report.redactions.items()),
    ]
    return {
        ui.filter: gr.Dropdown(kinds, value=look["filter"], label="Kind", visible=True),
        ui.caution: review.CAUTION + review.suspicion(suspects, look["filter"] == SUSPECT),
        ui.pending: changes.pending(origin),
        ui.rows: _wide(review.term_table(terms, look["term"], found, origin.choices())),
        ui.pager: parts.pager(start, len(terms), total, PAGE, "terms"),
    }


def _changed(window: Window, dataset: str, look: dict[str, Any], _: Recipe) -> dict[Any, Any]:
    ui, library = window.tickets.reader, window.studio.tickets
    data = library.get(dataset)
    left_out, _total = data.dropped_by_hand(0, CHANGES_SHOWN)
    return {
        ui.rows: _wide(changes.everything(library.edits(dataset), library.origin(dataset), left_out, data.rewritten()))
    }


def _wide(listed: Markup) -> Markup:
    """A list that takes the whole width, beside which no conversation is shown."""
    return Markup('<div class="wide-list">{}</div>').format(listed)


def _conversation(window: Window, dataset: str, ticket: str, recipe: Recipe) -> Markup:
    """What the model will learn of a ticket; its plain messages until the tokenizer is there."""
    data, tokens = window.studio.tickets.get(dataset), window.studio.tokens
    row = data.find(ticket)
    if row is None:
        return Markup('<p class="hint">Choose a conversation at the left.</p>')
    agents = data.agents_of(row["key"])
    if not tokens.ready(recipe.model):
        waiting = "Which words are learnt is marked here as soon as the model that reads them is at hand."
        return learning.plain_conversation(row, waiting, agents)
    try:
        return learning.learning(row, tokens.view(dataset, ticket, recipe), agents)
    except StudioError as error:
        return Markup("{}{}").format(parts.failure(error), learning.plain_conversation(row, agents=agents))
