"""The command palette: everything that can be gone to or done, found by name with Ctrl+K.

The page (assets/window/palette.js) asks for the entries whenever it is opened, and filters them by itself. A data set,
a run or an adapter is picked as in the sidebar; a model and an action stand for a button of the page, which is pressed.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import words
from ui.html import html
from ui.parts import STATES
from ui.services import Studio
from ui.shell.views import short_model


@dataclass(frozen=True)
class Action:
    """Something that a person can do."""

    name: str
    tab: str = ""
    """The tab to open first, if any."""
    target: str = ""
    """CSS selector of the button that does it; none where the tab itself is meant."""
    press: bool = True
    """Whether the button is pressed; else the keyboard is left at it."""
    key: str = ""
    """The key that does it too."""


ACTIONS = (
    Action("Go to Tickets", "tickets", key="1"),
    Action("Go to Recipe", "recipe", key="2"),
    Action("Go to Training", "training", key="3"),
    Action("Go to Verdict", "verdict", key="4"),
    Action("Go to Playground", "playground", key="5"),
    Action("Go to Export", "export", key="6"),
    Action("Go to Help desk", "desk", key="7"),
    Action("Add tickets", target="[data-key=bring-dataset]"),
    Action("Start a training", "recipe", "#start-training", press=False),
    Action("Judge a run", "verdict", "#judge", press=False),
    Action("Ask a question", "playground", "#question textarea", press=False),
    Action("Pick a held-out ticket", "playground", "#pick-ticket"),
    Action("New conversation", "playground", "#new-talk"),
    Action("Download the adapter", "export", "#download", press=False),
    Action("Draft a reply", "desk", "#desk-ticket textarea", press=False),
    Action("Import an adapter", target="[data-key=bring-adapter]"),
    Action("Switch between light and dark", target="#theme-button"),
    Action("Help and keys", target="#help-button"),
)
"""What starts a run or a download only has the keyboard put at its button."""


@dataclass(frozen=True)
class Palette:
    """Components; their elem_ids in brackets."""

    asks: gr.HTML
    """[palette], empty; raises 'pick', with the data of the sidebar's"""


def build(studio: Studio) -> Palette:
    """Make the components."""

    def entries(_: Any = None) -> list[dict[str, Any]]:
        return everything(studio)

    script = "ticketTuner.palette(server, trigger, ['pick'])"
    return Palette(html(elem_id="palette", script=script, server=(entries,)))


def everything(studio: Studio) -> list[dict[str, Any]]:
    """Return all entries: kind, id, name and caption; an action has its tab, target and press."""
    return [*_actions(), *_things(studio)]


def _actions() -> list[dict[str, Any]]:
    return [
        {**_entry("action", act.name, act.name, act.key), "tab": act.tab, "target": act.target, "press": act.press}
        for act in ACTIONS
    ]


def _things(studio: Studio) -> list[dict[str, Any]]:
    sets = [
        _entry("dataset", seen.id, seen.name, words.count(seen.train, "conversation")) for seen in studio.tickets.all()
    ]
    runs = [
        _entry("run", seen.id, seen.status.name, f"{STATES[seen.status.state]} · {seen.status.dataset_name}")
        for seen in studio.runs.all()
    ]
    adapters = [
        _entry("adapter", voice.id, voice.label, short_model(voice.model))
        for voice in studio.playground.voices()
        if voice.path is not None
    ]
    models = [_entry("model", seen.id, seen.title, seen.sentence) for seen in studio.recipes.catalogue()]
    return [*sets, *runs, *adapters, *models]


def _entry(kind: str, identifier: str, name: str, caption: str) -> dict[str, Any]:
    return {"kind": kind, "id": identifier, "name": name, "caption": caption}
