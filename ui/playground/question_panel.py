"""The panel 'Many questions at once': sets of questions and held-out tickets, answered into a table.

The answers are a long action in the background (TaskRegistry), so that a reload finds them again.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from engine.chat.records import Sampling
from engine.errors import StudioError
from engine.question_sets import Question, as_csv, plain_questions
from engine.workspace import slug
from ui import parts
from ui.context import Context
from ui.events import bind, once, say
from ui.playground import question_table, views
from ui.playground.question_components import HELDOUT
from ui.task_registry import answering


def wire(context: Context, settings: list[Any], sampling: Callable[..., Sampling]) -> None:
    """Attach the handlers.

    Args:
        context: The window.
        settings: The standing instruction, and the fields that say how answers are chosen.
        sampling: Takes the values of those fields.
    """
    ui, page, studio, tasks = context.playground.questions, context.page, context.studio, context.tasks
    working = [ui.progress, ui.table, ui.download, ui.answer, ui.timer]

    def choose(chosen: str | None) -> dict[Any, Any]:
        name = chosen if chosen and chosen != HELDOUT else ""
        text = "\n".join(studio.questions.saved().get(name, ()))
        return {
            ui.text: gr.Textbox(text, visible=chosen != HELDOUT),
            ui.name: gr.Textbox(name, visible=chosen != HELDOUT),
            ui.save: gr.Button(visible=chosen != HELDOUT),
            ui.delete: gr.Button(visible=bool(name)),
        }

    def save(name: str, text: str) -> dict[Any, Any]:
        studio.questions.save(name, text)
        say(f"‘{name.strip()}’ is kept.")
        return {ui.chosen: gr.Dropdown(_choices(context), value=name.strip()), ui.delete: gr.Button(visible=True)}

    def delete(name: str) -> dict[Any, Any]:
        studio.questions.delete(name)
        say(f"‘{name}’ was deleted; it lies in the trash of the workspace.")
        return {ui.chosen: gr.Dropdown(_choices(context), value=""), **choose("")}

    def answer(
        chosen: str | None, text: str, session: str, voices: list[str], dataset: str, instruction: str, *values: Any
    ) -> dict[Any, Any]:
        names = [voice.id for voice in views.shown(studio.playground.voices(), voices)]
        questions, how = _questions(context, chosen, text, names, dataset), sampling(*values)
        tasks.start(
            answering(session),
            lambda: studio.questions.answer(questions, names, how, instruction or "", dataset or ""),
        )
        return _working(context, session)

    def watch(session: str) -> dict[Any, Any]:
        return _working(context, session)

    def cancel(session: str) -> None:
        tasks.cancel(answering(session))

    def download(session: str, chosen: str | None) -> dict[Any, Any]:
        task = tasks.seen(answering(session))
        if task is None or task.result is None:
            raise StudioError("There are no answers any more.", "Press Answer all.")
        context.downloads.mkdir(parents=True, exist_ok=True)
        name = "held-out" if chosen == HELDOUT else slug(chosen) if chosen else ""
        file = context.downloads / question_table.csv_name(name)
        file.write_text(as_csv(task.result), encoding="utf-8-sig", newline="")
        return {ui.file: str(file)}

    bind(ui.chosen.input, choose, [ui.chosen], [ui.text, ui.name, ui.save, ui.delete])
    once(ui.save, save, [ui.name, ui.text], [ui.chosen, ui.delete])
    once(ui.delete, delete, [ui.name], [ui.chosen, ui.text, ui.name, ui.save, ui.delete])
    once(ui.answer, answer, [ui.chosen, ui.text, page.session, page.voices, page.dataset, *settings], working)
    bind(ui.timer.tick, watch, [page.session], working)
    bind(ui.progress.cancel, cancel, [page.session])
    once(ui.download, download, [page.session, ui.chosen], [ui.file])
    bind(ui.file.change, None, js="() => ticketTuner.download('answers-file')")


def redraw(context: Context, session: str, chosen: str | None) -> dict[Any, Any]:
    """Draw what is there: the sets, and the answers of this page's last questions."""
    ui = context.playground.questions
    known = _choices(context)
    value = chosen if chosen in {choice for _, choice in known} else ""
    return {ui.chosen: gr.Dropdown(known, value=value), **_working(context, session)}


def outputs(context: Context) -> list[Any]:
    """What :func:`redraw` sets."""
    ui = context.playground.questions
    return [ui.chosen, ui.progress, ui.table, ui.download, ui.answer, ui.timer]


def _choices(context: Context) -> list[tuple[str, str]]:
    saved = [(name, name) for name in context.studio.questions.saved()]
    return [("A new set", ""), *saved, ("All held-out tickets", HELDOUT)]


def _questions(
    context: Context, chosen: str | None, text: str, voices: list[str], dataset: str
) -> tuple[Question, ...]:
    if chosen == HELDOUT:
        return context.studio.questions.heldout(voices, dataset or "")
    return plain_questions(text)


def _working(context: Context, session: str) -> dict[Any, Any]:
    """How far the answers are; at their end the table."""
    ui, task = context.playground.questions, context.tasks.seen(answering(session))
    runs = task is not None and task.state == "running"
    shown: dict[Any, Any] = {
        ui.progress: parts.task_progress(task),
        ui.answer: gr.Button(interactive=not runs),
        ui.timer: gr.Timer(active=runs),
    }
    if runs or task is None:
        return shown
    if task.error:
        return {**shown, ui.progress: parts.failure(task.error)}
    return {
        **shown,
        ui.table: question_table.answers(task.result),
        ui.download: gr.Button(visible=bool(task.result and task.result.rows)),
    }
