"""The tab 'Playground': one question, several voices side by side.

Owns the components and how they hang together. The answers stream from the engine; what was said is kept in
conversations.py, so that a reload shows it again.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.chat.records import STRANGE, AnswerFrame
from engine.errors import StudioError
from engine.studio import Voice
from engine.turns import with_instruction
from engine.verdict.facts.fact import Fact
from ui import parts
from ui.context import Context
from ui.events import bind, log, once, tell, unexpected
from ui.playground import actions, question_panel, views
from ui.playground.components import ANSWERS, PlaygroundTab
from ui.playground.sampling_fields import sampling_of
from ui.state.conversations import Conversation, Reply

FRAME = 0.06
"""Seconds between two frames that are sent to the browser; more cannot be read."""


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio = context.playground, context.page, context.studio
    base = [page.session, page.voices]
    settings = [ui.system, *ui.sampling.all]
    streamed = [ui.board, ui.question, ui.send, ui.stop, ui.notice]

    def instruct(chosen: list[str], system: str) -> dict[Any, Any]:
        return {} if system.strip() or not chosen else {ui.system: studio.playground.instruction(chosen)}

    def choose(chosen: list[str] | None) -> list[str]:
        return views.over_one_base(studio.playground.voices(), chosen or [])

    def pick_ticket(session: str, chosen: list[str], dataset: str, number: int) -> dict[Any, Any]:
        before = context.conversations.get(session)
        before.check_answered()
        found = studio.playground.heldout_ticket(chosen, dataset or "", number)
        *opening, asked = found.messages
        conversation = before.begun_anew(
            reference=found.answer, ticket=found.ticket, ticket_question=asked["content"], opening=tuple(opening)
        )
        context.conversations.keep(session, conversation)
        return {
            **_shown(context, session, chosen),
            ui.question: asked["content"],
            ui.number: number + 1,
            ui.notice: "",
        }

    def start_anew(session: str, chosen: list[str]) -> dict[Any, Any]:
        studio.playground.stop(session)
        context.conversations.keep(session, context.conversations.get(session).begun_anew())
        return {**_shown(context, session, chosen), ui.question: "", ui.notice: ""}

    def ask(question: str, session: str, chosen: list[str], dataset: str, *values: Any) -> Iterator[dict[Any, Any]]:
        yield from _ask(context, question, session, chosen, dataset or "", values)

    shown = _outputs(context)
    bind(page.voices.change, instruct, [page.voices, ui.system], [ui.system])
    bind(ui.voices.input, choose, [ui.voices], [page.voices])
    once(ui.ticket, pick_ticket, [*base, page.dataset, ui.number], [*shown, ui.question, ui.number, ui.notice])
    once(ui.new, start_anew, base, [*shown, ui.question, ui.notice])
    bind(
        ui.send.click,
        ask,
        [ui.question, *base, page.dataset, *settings],
        streamed,
        name="ask",
        **ANSWERS,
    )
    bind(ui.stop.click, studio.playground.stop, [page.session], queue=False)
    question_panel.wire(context, settings, sampling_of)
    actions.wire(context, ask, [*base, page.dataset, *settings], streamed, _shown, shown)


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(session: str, chosen: list[str], questions: str | None = None) -> dict[Any, Any]:
        return {**_shown(context, session, chosen), **question_panel.redraw(context, session, questions)}

    inputs = [context.page.session, context.page.voices, context.playground.questions.chosen]
    return show, inputs, [*_outputs(context), *question_panel.outputs(context)]


def _outputs(context: Context) -> list[Any]:
    """Everything that the tab sets, but for what a person writes."""
    ui = context.playground
    return [ui.board, ui.voices, ui.send, ui.stop, ui.differences, ui.invented, ui.pass_on]


def _shown(context: Context, session: str, chosen: list[str]) -> dict[Any, Any]:
    """The panes, the list of adapters to choose from, and the conversation's switches."""
    ui, known, conversation = context.playground, context.studio.playground.voices(), context.conversations.get(session)
    voices = views.shown(known, chosen)
    return {
        ui.board: views.board(conversation, voices),
        ui.voices: gr.update(choices=views.choices(known), value=[voice.id for voice in voices[1:]]),
        ui.send: gr.Button(visible=not conversation.asking),
        ui.stop: gr.Button(visible=conversation.asking),
        ui.differences: conversation.compares,
        ui.invented: conversation.marks_invented,
        ui.pass_on: conversation.passes_on,
    }


