"""build_app(studio): every part of the window is built, then every part is wired; so none refers to one not yet there.

What browser tests hold on to stands with each component, in square brackets: elem_ids such as [start-training] in the
components.py of every folder, in import_components.py, source_panel.py, fields.py and status_bar.py. Of the frame:

    [tab-tickets-button] ... [tab-desk-button]     the tabs themselves; the page remembers the one that is open
    [theme-button], [help-button], [help]          in the header
    [lists-button]                                 opens the sidebar where a narrow window has no room for it
    [shell][data-lists]                            set while it is open there
    html[data-theme]                               'light' or 'dark'
    html[data-ready]                               set as soon as the page can be used
    [data-key]                                     buttons in lists: dataset-ID, run-ID, adapter-ID, ticket-ID,
                                                   preset-NAME, model-ID, page-before, page-after, overlay-ID
"""

from pathlib import Path

import gradio as gr

from ui.context import Context
from ui.desk import tab as desk_tab
from ui.desk.components import build_desk
from ui.export import bring_in_panel
from ui.export import tab as export_tab
from ui.export.components import build_export
from ui.html import html
from ui.playground import tab as playground_tab
from ui.playground.components import build_playground
from ui.recipe import tab as recipe_tab
from ui.recipe.components import build_recipe
from ui.server.blocks import WindowBlocks
from ui.services import Studio
from ui.shell import live, palette, sidebar, stage, status_bar, views
from ui.shell.components import build_sidebar
from ui.state import page
from ui.state.conversations import Conversations
from ui.state.ownership import Asking
from ui.task_registry import TaskRegistry
from ui.tickets import hub_data_panel, import_panel
from ui.tickets import tab as tickets_tab
from ui.tickets.components import build_tickets
from ui.tickets.import_components import build_import
from ui.training import tab as training_tab
from ui.training.components import build_training
from ui.verdict import tab as verdict_tab
from ui.verdict.components import build_verdict


def build_app(studio: Studio, downloads: Path) -> WindowBlocks:
    """Build the window over an engine; starts nothing.

    Args:
        studio: The engine.
        downloads: A folder whose files Gradio may serve: GRADIO_TEMP_DIR, or one inside it.
    """
    app, _context = build_window(studio, downloads)
    return app


def build_window(studio: Studio, downloads: Path) -> tuple[WindowBlocks, Context]:
    """As :func:`build_app`, with what its parts share and consist of."""
    app = WindowBlocks(title="Ticket Tuner", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86_400))
    with app:
        remembered = page.build()
        html(views.header(), elem_id="header", script="ticketTuner.header(element)")
        with gr.Row(elem_id="shell"):
            side = build_sidebar()
            with gr.Column(elem_id="stage"), gr.Tabs(elem_id="tabs", selected="tickets") as tabs:
                with _tab("Tickets") as tab:
                    importing = build_import()
                    tickets = build_tickets(tab)
                with _tab("Recipe") as tab:
                    recipe = build_recipe(tab)
                with _tab("Training") as tab:
                    training = build_training(tab)
                with _tab("Verdict") as tab:
                    verdict = build_verdict(tab)
                with _tab("Playground") as tab:
                    playground = build_playground(tab)
                with _tab("Export") as tab:
                    export = build_export(tab)
                with _tab("Help desk", "desk") as tab:
                    desk = build_desk(tab)
        status_bar.build()
        finder = palette.build(studio)
        beat = live.build(studio, lambda session: app.remembers(session, remembered.dataset))
        app.live = beat.route
        context = Context(
            studio,
            downloads,
            TaskRegistry(),
            Conversations(),
            Asking(studio),
            remembered,
            tabs,
            side,
            finder,
            beat,
            importing,
            tickets,
            recipe,
            training,
            verdict,
            playground,
            export,
            desk,
        )
        for part in (
            import_panel,
            hub_data_panel,
            tickets_tab,
            recipe_tab,
            training_tab,
            verdict_tab,
            playground_tab,
            export_tab,
            bring_in_panel,
            desk_tab,
            sidebar,
        ):
            part.wire(context)
        stage.wire(app, context)
    return app, context


def _tab(label: str, name: str = "") -> gr.Tab:
    name = name or label.lower()
    return gr.Tab(label, id=name, elem_id=f"tab-{name}")
