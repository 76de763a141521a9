"""Page: what an open page has selected, and what the browser remembers of it, so that a reload shows the same.

Each value is a ``gr.State``; whenever one changes, all are written into the browser's storage as JSON
(ui/shell/stage.py), and a page that is opened reads them from there. (``gr.BrowserState`` does that too, but it keeps
no empty value, and its change event fires again whenever something on the page becomes visible.) Only ids and choices
are remembered; the text of tickets stays on the server.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from engine.errors import RecipeError
from engine.presets import presets
from engine.recipe import FIELDS, Recipe
from ui.events import bind

START = "quick"
"""The preset that a new browser begins with."""

RECALL = "() => [localStorage.getItem('ticket-tuner-page') || '']"
REMEMBER = "(text) => { if (text) localStorage.setItem('ticket-tuner-page', text); }"


@dataclass(frozen=True)
class Page:
    """The selections of a page, each on its own, so that two handlers never overwrite each other's."""

    session: gr.State
    """A random name of this browser: str."""
    dataset: gr.State
    """Id of the selected data set, or empty: str; None until the browser has said what it remembers."""
    look: gr.State
    """What the tab 'Tickets' shows: see :func:`first_look`."""
    draft: gr.State
    """The recipe in the making: see :func:`first_draft`."""
    run: gr.State
    """Id of the selected run, or empty: str; None until the browser has said what it remembers."""
    overlays: gr.State
    """Ids of the runs that are laid over the chart: list[str]."""
    voices: gr.State
    """Ids of the adapters in the playground: list[str]."""
    export: gr.State
    """Id of the run that is exported, or empty: str."""
    open: gr.State
    """Name of the tab that is open: str; empty until the page has its selections. The browser remembers it itself."""
    memory: gr.Textbox
    """All selections as JSON, on the way to the browser's storage and back; never seen."""
    where: gr.Textbox
    """The name of the tab that is open, on the way from the browser; never seen."""

    def values(self) -> dict[str, gr.State]:
        """The selections that are remembered, by name."""
        passing = ("open", "memory", "where")
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in passing}


def build() -> Page:
    """Make the values of a page."""
    return Page(
        session=gr.State(""),
        dataset=gr.State(None),
        look=gr.State(first_look()),
        draft=gr.State(first_draft()),
        run=gr.State(None),
        overlays=gr.State([]),
        voices=gr.State([]),
        export=gr.State(""),
        open=gr.State(""),
        memory=gr.Textbox("", visible=False, elem_id="memory"),
        where=gr.Textbox("", visible=False),
    )


def wire(app: gr.Blocks, page: Page, complete: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Read what is remembered when a page opens, and put what changes into the browser's storage.

    Args:
        app: The window, whose load event starts it.
        page: The values.
        complete: Gets the remembered selections and returns sound ones.

    Returns:
        The event that is over when a page has its selections.
    """
    states = page.values()

    def recall(memory: str) -> dict[Any, Any]:
        found = complete(read_memory(memory))
        return {states[name]: value for name, value in found.items()}

    bind(page.memory.change, None, [page.memory], [], js=REMEMBER)
    return bind(app.load, recall, [page.memory], list(states.values()), js=RECALL)


def read_memory(text: str) -> dict[str, Any]:
    """Read what the browser remembered; whatever is missing, damaged or of another version takes its first value."""
    first = first_page()
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        kept = {}
    known = kept.items() if isinstance(kept, dict) else ()
    sound = {name: value for name, value in known if name in first and isinstance(value, type(first[name]))}
    for name in ("look", "draft"):
        if name in sound:
            sound[name] = {**first[name], **{key: value for key, value in sound[name].items() if key in first[name]}}
    return {**first, **sound}


def first_page() -> dict[str, Any]:
    """What a browser that has never been here begins with."""
    return {
        "session": secrets.token_hex(8),
        "dataset": "",
        "look": first_look(),
        "draft": first_draft(),
        "run": "",
        "overlays": [],
        "voices": [],
        "export": "",
    }


def first_look() -> dict[str, Any]:
    """What the tab 'Tickets' shows of a data set at first: the first page of its conversations.

    'adding' is set while another export is brought in instead; 'filter' is a reason or a kind of data, 'term' the id of
    a masked term whose places are shown, 'rewriting' the number of the message that is being rewritten, or -1.
    """
    first = {"mode": "conversations", "query": "", "start": 0, "ticket": "", "adding": False}
    return {**first, "filter": "", "term": "", "rewriting": -1}


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


def draft_of(recipe: Recipe) -> dict[str, Any]:
    """Build the draft of a recipe, over the preset that it differs least from."""
    changes = {name: recipe.changed_from(preset.recipe) for name, preset in presets().items()}
    nearest = min(changes, key=lambda name: len(changes[name]))
    values = {name: value for name, value in changes[nearest].items() if name != "model"}
    return {"preset": nearest, "model": recipe.model, "values": values}


def faults_of(draft: dict[str, Any]) -> dict[str, RecipeError]:
    """What is wrong with a draft, by field: each value by itself, then all of them together."""
    faults: dict[str, RecipeError] = {}
    for name, value in draft.get("values", {}).items():
        try:
            if name in FIELDS:
                FIELDS[name].check(value)
        except RecipeError as error:
            faults[name] = error
    if not faults:
        try:
            recipe_of(draft)
        except RecipeError as error:
            faults[error.field] = error
    return faults


def sound_recipe_of(draft: dict[str, Any]) -> Recipe:
    """Build the recipe of a draft without the values that are wrong; for what is only shown."""
    faults = faults_of(draft)
    values = {name: value for name, value in draft.get("values", {}).items() if name in FIELDS and name not in faults}
    try:
        return recipe_of({**draft, "values": values})
    except RecipeError:
        return recipe_of({**draft, "values": {}})