def _ask(
    context: Context, question: str, session: str, chosen: list[str], dataset: str, settings: tuple[Any, ...]
) -> Iterator[dict[Any, Any]]:
    """Stream the answers; whatever happens, the conversation is left in order and the buttons are right."""
    ui, studio, conversations = context.playground, context.studio, context.conversations
    conversation = conversations.get(session)
    try:
        conversation.check_answered()
        system, sampling = settings[0] or "", sampling_of(*settings[1:])
        voices = views.shown(studio.playground.voices(), chosen)
        if not (question or "").strip():
            raise StudioError("The question is empty.", "Type one, or pick a held-out ticket.")
    except StudioError as error:
        tell(error)
        yield gr.skip()
        return
    names, lanes = tuple(voice.id for voice in voices), tuple(views.lane(voice) for voice in voices)
    conversation = conversations.keep(session, conversation.asked(lanes, question.strip()))
    note = Markup("")
    try:
        yield {
            ui.board: views.board(conversation, voices),
            ui.question: "",
            ui.notice: "",
            ui.send: gr.Button(visible=False),
            ui.stop: gr.Button(visible=True),
        }
        heard = [with_instruction(conversation.hears(lane), system) for lane in lanes]
        sent = 0.0
        least = STRANGE if conversation.passes_on else 0.0
        ticket = conversation.ticket
        for frame in studio.playground.ask(names, heard, sampling, session, dataset, ticket, least=least):
            # A stage may last, such as loading a model, so that no other frame tells it.
            is_new_stage = frame.stage != conversation.stage
            conversation = conversations.keep(
                session, _heard(conversation, frame, dict(zip(names, lanes, strict=True)))
            )
            if is_new_stage or time.monotonic() - sent >= FRAME:
                sent = time.monotonic()
                yield {ui.board: views.board(conversation, voices)}
    except StudioError as error:
        note = parts.failure(error)
    except Exception as error:
        log.exception("an answer failed")
        note = parts.failure(unexpected(error))
    finally:
        studio.playground.stop(session)
        conversation = conversations.keep(session, conversation.answered(lanes))
    if not note:
        yield {ui.board: views.board(conversation, voices)}
        invented = _invented(context, conversation, voices, dataset)
        now = conversations.get(session)  # which may have been begun anew meanwhile
        conversation = conversations.keep(session, replace(now, invented={**now.invented, **invented}))
    back = {ui.question: question} if note and not any(conversation.replies[lane].text for lane in lanes) else {}
    yield {**back, **_after(ui, conversation, voices, note)}


def _invented(
    context: Context, conversation: Conversation, voices: list[Voice], dataset: str
) -> dict[tuple[str, str], tuple[Fact, ...]]:
    """Find what the newest answers have from nowhere; where that fails, they are shown without marks."""
    lanes = [views.lane(voice) for voice in voices]
    texts = {lane: conversation.replies[lane].text for lane in lanes}
    said = conversation.hears(lanes[0])[len(conversation.opening) :]
    turns = [*conversation.opening, *(turn for turn in said if turn["role"] != "assistant")]
    agent = conversation.agents_answer
    try:
        found = context.studio.facts.inventions(voices, turns, texts, dataset, conversation.ticket, agent)
    except StudioError as error:
        log.warning("the facts of answers were not looked at: %s", error)
        found = None
    return {(lane, texts[lane]): facts for lane, facts in (found or {}).items()}


def _after(ui: PlaygroundTab, conversation: Conversation, voices: list[Voice], note: Markup) -> dict[Any, Any]:
    return {
        ui.board: views.board(conversation, voices),
        ui.notice: note,
        ui.send: gr.Button(visible=True),
        ui.stop: gr.Button(visible=False),
    }


def _heard(conversation: Conversation, frame: AnswerFrame, lanes: dict[str, str]) -> Conversation:
    """Take a frame of the engine into the conversation; ``lanes`` says where each voice's words belong."""
    replies = {
        lanes[answer.voice]: Reply(
            answer.text,
            answer.tokens,
            answer.seconds,
            answer.done,
            answer.stopped_by,
            answer.weights,
            answer.lookup,
            answer.thoughts,
            answer.note,
        )
        for answer in frame.answers
    }
    return replace(conversation, replies={**conversation.replies, **replies}, stage=frame.stage)
