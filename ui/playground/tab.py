"""The tab 'Playground': one question, several voices side by side.

Owns the components and how they hang together. The answers stream from the engine; what was said is kept in
conversations.py, so that a reload shows it again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.chat.records import AnswerFrame, Sampling
from engine.errors import StudioError
from engine.studio import Voice
from ui import parts
from ui.context import Window
from ui.events import listen, log, once, tell, unexpected
from ui.html import html
from ui.playground import views
from ui.state.conversations import Spoken, Talk

FRAME = 0.06
"""Seconds between two frames that are sent to the browser; more cannot be read."""


@dataclass(frozen=True)
class PlaygroundTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-playground]"""
    voices: gr.Dropdown
    """[voices]"""
    ticket: gr.Button
    """[pick-ticket]"""
    new: gr.Button
    """[new-talk]"""
    notice: gr.HTML
    """[playground-notice]"""
    board: gr.HTML
    """[board]; panes carry data-voice"""
    question: gr.Textbox
    """[question]"""
    send: gr.Button
    """[send]"""
    stop: gr.Button
    """[stop-answer]"""
    system: gr.Textbox
    """[system-prompt]"""
    temperature: gr.Slider
    """[temperature]"""
    top_p: gr.Slider
    """[top-p]"""
    length: gr.Slider
    """[answer-length]"""
    seed: gr.Number
    """[answer-seed]"""
    number: gr.State
    """Which held-out ticket comes next."""


def build(tab: gr.Tab) -> PlaygroundTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="playground"):
        with gr.Row(elem_classes="bar-row bottom", elem_id="playground-head"):
            voices = gr.Dropdown(
                [],
                multiselect=True,
                max_choices=views.MOST_ADAPTERS,
                label="Compare the base with (up to three adapters)",
                elem_id="voices",
                interactive=True,
            )
            ticket = gr.Button("Pick a held-out ticket", elem_id="pick-ticket", scale=0, min_width=170)
            new = gr.Button("New conversation", elem_id="new-talk", scale=0, min_width=150)
        notice = html(elem_id="playground-notice")
        board = html(elem_id="board", script="ticketTuner.follow(element, watch)")
        with gr.Row(elem_classes="bar-row bottom", elem_id="ask"):
            question = gr.Textbox(
                "",
                label="The customer writes",
                placeholder="Type a question, or pick a held-out ticket",
                lines=2,
                max_lines=6,
                elem_id="question",
            )
            send = gr.Button("Send", variant="primary", elem_id="send", scale=0, min_width=100)
            stop = gr.Button("Stop", elem_id="stop-answer", scale=0, min_width=100, visible=False)
        html('<p class="quiet keys"><kbd>Ctrl</kbd> <kbd>Enter</kbd> sends, <kbd>Esc</kbd> stops</p>')
        with gr.Accordion("Settings", open=False, elem_id="playground-settings"):
            settings = _build_settings()
    return PlaygroundTab(tab, voices, ticket, new, notice, board, question, send, stop, **settings, number=gr.State(0))


def _build_settings() -> dict[str, Any]:
    system = gr.Textbox(
        "",
        label="Standing instruction (system prompt)",
        info="Put before the conversation; empty uses none.",
        lines=2,
        elem_id="system-prompt",
    )
    with gr.Row(elem_classes="settings"):
        temperature = gr.Slider(
            0,
            2,
            value=0.0,
            step=0.05,
            label="Daring (temperature)",
            info="0 always takes the likeliest word.",
            elem_id="temperature",
        )
        top_p = gr.Slider(
            0.05,
            1,
            value=0.9,
            step=0.05,
            label="Choice (top-p)",
            info="Draws among the likeliest words only.",
            elem_id="top-p",
        )
        length = gr.Slider(
            16,
            1024,
            value=160,
            step=16,
            label="Longest answer (tokens)",
            info="About three quarters of a word each.",
            elem_id="answer-length",
        )
        seed = gr.Number(
            0, label="Seed", info="The same seed gives the same answer.", elem_id="answer-seed", precision=0
        )
    return {"system": system, "temperature": temperature, "top_p": top_p, "length": length, "seed": seed}


def wire(window: Window) -> None:
    """Attach the handlers."""
    ui, page, studio = window.playground, window.page, window.studio
    base = [page.session, page.voices]
    settings = [ui.system, ui.temperature, ui.top_p, ui.length, ui.seed]
    streamed = [ui.board, ui.question, ui.send, ui.stop, ui.notice]

    def instruct(chosen: list[str], system: str) -> dict[Any, Any]:
        return {} if system.strip() or not chosen else {ui.system: studio.playground.instruction(chosen)}

    def choose(chosen: list[str] | None) -> list[str]:
        return views.over_one_base(studio.playground.voices(), chosen or [])

    def pick_ticket(session: str, chosen: list[str], dataset: str, number: int) -> dict[Any, Any]:
        _refuse_while_asking(window.talks.get(session))
        found = studio.playground.heldout_ticket(chosen, dataset or "", number)
        talk = Talk(reference=found.answer, ticket=found.ticket, opening=found.messages[:-1])
        window.talks.keep(session, talk)
        return {
            **_shown(window, session, chosen),
            ui.question: found.messages[-1]["content"],
            ui.number: number + 1,
            ui.notice: "",
        }

    def start_anew(session: str, chosen: list[str]) -> dict[Any, Any]:
        studio.playground.stop(session)
        window.talks.keep(session, Talk())
        return {**_shown(window, session, chosen), ui.question: "", ui.notice: ""}

    def ask(question: str, session: str, chosen: list[str], *values: Any) -> Iterator[dict[Any, Any]]:
        yield from _ask(window, question, session, chosen, values)

    shown = _outputs(window)
    listen(page.voices.change, instruct, [page.voices, ui.system], [ui.system])
    listen(ui.voices.input, choose, [ui.voices], [page.voices])
    once(ui.ticket, pick_ticket, [*base, page.dataset, ui.number], [*shown, ui.question, ui.number, ui.notice])
    once(ui.new, start_anew, base, [*shown, ui.question, ui.notice])
    listen(
        ui.send.click,
        ask,
        [ui.question, *base, *settings],
        streamed,
        concurrency_id="answers",
        concurrency_limit=4,
        name="ask",
    )
    listen(ui.stop.click, studio.playground.stop, [page.session], queue=False)


