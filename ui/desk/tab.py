"""The tab 'Help desk': an agent pastes a ticket and gets a draft; below, how another program does the same."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.chat.records import STRANGE
from engine.errors import StudioError
from engine.serving.drafting import Draft
from ui.context import Context
from ui.desk import connecting, views
from ui.events import bind, log, unexpected
from ui.playground.components import ANSWERS
from ui.state.focus import preferred

FRAME = 0.1
"""Seconds between two looks of a draft that are sent to the browser."""


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page = context.desk, context.page

    def draft(
        ticket: str, voice: str | None, lookup: bool, session: str, dataset: str | None, pass_on: bool = False
    ) -> Iterator[dict[Any, Any]]:
        yield from _drafted(context, ticket, voice or "base", lookup, session, dataset or "", pass_on)

    def stop(session: str) -> None:
        context.studio.playground.stop(_asker(session))

    inputs = [ui.ticket, ui.voice, ui.lookup, page.session, page.dataset, ui.pass_on]
    bind(ui.draft.click, draft, inputs, [ui.result, ui.draft, ui.stop], **ANSWERS)
    bind(ui.stop.click, stop, [page.session], queue=False)
    connecting.wire(context)


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""
    ui, page = context.desk, context.page

    def show(voice: str | None, selected: str | None = "", before: str | None = None) -> dict[Any, Any]:
        choices = views.voices(context.studio.endpoint.candidates())
        wanted = preferred(voice or "", selected or "", before)
        return {
            ui.voice: gr.Dropdown(choices, value=views.chosen(choices, wanted)),
            ui.followed: selected or "",
            **connecting.shown(context),
        }

    return show, [ui.voice, page.run, ui.followed], [ui.voice, ui.followed, *connecting.outputs(context)]


def _asker(session: str) -> str:
    """The name under which a page's draft is stopped; that of its playground is another one."""
    return f"{session} drafts"


def _drafted(
    context: Context, ticket: str, voice: str, lookup: bool, session: str, dataset: str, pass_on: bool
) -> Iterator[dict[Any, Any]]:
    """Stream a draft; whatever happens, the buttons are right in the end."""
    ui, studio = context.desk, context.studio
    yield {
        ui.result: views.draft(Draft(stage="Reading the ticket")),
        ui.draft: gr.Button(visible=False),
        ui.stop: gr.Button(visible=True),
    }
    latest: Draft | None = None
    shown, stage, note = 0.0, "", Markup("")
    try:
        least = STRANGE if pass_on else 0.0
        for latest in studio.endpoint.draft(ticket or "", voice, lookup, dataset, _asker(session), least):
            is_new_stage = (
                latest.stage != stage
            )  # which may last, such as loading a model, so that no other look tells it
            if not latest.done and (is_new_stage or time.monotonic() - shown >= FRAME):
                shown, stage = time.monotonic(), latest.stage
                yield {ui.result: views.draft(latest)}
        assert latest is not None
        note = views.draft(latest)
    except StudioError as error:
        note = views.failed(error, latest)
    except Exception as error:
        log.exception("a draft failed")
        note = views.failed(unexpected(error), latest)
    finally:
        studio.playground.stop(_asker(session))
    yield {ui.result: note, ui.draft: gr.Button(visible=True), ui.stop: gr.Button(visible=False)}
