"""How a handler is attached to an event.

Failures become words, nothing is covered by a spinner, and nothing is public unless it is named.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from ui.state import turns

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

LATEST = {"trigger_mode": "always_last"}
"""For a field of which the last value counts: Gradio lets an event go that comes while the one before is answered."""

EACH = {"trigger_mode": "multiple"}
"""For clicks of which each is about something else, and says of what. Of two that follow each other, Gradio (6.31)
would let the second go ('once'), or answer the first one a second time ('always_last')."""


def bind(
    event: Callable[..., Any],
    handler: Handler | None,
    inputs: Sequence[Any] = (),
    outputs: Sequence[Any] = (),
    *,
    lane: str | None = None,
    name: str | None = None,
    **options: Any,
) -> Any:
    """Attach ``handler`` to ``event``; those that change or show a selection (``gr.State``) take turns.

    A handler that takes a ``gr.EventData`` is called for each event, also for those that come before the one before is
    answered; any other as Gradio does by default, if not told so.

    Args:
        event: An event method of a component, such as ``button.click``.
        handler: What is called; None where ``js`` does it all.
        inputs: Components whose values it gets.
        outputs: Components that it sets; it returns a tuple, or a mapping of those that change.
        lane: Those of one lane take turns, a person; none for what takes long and sets nothing that others set.
        name: Makes it part of the public API under this name; private without.
        options: Passed on to Gradio.
    """
    settings: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    if lane is None and outputs and any(isinstance(value, gr.State) for value in (*inputs, *outputs)):
        lane = turns.PAGE
    if handler and _tells_what(handler):
        settings |= EACH
    if handler and lane:
        settings |= {"concurrency_id": turns.PREFIX + lane}
    settings |= options
    if name:
        settings |= {"api_name": name, "api_visibility": "public"}
    else:
        settings |= {"api_visibility": "private"}
    return event(in_words(handler) if handler else None, list(inputs), list(outputs), **settings)


def _tells_what(handler: Handler) -> bool:
    """Say whether a handler is told what was clicked, as it is by the buttons of a piece of HTML (ui/html.py)."""
    return gr.EventData in inspect.get_annotations(handler, eval_str=True).values()


def once(
    button: gr.Button, handler: Handler, inputs: Sequence[Any] = (), outputs: Sequence[Any] = (), **options: Any
) -> Any:
    """Attach ``handler`` to the click of a button that makes or takes away something.

    From a press until its end the button takes no other, so that a double click is one; the page sees to that itself,
    for an answer of the program would come too late. Arguments and return as with :func:`bind`.
    """
    button.elem_classes = [*button.elem_classes, "once"]
    pressed = bind(button.click, handler, inputs, outputs, **options)
    bind(pressed.then, None, js=f"() => ticketTuner.done('{button.elem_id}')")
    return pressed


def written(component: Any) -> Callable[..., Any]:
    """Return the event of a field that a person changes.

    A text field's own 'input' knows only of keys that write a letter (Gradio 6.31): not of what is pasted or deleted.
    Its 'change' comes, too, when the page sets the field; a handler has to bear that.
    """
    return component.change if isinstance(component, gr.Textbox) else component.input


def in_words(handler: Handler) -> Handler:
    """Turn a failure of ``handler`` into a calm message; the outputs stay as they are, as with an empty mapping.

    A generator is returned as it is: it has outputs to put in order after a failure, and does so itself.
    """
    if inspect.isgeneratorfunction(handler):
        return handler

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            result = handler(*args, **kwargs)
            return gr.skip() if result == {} else result
        except StudioError as error:
            tell(error)
        except Exception as error:
            log.exception("%s failed", handler.__qualname__)
            tell(unexpected(error))
        return gr.skip()

    return guarded


def unexpected(error: Exception) -> StudioError:
    """Put a failure that nobody foresaw into words."""
    return StudioError(
        f"Something unexpected happened ({type(error).__name__}).", "Nothing was lost; the details are in the log."
    )


def tell(error: StudioError) -> None:
    """Show a failure at the corner of the window: what happened, and below it what to do, where there is something."""
    gr.Warning(_message(error.message, error.remedy), duration=12)


def say(sentence: str) -> None:
    """Show at the corner of the window that something has been done."""
    gr.Success(_message(sentence), duration=4)


def _message(told: str, remedy: str = "") -> str:
    """Write a message as HTML, for that is what Gradio takes it for; all of it, since 6.31 shows no title."""
    more = Markup("<br>{}").format(remedy) if remedy else ""
    return str(Markup("<strong>{}</strong>{}").format(told, more))
