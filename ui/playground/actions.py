"""What can be done with a conversation besides asking: ask again, edit the question, compare word by word, keep it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from engine.errors import StudioError
from ui.context import Context
from ui.events import bind, once, tell
from ui.playground import views
from ui.playground.components import ANSWERS
from ui.playground.conversation_file import as_markdown
from ui.state.conversations import Conversation

Ask = Callable[..., Iterator[dict[Any, Any]]]
Shown = Callable[[Context, str, list[str]], dict[Any, Any]]


def wire(context: Context, ask: Ask, inputs: list[Any], streamed: list[Any], shown: Shown, outputs: list[Any]) -> None:
    """Attach the handlers.

    Args:
        context: The window.
        ask: Streams the answers to a question; takes the question and then the values of ``inputs``.
        inputs: The page's session, the chosen voices, and what else ``ask`` takes, the seed among it.
        streamed: What ``ask`` sets.
        shown: Draws the panes.
        outputs: What ``shown`` sets.
    """
    ui, page, conversations = context.playground, context.page, context.conversations
    place = inputs.index(ui.sampling.seed) - 1

    def again(session: str, *values: Any) -> Iterator[dict[Any, Any]]:
        seed = int(values[place] or 0) + 1
        try:
            question, before = _taken_back(conversations.get(session))
            _check_draws(ui, inputs, values)
        except StudioError as error:
            tell(error)
            yield gr.skip()
            return
        conversations.keep(session, before)
        for told in ask(question, session, *values[:place], seed, *values[place + 1 :]):
            yield {**told, ui.sampling.seed: seed} if isinstance(told, dict) else told

    def edit(session: str, chosen: list[str]) -> dict[Any, Any]:
        question, before = _taken_back(conversations.get(session))
        conversations.keep(session, before)
        return {**shown(context, session, chosen), ui.question: question}

    def compare(compares: bool, session: str, chosen: list[str]) -> dict[Any, Any]:
        conversations.keep(session, replace(conversations.get(session), compares=compares))
        return shown(context, session, chosen)

    def mark(marks: bool, session: str, chosen: list[str]) -> dict[Any, Any]:
        conversations.keep(session, replace(conversations.get(session), marks_invented=marks))
        return shown(context, session, chosen)

    def pass_on(passes: bool, session: str) -> None:
        conversations.keep(session, replace(conversations.get(session), passes_on=passes))

    def download(session: str, chosen: list[str]) -> dict[Any, Any]:
        conversation = conversations.get(session)
        if not conversation.question:
            raise StudioError("There is no conversation yet.", "Ask something first.")
        context.downloads.mkdir(parents=True, exist_ok=True)
        file = context.downloads / "conversation.md"
        voices = views.shown(context.studio.playground.voices(), chosen)
        file.write_text(as_markdown(conversation, voices), encoding="utf-8")
        return {ui.kept: str(file)}

    bind(ui.again.click, again, inputs, [*streamed, ui.sampling.seed], **ANSWERS)
    once(ui.edit, edit, [page.session, page.voices], [*outputs, ui.question])
    bind(ui.differences.input, compare, [ui.differences, page.session, page.voices], outputs)
    bind(ui.invented.input, mark, [ui.invented, page.session, page.voices], outputs)
    bind(ui.pass_on.input, pass_on, [ui.pass_on, page.session])
    once(ui.keep, download, [page.session, page.voices], [ui.kept])
    bind(ui.kept.change, None, js="() => ticketTuner.download('conversation-file')")


def _taken_back(conversation: Conversation) -> tuple[str, Conversation]:
    """Return the newest question, and the conversation as it was before it.

    Raises:
        StudioError: An answer is being written, or nothing was asked yet.
    """
    conversation.check_answered()
    question, before = conversation.taken_back()
    if not question:
        raise StudioError("Nothing was asked yet.", "Type a question, or pick a held-out ticket.")
    return question, before


def _check_draws(ui: Any, inputs: list[Any], values: tuple[Any, ...]) -> None:
    """Make sure that another seed can give another answer.

    Raises:
        StudioError: The likeliest word is always taken.
    """
    temperature = values[inputs.index(ui.sampling.temperature) - 1]
    if not float(temperature or 0):
        raise StudioError(
            "At a temperature of 0 the likeliest word is always taken: the answer would be the same.",
            "Raise 'Daring (temperature)' under Settings.",
        )
