"""What a person changes in the reader: conversations left out, answers rewritten, terms allowed or masked; and undo.

Edits take effect at once; what is decided about terms and agents takes effect when the data set is prepared again.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ui.context import Context
from ui.events import bind, once
from ui.html import data_of
from ui.tickets import reprepare_panel
from ui.tickets.conversation_list import Draw, open_entry
from ui.tickets.views import changes, erasing, listing


def wire(context: Context, redraw: Draw, relist: Draw, state: list[Any], outputs: list[Any]) -> None:
    """Attach the handlers.

    Args:
        context: The window's parts.
        redraw: Draws the whole tab from the values of ``state``; keyword arguments change what is looked at.
        relist: The same for the reader alone.
        state: Their inputs, the data set first.
        outputs: The outputs of ``redraw``.
    """
    _wire_leaving_out(context, redraw, state, outputs)
    _wire_rewriting(context, redraw, state, outputs)
    _wire_review(context, relist, state)
    _wire_undo(context, redraw, state, outputs)
    _wire_deleting(context, redraw, state, outputs)


def _wire_deleting(context: Context, redraw: Draw, state: list[Any], outputs: list[Any]) -> None:
    ui, studio = context.tickets.conversations, context.studio

    def confirm(*rest: Any) -> dict[Any, Any]:
        entry = open_entry(context, rest[0], rest[1])
        return {ui.notice: erasing.to_confirm(entry.ticket, studio.erasure.plan(rest[0], entry.ticket))}

    def delete(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        deleted = studio.erasure.erase(rest[0], data_of(event)["ticket"]).wait()
        return {**redraw(*rest, ticket="", rewriting=-1, start=0), ui.notice: erasing.done(deleted)}

    bind(ui.learn.erase, confirm, state, [ui.notice])
    bind(ui.notice.erase, delete, state, outputs)


def _wire_leaving_out(context: Context, redraw: Draw, state: list[Any], outputs: list[Any]) -> None:
    ui, library = context.tickets.conversations, context.studio.tickets

    def drop(*rest: Any) -> dict[Any, Any]:
        dataset, entry = rest[0], open_entry(context, rest[0], rest[1])
        library.edit(dataset, library.edits(dataset).drop(entry))
        said = f"{listing.ticket_name(entry.ticket)} is left out."
        return {**redraw(*rest, ticket="", rewriting=-1), ui.notice: changes.done(said, "drop", entry.key)}

    def leave_out_tag(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        dataset, tag = rest[0], data_of(event)["name"]
        library.edit(dataset, library.edits(dataset).leave_out_tag(tag))
        said = f"Tickets with the tag ‘{tag}’ are left out."
        return {**redraw(*rest, ticket="", start=0), ui.notice: changes.done(said, "tag", tag)}

    def leave_out_agent(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        agent = data_of(event)["name"]
        library.want(rest[0], "exclude_agents", agent)
        said = f"Answers of agent {agent} are left out from the next run on; start it under ‘Changed by you’."
        return {**redraw(*rest), ui.notice: changes.done(said, "exclude_agents", agent)}

    bind(ui.learn.drop, drop, state, outputs)
    bind(ui.learn.tag, leave_out_tag, state, outputs)
    bind(ui.learn.agent, leave_out_agent, state, outputs)


def _wire_rewriting(context: Context, redraw: Draw, state: list[Any], outputs: list[Any]) -> None:
    ui, library = context.tickets.conversations, context.studio.tickets

    def begin_rewriting(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        number = int(data_of(event)["number"])
        look = {**rest[1], "rewriting": number}
        entry = open_entry(context, rest[0], look)
        return {
            context.page.look: {**look, "ticket": entry.ticket},
            ui.text: entry.messages[number].content,
            ui.rewriting: gr.Column(visible=True),
        }

    def save(text: str, *rest: Any) -> dict[Any, Any]:
        dataset, look = rest[0], rest[1]
        entry = open_entry(context, dataset, look)
        edits = library.edits(dataset).rewrite(entry, look["rewriting"], text)
        library.edit(dataset, edits)
        done = Markup("")
        if edits.answers and edits.answers[-1].key == entry.key:
            done = changes.done("The answer was rewritten.", "answer", edits.answers[-1].id)
        return {**redraw(*rest, ticket=entry.ticket, rewriting=-1), ui.notice: done}

    def stop_rewriting(look: dict[str, Any]) -> dict[Any, Any]:
        return {context.page.look: {**look, "rewriting": -1}, ui.rewriting: gr.Column(visible=False)}

    bind(ui.learn.rewrite, begin_rewriting, state, [context.page.look, ui.text, ui.rewriting])
    once(ui.save, save, [ui.text, *state], outputs)
    bind(ui.back.click, stop_rewriting, [context.page.look], [context.page.look, ui.rewriting])


def _wire_review(context: Context, relist: Draw, state: list[Any]) -> None:
    ui, library, again = context.tickets.conversations, context.studio.tickets, context.tickets.reprepare
    listing = [*ui.outputs, context.page.look]

    def add(term: str, *rest: Any) -> dict[Any, Any]:
        library.want(rest[0], "extra_terms", term or "")
        return {**relist(*rest), ui.term: ""}

    def mask(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        library.want(rest[0], "extra_terms", library.get(rest[0]).term(data_of(event)["term"]))
        return relist(*rest)

    def allow(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        term = library.get(rest[0]).term(data_of(event)["term"])
        added = {known.casefold() for known in library.origin(rest[0]).wanted.extra_terms}
        if term.casefold() in added:
            library.want(rest[0], "extra_terms", term, False)
        else:
            library.want(rest[0], "allow", term)
        return relist(*rest)

    def run_again(dataset: str) -> dict[Any, Any]:
        return reprepare_panel.begin(context, dataset)

    for added in (ui.add.click, ui.term.submit):
        bind(added, add, [ui.term, *state], [*listing, ui.term])
    bind(ui.rows.allow, allow, state, listing)
    bind(ui.rows.mask, mask, state, listing)
    for source in (ui.rows, ui.pending):
        bind(source.again, run_again, [context.page.dataset], [again.progress, again.timer, again.panel])


def _wire_undo(context: Context, redraw: Draw, state: list[Any], outputs: list[Any]) -> None:
    ui, library = context.tickets.conversations, context.studio.tickets

    def undo(event: gr.EventData, *rest: Any) -> dict[Any, Any]:
        said = data_of(event)
        dataset, what, identifier = rest[0], said["what"], said["id"]
        edits = library.edits(dataset)
        match what:
            case "drop":
                library.edit(dataset, edits.keep(identifier))
            case "answer":
                library.edit(dataset, edits.restore(identifier))
            case "tag":
                library.edit(dataset, edits.take_back_tag(identifier))
            case "allow" | "extra_terms" | "exclude_agents":
                library.want(dataset, what, identifier, said.get("keep") == "yes")
        return redraw(*rest)

    for source in (ui.rows, ui.pending, ui.notice):
        bind(source.undo, undo, state, outputs)
