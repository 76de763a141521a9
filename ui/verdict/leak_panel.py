"""The leak test: begun, watched and cancelled; the newest certificate is shown."""

import time
from typing import Any

import gradio as gr

from ui import parts
from ui.context import Context
from ui.events import bind, once
from ui.task_registry import testing_leaks
from ui.verdict import leak_views


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio, tasks = context.verdict.leak, context.page, context.studio, context.tasks

    def test_leaks(run: str) -> dict[Any, Any]:
        tasks.start(testing_leaks(run), lambda: studio.leak.test(run))
        return shown(context, run)

    def watch_leaks(run: str | None) -> dict[Any, Any]:
        return shown(context, run or "")

    def cancel_leaks(run: str) -> None:
        tasks.cancel(testing_leaks(run))

    once(ui.test, test_leaks, [page.run], outputs(context))
    bind(ui.timer.tick, watch_leaks, [page.run], outputs(context))
    bind(ui.progress.cancel, cancel_leaks, [page.run])


def outputs(context: Context) -> list[Any]:
    """Everything that the panel sets."""
    ui = context.verdict.leak
    return [ui.repeated, ui.told, ui.test, ui.progress, ui.table, ui.timer]


def shown(context: Context, run: str) -> dict[Any, Any]:
    """What was found of a run, and how far a test under way is."""
    ui, studio, seen = context.verdict.leak, context.studio, context.tasks.seen(testing_leaks(run))
    running = seen is not None and seen.state == "running"
    progress: dict[Any, Any] = {
        ui.progress: parts.failure(seen.error) if seen and seen.error else parts.task_progress(seen),
        ui.timer: gr.Timer(active=running),
    }
    info = next((info for info in studio.runs.all() if info.id == run), None)
    if info is None:
        return progress
    found = studio.leak.certificate(run)
    able = not running and (info.has_adapter or bool(info.checkpoint))
    label = "Test again" if found else "Test whether it repeats private data"
    return {
        **progress,
        ui.repeated: leak_views.repeated(studio.leak.repeated(run)),
        ui.told: leak_views.told(found, time.time()) if found else leak_views.offer(),
        ui.test: gr.Button(label, interactive=able),
        ui.table: leak_views.table(found) if found else "",
    }
