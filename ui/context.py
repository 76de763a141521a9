"""Window: the engine, what pages share, and every part of the page; what each ``wire`` gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from engine.studio import Studio
from ui.state.conversations import Talks
from ui.state.page import Page
from ui.task_registry import Work

if TYPE_CHECKING:
    from ui.export.tab import ExportTab
    from ui.playground.tab import PlaygroundTab
    from ui.recipe.tab import RecipeTab
    from ui.shell.live import Pulse
    from ui.shell.sidebar import Sidebar
    from ui.tickets.import_panel import ImportPanel
    from ui.tickets.tab import TicketsTab
    from ui.training.tab import TrainingTab


@dataclass(frozen=True)
class Window:
    """All parts, built and not yet wired."""

    studio: Studio
    downloads: Path
    """A folder whose files the page may fetch."""
    work: Work
    talks: Talks
    page: Page
    tabs: gr.Tabs
    sidebar: "Sidebar"
    pulse: "Pulse"
    importing: "ImportPanel"
    tickets: "TicketsTab"
    recipe: "RecipeTab"
    training: "TrainingTab"
    playground: "PlaygroundTab"
    export: "ExportTab"
