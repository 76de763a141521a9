"""The way in, on the tab 'Export': an adapter or a model from a file, a folder or the model hub; and its trial."""

from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.export.records import Brought
from ui import icons, parts
from ui.context import Context
from ui.events import bind, once
from ui.export.cards import proof
from ui.playground.views import newly
from ui.task_registry import IMPORT

PACKED_AGAIN = (
    "It is a base model here now: the tab Recipe lists it, and the playground answers with it. Both pack it into 4 "
    "bit; of an adapter that was merged into it, that takes a part away."
)


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio, tasks = context.export.bringing, context.page, context.studio, context.tasks
    fields = [ui.zip, ui.folder, ui.name, ui.base]
    working = [ui.progress, ui.done, ui.timer, ui.bring, *fields]

    def bring(zip_file: str | None, folder: str, name: str, base: str) -> dict[Any, Any]:
        source = zip_file or folder.strip()
        if not source:
            raise StudioError("Nothing to bring in yet.", "Drop a .zip, or write the path of a folder.")
        tasks.start(IMPORT, lambda: studio.importing.bring_in(source, name.strip(), base.strip()))
        return {**_working(context), ui.done: ""}

    def ask() -> dict[Any, Any]:
        known, voice = studio.playground.voices(), _arrived(context).voice
        return {page.voices: newly(known, voice), context.tabs: gr.Tabs(selected="playground")}

    def train(draft: dict[str, Any]) -> dict[Any, Any]:
        model = studio.playground.voice(_arrived(context).voice).model
        return {page.draft: {**draft, "model": model}, context.tabs: gr.Tabs(selected="recipe")}

    def watch() -> dict[Any, Any]:
        return _working(context)

    once(ui.bring, bring, fields, working)
    bind(ui.timer.tick, watch, [], working)
    bind(ui.progress.cancel, lambda: tasks.cancel(IMPORT))
    bind(ui.done.ask, ask, [], [page.voices, context.tabs])
    bind(ui.done.train, train, [page.draft], [page.draft, context.tabs])


def pieces(context: Context) -> list[Any]:
    """What shows that something is on its way in."""
    ui = context.export.bringing
    return [ui.progress, ui.timer, ui.bring]


def _arrived(context: Context) -> Brought:
    seen = context.tasks.seen(IMPORT)
    if seen is None or not isinstance(seen.result, Brought):
        raise StudioError("That is not here any more.", "Bring it in again.")
    return seen.result


def under_way(context: Context) -> dict[Any, Any]:
    """How far it is, for a page that has just been opened too."""
    ui, seen = context.export.bringing, context.tasks.seen(IMPORT)
    is_running = seen is not None and seen.state == "running"
    return {
        ui.progress: parts.task_progress(seen),
        ui.timer: gr.Timer(active=is_running),
        ui.bring: gr.Button(interactive=not is_running),
    }


def _working(context: Context) -> dict[Any, Any]:
    """How far it is; at its end what has come."""
    ui, seen = context.export.bringing, context.tasks.seen(IMPORT)
    shown = under_way(context)
    if seen is None or seen.state in ("running", "cancelled"):
        return shown
    if seen.error:
        return {**shown, ui.done: parts.failure(seen.error)}
    if not isinstance(seen.result, Brought):
        return shown
    return {**shown, ui.done: arrived(seen.result), ui.zip: None, ui.folder: "", ui.name: "", ui.base: ""}


def arrived(brought: Brought) -> Markup:
    """Say what has come, how it answers, and what can be done with it."""
    told = Markup('<p class="quiet">{}</p>').format(PACKED_AGAIN) if brought.is_model else proof(brought.proof)
    buttons = [("train", "Train over it")] if brought.is_model else []
    shown = parts.join(
        [
            Markup('<button type="button" class="button" data-do="{}" data-key="arrived-{}">{}</button>').format(
                action, action, label
            )
            for action, label in [*buttons, ("ask", "Ask it in the playground")]
        ]
    )
    return Markup(
        '<div class="arrived"><p class="done" role="status">{}<span>‘{}’ is here.</span></p>{}'
        '<div class="made-buttons">{}</div></div>'
    ).format(icons.CHECK, brought.label, told, shown)
