"""Taking a data set from the model hub, below the drop zone: what it holds, then its files, then as if dropped."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.task import Task
from engine.tickets.importing.hub_listing import HubData, Part
from ui import parts, words
from ui.context import Context
from ui.events import bind
from ui.task_registry import looking
from ui.tickets import import_panel
from ui.tickets.source_panel import Guess

MOMENT = 0.5
"""Seconds between two looks at how far a fetch is."""


def wire(context: Context) -> None:
    """Attach the handlers."""
    importing = context.importing
    ui, service, tasks = importing.hub, context.studio.hub_data, context.tasks

    def failed(error: StudioError | None) -> dict[Any, Any]:
        told = parts.failure(error) if error else ""
        return {importing.progress: "", ui.told: told, ui.look: gr.Button(interactive=True)}

    def look_up(name: str, token: str, session: str) -> Iterator[dict[Any, Any]]:
        task = tasks.replace(looking(session), lambda: service.look_up(name or "", (token or "").strip()))
        yield {importing.notice: "", ui.part: gr.Dropdown(visible=False), ui.fetch: gr.Button(visible=False)}
        yield from _while_at_it(context, task)
        if not tasks.is_newest(looking(session), task):
            return
        seen = task.snapshot()
        if seen.result is None:
            yield failed(seen.error)
            return
        found, part = seen.result
        yield {
            importing.progress: "",
            ui.found: found,
            ui.told: told_of(found),
            ui.part: gr.Dropdown(_choices(found), value=part.name, visible=True),
            ui.fetch: gr.Button(visible=True),
        }

    def fetch(found: HubData | None, part: str, token: str, session: str) -> Iterator[dict[Any, Any]]:
        if found is None:
            return
        task = tasks.replace(looking(session), lambda: service.fetch(found, part or "", (token or "").strip()))
        yield from _while_at_it(context, task)
        if not tasks.is_newest(looking(session), task):
            return
        here = task.snapshot()
        if here.result is None:
            yield failed(here.error)
            return
        came = Guess(fetched=here.result)
        recognised = yield from import_panel.looked_into(
            context, session, list(here.result.files), None, lambda told: {importing.progress: "", ui.told: told}
        )
        if recognised is not None:
            name = found.id.rpartition("/")[2]
            yield {**import_panel.taken(context, recognised, name, came), ui.token: ""}

    told = [importing.progress, importing.notice, ui.told, ui.part, ui.fetch, ui.found, ui.look]
    asked = [ui.name, ui.token, context.page.session]
    # No lane: whatever is asked or dropped last takes the place of what is under way.
    bind(ui.look.click, look_up, asked, told, lane="")
    bind(ui.name.submit, look_up, asked, told, lane="")
    inputs = [ui.found, ui.part, ui.token, context.page.session]
    bind(ui.fetch.click, fetch, inputs, [*told, ui.token, *import_panel.taken_outputs(context)], lane="")


def told_of(found: HubData) -> Markup:
    """Say what the hub told of a data set."""
    licence = f"licence {found.licence}" if found.licence else "its card names no licence: ask its owner before use"
    return Markup('<p role="status"><b>{}</b> · {} · {}</p>').format(
        found.id, licence, words.count(len(found.parts), "part")
    )


def _choices(found: HubData) -> list[tuple[str, str]]:
    return [(_label(part), part.name) for part in found.parts]


def _label(part: Part) -> str:
    return f"{part.name}: {words.count(len(part.files), 'file')}, {words.file_size(part.bytes)}"


def _while_at_it(context: Context, task: Task[Any]) -> Iterator[dict[Any, Any]]:
    """Show how far it is, for as long as it takes."""
    while not task.ended(MOMENT):
        yield {context.importing.progress: parts.task_progress(task.snapshot())}
