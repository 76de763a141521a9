"""Page: what a browser remembers, so that a reload and a restart of the program show the same.

Only ids and choices; the text of tickets and answers stays on the server.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.training.recipe import Recipe, presets

SECRET = "ticket-tuner"
"""Fixed, because Gradio encrypts what a browser keeps, and a new secret at each start would forget everything. It guards
nothing: what is kept are ids and choices."""

START = "quick"
"""The preset that a new browser begins with."""


@dataclass(frozen=True)
class Page:
    """The remembered values, each on its own, so that two handlers never overwrite each other's."""

    session: gr.BrowserState
    """A random name of this browser."""
    dataset: gr.BrowserState
    """Id of the selected data set, or empty."""
    look: gr.BrowserState
    """What the tab 'Tickets' shows: see :func:`first_look`."""
    draft: gr.BrowserState
    """The recipe in the making: see :func:`first_draft`."""
    run: gr.BrowserState
    """Id of the selected run, or empty."""
    overlays: gr.BrowserState
    """Ids of the runs that are laid over the chart."""
    voices: gr.BrowserState
    """Ids of the adapters in the playground."""
    export: gr.BrowserState
    """Id of the run that is exported."""


def build() -> Page:
    """Make the remembered values of the page."""

    def kept(name: str, value: Any) -> gr.BrowserState:
        return gr.BrowserState(value, storage_key=f"ticket-tuner-{name}", secret=SECRET)

    return Page(
        kept("session", ""),
        kept("dataset", ""),
        kept("look", first_look()),
        kept("draft", first_draft()),
        kept("run", ""),
        kept("overlays", []),
        kept("voices", []),
        kept("export", ""),
    )


def first_look() -> dict[str, Any]:
    """What the tab 'Tickets' shows of a data set at first: the first page of its conversations."""
    return {"mode": "conversations", "query": "", "start": 0, "ticket": ""}


def first_draft() -> dict[str, Any]:
    """The recipe that a new browser begins with: preset, model, and the fields that were changed, as typed."""
    return {"preset": START, "model": "starter", "values": {}}


def recipe_of(draft: dict[str, Any]) -> Recipe:
    """Build the recipe of a draft.

    Raises:
        RecipeError: A value is out of its range.
    """
    start = presets().get(draft.get("preset", START), presets()[START]).recipe
    return Recipe.from_dict({**start.to_dict(), **draft.get("values", {}), "model": draft.get("model") or "starter"})


def sound_recipe_of(draft: dict[str, Any]) -> Recipe:
    """Build the recipe of a draft, or of its preset while a value of the draft is wrong; for what is only shown."""
    from engine.errors import RecipeError

    try:
        return recipe_of(draft)
    except RecipeError:
        return recipe_of({**draft, "values": {}})