def redraw(window: Window) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(session: str, chosen: list[str]) -> dict[Any, Any]:
        return _shown(window, session, chosen)

    return show, [window.page.session, window.page.voices], _outputs(window)


def _outputs(window: Window) -> list[Any]:
    """Everything that the tab sets, but for what a person writes."""
    ui = window.playground
    return [ui.board, ui.voices, ui.send, ui.stop]


def _shown(window: Window, session: str, chosen: list[str]) -> dict[Any, Any]:
    """The panes and the list of adapters to choose from."""
    ui, known, talk = window.playground, window.studio.playground.voices(), window.talks.get(session)
    voices = views.shown(known, chosen)
    return {
        ui.board: views.board(talk, voices),
        ui.voices: gr.update(choices=views.choices(known), value=[voice.id for voice in voices[1:]]),
        ui.send: gr.Button(visible=not talk.asking),
        ui.stop: gr.Button(visible=talk.asking),
    }


def _refuse_while_asking(talk: Talk) -> None:
    if talk.asking:
        raise StudioError("An answer is still being written.", "Stop it first, or wait for its end.")


def _ask(
    window: Window, question: str, session: str, chosen: list[str], settings: tuple[Any, ...]
) -> Iterator[dict[Any, Any]]:
    """Stream the answers; whatever happens, the talk is left in order and the buttons are right."""
    ui, studio, talks = window.playground, window.studio, window.talks
    talk = talks.get(session)
    try:
        _refuse_while_asking(talk)
        system, sampling = settings[0] or "", _sampling(*settings[1:])
        voices = views.shown(studio.playground.voices(), chosen)
        if not (question or "").strip():
            raise StudioError("The question is empty.", "Type one, or pick a held-out ticket.")
    except StudioError as error:
        tell(error)
        yield gr.skip()
        return
    names, lanes = tuple(voice.id for voice in voices), tuple(views.lane(voice) for voice in voices)
    talk = talks.keep(session, talk.asked(lanes, question.strip()))
    note = Markup("")
    try:
        yield {
            ui.board: views.board(talk, voices),
            ui.question: "",
            ui.notice: "",
            ui.send: gr.Button(visible=False),
            ui.stop: gr.Button(visible=True),
        }
        conversations = [_with_system(system, talk.hears(lane)) for lane in lanes]
        sent = 0.0
        for frame in studio.playground.ask(names, conversations, sampling, session):
            is_new_stage = (
                frame.stage != talk.stage
            )  # may last, such as loading a model, so that no other frame tells it
            talk = talks.keep(session, _heard(talk, frame, dict(zip(names, lanes, strict=True))))
            if is_new_stage or time.monotonic() - sent >= FRAME:
                sent = time.monotonic()
                yield {ui.board: views.board(talk, voices)}
    except StudioError as error:
        note = parts.failure(error)
    except Exception as error:
        log.exception("an answer failed")
        note = parts.failure(unexpected(error))
    finally:
        studio.playground.stop(session)
        talk = talks.keep(session, talk.answered(lanes))
    back = {ui.question: question} if note and not any(talk.spoken[lane].text for lane in lanes) else {}
    yield {**back, **_after(ui, talk, voices, note)}


def _after(ui: PlaygroundTab, talk: Talk, voices: list[Voice], note: Markup) -> dict[Any, Any]:
    return {
        ui.board: views.board(talk, voices),
        ui.notice: note,
        ui.send: gr.Button(visible=True),
        ui.stop: gr.Button(visible=False),
    }


def _sampling(temperature: float, top_p: float, length: float, seed: float | None) -> Sampling:
    return Sampling(float(temperature), float(top_p), int(length), int(seed) if seed is not None else None)


def _with_system(system: str, heard: tuple[dict[str, str], ...]) -> list[dict[str, str]]:
    if system.strip() and not any(turn["role"] == "system" for turn in heard):
        return [{"role": "system", "content": system.strip()}, *heard]
    return list(heard)


def _heard(talk: Talk, frame: AnswerFrame, lanes: dict[str, str]) -> Talk:
    """Take a frame of the engine into the talk; ``lanes`` says where each voice's words belong."""
    spoken = {
        lanes[seen.voice]: Spoken(seen.text, seen.tokens, seen.seconds, seen.done, seen.stopped_by)
        for seen in frame.answers
    }
    return replace(talk, spoken={**talk.spoken, **spoken}, stage=frame.stage)
