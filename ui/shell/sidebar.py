"""The sidebar: data sets, runs and adapters, to select, rename and delete; and the offer to undo a deletion.

In a window narrower than 760 px it lies over the page, and the header's [lists-button] opens it.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.chat.records import LOOKUP
from engine.errors import StudioError
from engine.workspace import Deleted
from ui.context import Context
from ui.events import bind
from ui.html import data_of
from ui.services import Studio
from ui.shell.lists import sidebar
from ui.state.focus import run_beside, run_of, select_run
from ui.state.ownership import name_of
from ui.state.page import first_look
from ui.tickets import tab


def wire(context: Context) -> None:
    """Attach the handlers."""
    _wire_choosing(context)
    _wire_changing(context)


def _wire_choosing(context: Context) -> None:
    """What a click on an entry does, also in the palette, and one on '+'."""
    ui, page, studio = context.sidebar, context.page, context.studio
    draw, looked_at, drawn = tab.redraw(context)

    def pick(
        event: gr.EventData,
        voices: list[str],
        run: str,
        opened: str,
        dataset: str,
        _: dict[str, Any],
        draft: dict[str, Any],
    ) -> dict[Any, Any]:
        data, look = data_of(event), first_look()
        match data["kind"]:
            case "dataset":
                drawn = draw(dataset, look, draft) if (opened, dataset) == ("tickets", data["id"]) else {}
                newest = run_beside(studio, data["id"], run)
                selected = {page.dataset: data["id"], page.run: newest, page.look: look}
                return {**selected, context.tabs: gr.Tabs(selected="tickets"), **drawn}
            case "run":
                return {**select_run(page, studio, data["id"]), context.tabs: gr.Tabs(selected="training")}
        toggled = _toggled(studio, voices, data["id"])
        added = data["id"] in toggled and data["id"].startswith("run:")
        focus = select_run(page, studio, run_of(data["id"])) if added else {}
        return {page.voices: toggled, context.tabs: gr.Tabs(selected="playground"), **focus}

    def bring(
        event: gr.EventData, opened: str, dataset: str, look: dict[str, Any], draft: dict[str, Any]
    ) -> dict[Any, Any]:
        if data_of(event)["kind"] == "adapter":
            return {context.tabs: gr.Tabs(selected="export"), context.export.bringing.panel: gr.Accordion(open=True)}
        adding = {**look, "adding": True}
        drawn = draw(dataset, adding, draft) if opened == "tickets" else {}
        return {context.tabs: gr.Tabs(selected="tickets"), page.look: adding, **drawn}

    moved = [context.tabs, *drawn]
    for event in (ui.lists.pick, context.palette.asks.pick):
        selected = [page.dataset, page.run, page.voices]
        bind(event, pick, [page.voices, page.run, page.open, *looked_at], [*selected, *moved])
    bind(ui.lists.bring, bring, [page.open, *looked_at], [context.export.bringing.panel, *moved])


def _wire_changing(context: Context) -> None:
    """What an entry's menu does, here and in the table of runs, and how a deletion is undone."""
    ui, page, studio = context.sidebar, context.page, context.studio
    state = [page.dataset, page.run, page.voices]

    def check(action: str, data: dict[str, Any], request: gr.Request | None) -> None:
        if data["kind"] == "run":
            context.asking.check(name_of(request), action, data["id"])

    def redraw(dataset: str | None, run: str | None, voices: list[str]) -> dict[Any, Any]:
        return {ui.lists: lists(studio, dataset or "", run or "", voices)}

    def rename(
        event: gr.EventData, dataset: str, run: str, voices: list[str], request: gr.Request | None = None
    ) -> dict[Any, Any]:
        data = data_of(event)
        check("rename it", data, request)
        _rename(studio, data["kind"], data["id"], data["name"])
        return redraw(dataset, run, voices)

    def delete(
        event: gr.EventData, dataset: str, run: str, voices: list[str], request: gr.Request | None = None
    ) -> dict[Any, Any]:
        data = data_of(event)
        check("delete it", data, request)
        deleted = _delete(studio, data["kind"], data["id"])
        voices_left = [name for name in voices if data["id"] not in name]
        dataset = next((seen.id for seen in studio.tickets.all()), "") if dataset == data["id"] else dataset
        run = next((seen.id for seen in studio.runs.all()), "") if run == data["id"] else run
        return {
            page.dataset: dataset,
            page.run: run,
            page.voices: voices_left,
            **ui.offer_undo(deleted),
            **redraw(dataset, run, voices_left),
        }

    def undo(deleted: Deleted | None, dataset: str, run: str, voices: list[str]) -> dict[Any, Any]:
        if deleted is not None:
            studio.restore(deleted)
        back = deleted.original if deleted else None
        dataset = dataset or (back.name if back and back.parent.name == "datasets" else "")
        run = run or (back.name if back and back.parent.name == "runs" else "")
        return {page.dataset: dataset, page.run: run, ui.undo: "", ui.deleted: None, **redraw(dataset, run, voices)}

    changed = [page.dataset, page.run, page.voices, ui.lists, *ui.undo_outputs]
    for listed in (ui.lists, context.training.table):
        bind(listed.rename, rename, state, [ui.lists])
        bind(listed.delete, delete, state, changed)
    bind(ui.undo.undo, undo, [ui.deleted, *state], changed)
    bind(ui.undo.dismiss, lambda: {ui.undo: "", ui.deleted: None}, [], ui.undo_outputs)


def lists(studio: Studio, dataset: str, run: str, voices: Sequence[str]) -> Any:
    """The three lists as they are now, and what cannot be read."""
    listed = studio.tickets.all(), studio.runs.all(), studio.playground.voices()
    return sidebar(*listed, dataset, run, voices, studio.damaged())


def _toggled(studio: Studio, voices: list[str], voice: str) -> list[str]:
    """Choose an adapter for the playground, or take it away again; the newest three over its base stay."""
    from ui.playground.views import MOST_BESIDE, newly, over_one_base

    if voice in voices:
        return [name for name in voices if name not in (voice, f"{voice}{LOOKUP}")]
    known = studio.playground.voices()
    return over_one_base(known, [*voices, voice] if voices else newly(known, voice))[-MOST_BESIDE:]


def _rename(studio: Studio, kind: str, identifier: str, name: str) -> None:
    {"dataset": studio.tickets.rename, "run": studio.runs.rename, "adapter": studio.adapters.rename}[kind](
        identifier, name
    )


def _delete(studio: Studio, kind: str, identifier: str) -> Deleted:
    known = {"dataset": studio.tickets.delete, "run": studio.runs.delete, "adapter": studio.adapters.delete}
    known["damaged"] = studio.delete_damaged
    if kind not in known:
        raise StudioError("That cannot be deleted here.")
    return known[kind](identifier)
