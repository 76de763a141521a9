"""The stage: draws the tab that a person sees, when it is opened and when what it shows has changed; no other.

A hidden tab costs nothing until it is opened. Each event costs the browser up to half a second of a core (Gradio 6 goes
through all components of the page), so that a selection that changes is remembered, listed and drawn by one of them.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.context import Context
from ui.desk import tab as desk_tab
from ui.events import bind, in_words
from ui.export import tab as export_tab
from ui.playground import tab as playground_tab
from ui.recipe import tab as recipe_tab
from ui.shell import live, sidebar
from ui.state import page
from ui.tickets import import_panel
from ui.tickets import tab as tickets_tab
from ui.training import tab as training_tab
from ui.verdict import tab as verdict_tab

WHERE = "(...values) => [ticketTuner.openTab(), ...values.slice(1)]"
READY = "() => ticketTuner.ready()"

SHOWN_BY = {"dataset": ("tickets", "recipe"), "run": ("training", "verdict"), "voices": ("playground",)}
"""Selection -> the tabs that show it, other than by a handler of their own; the sidebar shows these too."""

NEWS = ("recipe", "training", "verdict", "playground", "export", "desk")
"""Tabs that show what others do: data sets, runs and adapters that come, go, or change their state."""


@dataclass(frozen=True)
class Drawing:
    """How something is drawn: a handler with its inputs and outputs, as a part's ``redraw`` gives them."""

    show: Callable[..., dict[Any, Any]]
    inputs: list[Any]
    outputs: list[Any]


def wire(app: gr.Blocks, context: Context) -> None:
    """Attach the handlers."""
    whole = {
        "tickets": Drawing(*tickets_tab.redraw(context)),
        "recipe": Drawing(*recipe_tab.redraw(context)),
        "training": Drawing(*training_tab.redraw(context)),
        "verdict": Drawing(*verdict_tab.redraw(context)),
        "playground": Drawing(*playground_tab.redraw(context)),
        "export": Drawing(*export_tab.redraw(context)),
        "desk": Drawing(*desk_tab.redraw(context)),
    }
    gentle = {**whole, "recipe": Drawing(*recipe_tab.redraw_around(context))}
    _wire_welcome(app, context, whole)
    _wire_opening(context, whole)
    _wire_selections(context, gentle)
    _wire_news(context, gentle)


def _wire_welcome(app: gr.Blocks, context: Context, drawings: dict[str, Drawing]) -> None:
    """A page that opens: what it remembers, completed; then the tab that it begins with."""
    studio, here = context.studio, context.page
    begun = _one_of(drawings, drawings)

    def complete(found: dict[str, Any]) -> dict[str, Any]:
        sets, runs = [seen.id for seen in studio.tickets.all()], [seen.id for seen in studio.runs.all()]
        dataset = found["dataset"] if found["dataset"] in sets else next(iter(sets), "")
        run = found["run"] if found["run"] in runs else next(iter(runs), "")
        return {**found, "dataset": dataset, "run": run}

    def begin(
        request: gr.Request, where: str, dataset: str, run: str, voices: list[str], *values: Any
    ) -> dict[Any, Any]:
        return {
            here.open: where,
            **_attempt(lambda: {context.live.asks: live.seen(studio, request.session_hash or "")}),
            **_attempt(_listed, context, dataset, run, voices),
            **_attempt(import_panel.resume, context),
            **begun.show(where, *values),
        }

    recalled = page.wire(app, here, complete)
    outputs = [
        here.open,
        context.live.asks,
        context.sidebar.lists,
        *context.importing.progress_outputs,
        *begun.outputs,
    ]
    inputs = [here.where, here.dataset, here.run, here.voices, *begun.inputs]
    opened = bind(recalled.then, begin, inputs, list(dict.fromkeys(outputs)), js=WHERE)
    bind(opened.then, None, js=READY)


def _wire_opening(context: Context, drawings: dict[str, Drawing]) -> None:
    """A tab that is opened; Gradio says so of the first one, too, which :func:`_wire_welcome` draws."""
    here = context.page

    def opening(name: str, drawing: Drawing) -> Callable[..., dict[Any, Any]]:
        def open_tab(opened: str, *values: Any) -> dict[Any, Any]:
            return {here.open: name, **_attempt(drawing.show, *values)} if opened else {}

        return open_tab

    for name, drawing in drawings.items():
        tab = getattr(context, name).tab
        bind(tab.select, opening(name, drawing), [here.open, *drawing.inputs], [here.open, *drawing.outputs])


def _wire_selections(context: Context, drawings: dict[str, Drawing]) -> None:
    """A selection that changes, by whatever handler: the browser remembers it, sidebar and open tab show it."""
    here, states = context.page, context.page.values()

    def following(name: str, drawing: Drawing) -> Callable[..., dict[Any, Any]]:
        def follow(opened: str, *values: Any) -> dict[Any, Any]:
            selected = dict(zip(states, values, strict=False))
            remembered = {here.memory: json.dumps(selected)}
            if not opened or name not in SHOWN_BY:
                return remembered
            listed = _attempt(_listed, context, selected["dataset"], selected["run"], selected["voices"])
            return {**remembered, **listed, **drawing.show(opened, *values[len(states) :])}

        return follow

    for name, state in states.items():
        drawing = _one_of(drawings, SHOWN_BY.get(name, ()))
        listed = [context.sidebar.lists] if name in SHOWN_BY else []
        inputs, outputs = [here.open, *states.values(), *drawing.inputs], [here.memory, *listed, *drawing.outputs]
        bind(state.change, following(name, drawing), inputs, outputs)


def _wire_news(context: Context, drawings: dict[str, Drawing]) -> None:
    """Something that a page has seen by looking: the sidebar and the open tab show it."""
    here, drawing = context.page, _one_of(drawings, NEWS)

    def look_again(opened: str, dataset: str | None, run: str | None, voices: list[str], *values: Any) -> Any:
        return {**_attempt(_listed, context, dataset, run, voices), **drawing.show(opened, *values)}

    inputs = [here.open, here.dataset, here.run, here.voices, *drawing.inputs]
    bind(context.live.asks.changed, look_again, inputs, [context.sidebar.lists, *drawing.outputs])


def _one_of(drawings: dict[str, Drawing], names: Iterable[str]) -> Drawing:
    """Draw the tab that is open, if it is one of ``names``; ``show`` gets its name before the inputs."""
    chosen = {name: drawings[name] for name in names}
    inputs = list(dict.fromkeys(part for drawing in chosen.values() for part in drawing.inputs))
    outputs = list(dict.fromkeys(part for drawing in chosen.values() for part in drawing.outputs))

    def show(opened: str, *values: Any) -> dict[Any, Any]:
        drawing, given = chosen.get(opened), dict(zip(inputs, values, strict=True))
        return _attempt(drawing.show, *(given[part] for part in drawing.inputs)) if drawing else {}

    return Drawing(show, inputs, outputs)


def _listed(context: Context, dataset: str | None, run: str | None, voices: list[str]) -> dict[Any, Any]:
    return {context.sidebar.lists: sidebar.lists(context.studio, dataset or "", run or "", voices)}


def _attempt(show: Callable[..., dict[Any, Any]], *values: Any) -> dict[Any, Any]:
    """Draw; what fails is told, and what else belongs to the event takes place all the same."""
    drawn = in_words(show)(*values)
    return {} if drawn == gr.skip() else drawn
