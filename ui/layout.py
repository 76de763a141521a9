"""build_app(studio): every part of the window is built, then every part is wired; so none refers to one not yet there.

What browser tests hold on to stands with each component, in square brackets: elem_ids such as [start-training] in the
dataclasses of the parts (ImportPanel, SourcePanel, TicketsTab, RecipeTab, Fields, TrainingTab, PlaygroundTab,
ExportTab, Sidebar, StatusBar). Of the frame:

    [tab-tickets-button] ... [tab-export-button]   the tabs themselves; the page remembers the one that is open
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

from engine.studio import Studio
from ui.context import Window
from ui.export import tab as export_tab
from ui.html import html
from ui.playground import tab as playground_tab
from ui.recipe import tab as recipe_tab
from ui.server.blocks import WindowBlocks
from ui.shell import live, sidebar, stage, status_bar, views
from ui.state import page
from ui.state.conversations import Talks
from ui.task_registry import Work
from ui.tickets import import_panel
from ui.tickets import tab as tickets_tab
from ui.training import tab as training_tab

TABS = ("Tickets", "Recipe", "Training", "Playground", "Export")


def build_app(studio: Studio, downloads: Path) -> WindowBlocks:
    """Build the window over an engine; starts nothing.

    Args:
        studio: The engine.
        downloads: A folder whose files Gradio may serve: GRADIO_TEMP_DIR, or one inside it.
    """
    with WindowBlocks(
        title="Ticket Tuner", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86_400)
    ) as app:
        remembered = page.build()
        html(views.header(), elem_id="header", script="ticketTuner.header(element)")
        with gr.Row(elem_id="shell"):
            side = sidebar.build()
            with gr.Column(elem_id="stage"), gr.Tabs(elem_id="tabs", selected="tickets") as tabs:
                with _tab("Tickets") as tab:
                    importing = import_panel.build()
                    tickets = tickets_tab.build(tab)
                with _tab("Recipe") as tab:
                    recipe = recipe_tab.build(tab)
                with _tab("Training") as tab:
                    training = training_tab.build(tab)
                with _tab("Playground") as tab:
                    playground = playground_tab.build(tab)
                with _tab("Export") as tab:
                    export = export_tab.build(tab)
        status_bar.build()
        beat = live.build(studio, lambda session: app.remembers(session, remembered.dataset))
        app.live = beat.route
        window = Window(
            studio,
            downloads,
            Work(),
            Talks(),
            remembered,
            tabs,
            side,
            beat,
            importing,
            tickets,
            recipe,
            training,
            playground,
            export,
        )
        for part in (import_panel, tickets_tab, recipe_tab, training_tab, playground_tab, export_tab, sidebar):
            part.wire(window)
        stage.wire(app, window)
    return app


def _tab(label: str) -> gr.Tab:
    return gr.Tab(label, id=label.lower(), elem_id=f"tab-{label.lower()}")
