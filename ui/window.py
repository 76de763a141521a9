"""Window: the engine, what pages share, and every part of the page; what each ``wire`` gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from engine.studio import Studio
from ui.page import Page
from ui.talks import Talks
from ui.work import Work

if TYPE_CHECKING:
    from ui.export_tab import ExportTab
    from ui.import_panel import ImportPanel
    from ui.playground_tab import PlaygroundTab
    from ui.pulse import Pulse
    from ui.recipe_tab import RecipeTab
    from ui.sidebar import Sidebar
    from ui.tickets_tab import TicketsTab
    from ui.training_tab import TrainingTab


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
