"""What the sidebar consists of; what happens in it is sidebar.py's."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.workspace import Deleted
from ui.html import html
from ui.shell import views


@dataclass(frozen=True)
class Sidebar:
    """Components; their elem_ids in brackets."""

    lists: gr.HTML
    """[sidebar-lists]; raises 'pick', 'bring', 'rename', 'delete'"""
    undo: gr.HTML
    """[undo]; raises 'undo', 'dismiss'"""
    deleted: gr.State
    """What can be brought back (:class:`engine.workspace.Deleted`), or None."""

    @property
    def undo_outputs(self) -> list[Any]:
        """What :meth:`offer_undo` sets."""
        return [self.undo, self.deleted]

    def offer_undo(self, deleted: Deleted) -> dict[Any, Any]:
        """Show the offer to bring something back."""
        return {self.undo: views.undo(deleted.label), self.deleted: deleted}


def build_sidebar() -> Sidebar:
    """Make the components; the offer to undo floats above the page."""
    with gr.Column(elem_id="sidebar", scale=0, min_width=0):
        lists = html(elem_id="sidebar-lists", raises=("pick", "bring", "rename", "delete"))
    undo = html(elem_id="undo", raises=("undo", "dismiss"))
    return Sidebar(lists, undo, gr.State(None))
