"""Context: the engine, what pages share, and every part of the page; what each ``wire`` gets.

The parts are imported from the modules that build them, never from those that wire them: these import this one.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ui.desk.components import DeskTab
from ui.export.components import ExportTab
from ui.playground.components import PlaygroundTab
from ui.recipe.components import RecipeTab
from ui.services import Studio
from ui.shell.components import Sidebar
from ui.shell.live import Live
from ui.shell.palette import Palette
from ui.state.conversations import Conversations
from ui.state.ownership import Asking
from ui.state.page import Page
from ui.task_registry import TaskRegistry
from ui.tickets.components import TicketsTab
from ui.tickets.import_components import ImportPanel
from ui.training.components import TrainingTab
from ui.verdict.components import VerdictTab


@dataclass(frozen=True)
class Context:
    """All parts, built and not yet wired."""

    studio: Studio
    downloads: Path
    """A folder whose files the page may fetch."""
    tasks: TaskRegistry
    conversations: Conversations
    asking: Asking
    page: Page
    tabs: gr.Tabs
    sidebar: Sidebar
    palette: Palette
    live: Live
    importing: ImportPanel
    tickets: TicketsTab
    recipe: RecipeTab
    training: TrainingTab
    verdict: VerdictTab
    playground: PlaygroundTab
    export: ExportTab
    desk: DeskTab
