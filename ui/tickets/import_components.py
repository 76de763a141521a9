"""What the panel consists of that brings an export in: drop zone, sample shop, progress."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from ui import parts
from ui.html import html
from ui.tickets import hub_data_components, source_panel
from ui.tickets.hub_data_components import HubDataPanel
from ui.tickets.source_panel import SourcePanel

FORMATS = (
    '<p class="quiet">Zendesk, Freshdesk, Jira Service Management, Salesforce and some thirty other help desks and '
    "chats; mailboxes (mbox, EML, Outlook MSG); tables (CSV, TSV, XLSX, Parquet); chat data (ShareGPT, OpenAI ...). "
    "Also as .gz or .zip. What it is, is read off the content.</p>"
    '<details class="quiet"><summary>All of them</summary>Zendesk, Freshdesk, Intercom, Help Scout, HubSpot, Jira '
    "Service Management, ServiceNow, Zammad, Zoho Desk, Gorgias, Front, osTicket, Chatwoot, Groove, Kayako, LiveAgent, "
    "WHMCS, OTRS and Znuny, Salesforce; WhatsApp, Messenger, Slack, Teams, Telegram, Discord; Crisp, Tidio, Freshchat, "
    "LiveChat, tawk.to, Drift, Zendesk Chat; GitHub, Discourse, Stack Exchange; mailboxes (mbox, EML, MSG); tables "
    "(CSV, TSV, XLSX, XLS, ODS, Parquet, Arrow); chat data (OpenAI, ShareGPT, Alpaca, Gemini, OpenAssistant, ChatGPT's "
    "and Claude's exports, preference pairs, KTO, texts in a chat template).</details>"
)
"""What goes in; as in the README."""


@dataclass(frozen=True)
class ImportPanel:
    """Components; their elem_ids in brackets."""

    panel: gr.Column
    """[import]"""
    heading: gr.HTML
    """[import-heading]"""
    notice: gr.HTML
    """[import-notice]"""
    start: gr.Column
    """[import-start]: drop zone and sample."""
    files: gr.File
    """[drop]"""
    back: gr.Button
    """[import-back]"""
    sample: gr.Button
    """[try-sample]"""
    hub: HubDataPanel
    source: SourcePanel
    """[source]: what was recognised, and what to do with it."""
    progress: gr.HTML
    """[prepare-progress]; raises 'cancel'"""
    timer: gr.Timer

    @property
    def progress_outputs(self) -> list[Any]:
        """What import_panel.py sets while it is busy."""
        return [self.notice, self.progress, self.timer, self.start, self.source.panel]


def import_heading(is_first: bool) -> Markup:
    """Say what to do here: begin, or add one more data set to those that are there."""
    if not is_first:
        return parts.empty(
            "Add another data set",
            "Drop one more export: it becomes a data set of its own, beside those at the left. To renew one of those, "
            "open it, and drop the newer export at ‘Prepare again’.",
        )
    return parts.empty(
        "Start with your tickets",
        "Drop the export of your help desk. You will see what a model would learn from it before anything is trained; "
        "nothing leaves this computer.",
    )


def build_import() -> ImportPanel:
    """Make the components."""
    with gr.Column(elem_id="import", elem_classes="narrow", visible=False) as panel:
        heading = html(import_heading(is_first=True), elem_id="import-heading")
        notice = html(elem_id="import-notice")
        with gr.Column(elem_id="import-start") as start:
            files = gr.File(
                label="Export of your help desk: one file or several",
                file_count="multiple",
                type="filepath",
                elem_id="drop",
                elem_classes="drop",
                height=150,
            )
            with gr.Row(elem_classes="bar-row"):
                html(FORMATS)
                back = gr.Button("Back", elem_id="import-back", visible=False, scale=0, min_width=80)
                sample = gr.Button(
                    "Try the sample shop", elem_id="try-sample", variant="primary", scale=0, min_width=180
                )
            hub = hub_data_components.build()
        source = source_panel.build()
        progress = html(elem_id="prepare-progress", raises=("cancel",))
    return ImportPanel(
        panel, heading, notice, start, files, back, sample, hub, source, progress, gr.Timer(0.5, active=False)
    )
