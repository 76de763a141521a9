"""What the tab 'Tickets' consists of, but for the panel that brings an export in (import_components.py)."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.html import html, plot
from ui.tickets import prepare_options
from ui.tickets.prepare_options import OptionFields

MODES = [
    ("Conversations", "conversations"),
    ("Left out", "left_out"),
    ("Masked", "masked"),
    ("Changed by you", "changed"),
]


SEARCHED = {"conversations": "Words in a conversation", "masked": "Words in a term"}
"""Mode in which words can be searched for -> where."""


@dataclass(frozen=True)
class ConversationList:
    """Components; their elem_ids in brackets."""

    mode: gr.Radio
    """[list-mode]"""
    search: gr.Textbox
    """[search]"""
    filter: gr.Dropdown
    """[list-filter]: a reason, or a kind of personal data"""
    caution: gr.HTML
    """[caution]"""
    adding: gr.Row
    """Around [mask-also] and [mask-also-add]"""
    term: gr.Textbox
    """[mask-also]"""
    add: gr.Button
    """[mask-also-add]"""
    pending: gr.HTML
    """[pending]; raises 'undo' and 'again'"""
    rows: gr.HTML
    """[conversations]; raises 'pick', 'places', 'allow', 'mask', 'undo' and 'again'"""
    pager: gr.HTML
    """[pager]; raises 'turn'"""
    notice: gr.HTML
    """[reader-notice]: what was just done, or is about to be; raises 'undo' and 'erase'"""
    learn: gr.HTML
    """[learn-view]; raises 'drop', 'rewrite', 'tag', 'agent' and 'erase'"""
    rewriting: gr.Column
    """Around [rewrite-text], [rewrite-save] and [rewrite-cancel]"""
    text: gr.Textbox
    """[rewrite-text]"""
    save: gr.Button
    """[rewrite-save]"""
    back: gr.Button
    """[rewrite-cancel]"""

    @property
    def outputs(self) -> list[Any]:
        """What conversation_list.py sets."""
        left = [self.mode, self.search, self.filter, self.caution, self.adding, self.pending, self.rows, self.pager]
        return [*left, self.notice, self.learn, self.rewriting]


@dataclass(frozen=True)
class TokenPanel:
    """Components; their elem_ids in brackets."""

    counted: gr.HTML
    """[lengths-note]: verdict and counts, or progress of the count; raises 'cancel', 'again', 'longer' and 'pick'"""
    chart: gr.HTML
    """[lengths]"""
    timer: gr.Timer

    @property
    def outputs(self) -> list[Any]:
        """What token_panel.py sets."""
        return [self.counted, self.chart, self.timer]


@dataclass(frozen=True)
class RepreparePanel:
    """Components; their elem_ids in brackets."""

    progress: gr.HTML
    """[again-progress], above everything else of the data set; raises 'cancel'"""
    panel: gr.Accordion
    """[again]"""
    about: gr.HTML
    """[again-about]; raises 'forget'"""
    files: gr.File
    """[again-drop]"""
    fields: OptionFields
    """Ids with the prefix 'again-'."""
    start: gr.Button
    """[prepare-again]"""
    timer: gr.Timer

    @property
    def outputs(self) -> list[Any]:
        """What reprepare_panel.py sets."""
        return [self.progress, self.about, self.files, self.timer, self.panel, *self.fields.inputs]


@dataclass(frozen=True)
class TicketsTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-tickets], its button [tab-tickets-button]"""
    data: gr.Column
    """[data-set]: hidden while there is none, or while an export is brought in."""
    title: gr.HTML
    """[data-set-title]"""
    next: gr.Button
    """[to-recipe]"""
    summary: gr.HTML
    """[summary]; raises 'mode' and 'pairs'"""
    pairs: gr.DownloadButton
    """[pairs-file], hidden: pressed by the page as soon as the file is there."""
    reprepare: RepreparePanel
    conversations: ConversationList
    tokens: TokenPanel
    quality: gr.HTML
    """[quality]; raises 'pick'"""


def build_tickets(tab: gr.Tab) -> TicketsTab:
    """Make the components, inside ``tab``."""
    with gr.Column(elem_id="data-set", visible=False) as data:
        with gr.Row(elem_classes="lead-row"):
            title = html(elem_id="data-set-title")
            next_button = gr.Button("Choose a recipe", variant="primary", elem_id="to-recipe", scale=0, min_width=260)
        progress, timer = build_progress()
        summary = html(elem_id="summary", raises=("mode", "pairs"))
        pairs = gr.DownloadButton("Download", elem_id="pairs-file", elem_classes="hidden-file")
        reading = build_list()
        tokens = build_tokens()
        with gr.Column(elem_classes="sheet"):
            html('<h2 class="sheet-title">How good these tickets are to learn from</h2>')
            report = html(elem_id="quality", raises=("pick",))
        again = build_reprepare(progress, timer)
    return TicketsTab(tab, data, title, next_button, summary, pairs, again, reading, tokens, report)


def build_list() -> ConversationList:
    """Make the components."""
    with gr.Row(elem_id="reader", elem_classes="split"):
        with gr.Column(elem_id="reader-list", elem_classes="sheet", min_width=320):
            mode = gr.Radio(MODES, value="conversations", label="Show", elem_id="list-mode", elem_classes="segments")
            caution = html(elem_id="caution")
            with gr.Row(elem_classes="bar-row bottom", visible=False) as adding:
                term = gr.Textbox(
                    "", label="Mask also", placeholder="A name, a place, any words", elem_id="mask-also", max_lines=1
                )
                add = gr.Button("Add", elem_id="mask-also-add", scale=0, min_width=70)
            pending = html(elem_id="pending", raises=("undo", "again"))
            with gr.Row(elem_classes="bar-row bottom find-row"):
                search = gr.Textbox(
                    "",
                    label="Search",
                    placeholder=SEARCHED["conversations"],
                    elem_id="search",
                    max_lines=1,
                    min_width=150,
                )
                picked = gr.Dropdown([("all", "")], value="", label="Only", elem_id="list-filter", min_width=150)
            rows = html(elem_id="conversations", raises=("pick", "places", "allow", "mask", "undo", "again"))
            pager = html(elem_id="pager", raises=("turn",))
        with gr.Column(elem_id="reader-view", elem_classes="sheet", min_width=320):
            html('<h2 class="sheet-title">What the model will learn</h2>')
            notice = html(elem_id="reader-notice", raises=("undo", "erase"))
            with gr.Column(elem_id="rewriting", visible=False) as rewriting:
                text = gr.Textbox(
                    "", label="The answer that is to be learnt instead", elem_id="rewrite-text", lines=6, max_lines=14
                )
                with gr.Row(elem_classes="bar-row end"):
                    back = gr.Button("Cancel", elem_id="rewrite-cancel", scale=0, min_width=90)
                    save = gr.Button("Save", variant="primary", elem_id="rewrite-save", scale=0, min_width=90)
            learn = html(elem_id="learn-view", raises=("drop", "rewrite", "tag", "agent", "erase"))
    return ConversationList(
        mode,
        search,
        picked,
        caution,
        adding,
        term,
        add,
        pending,
        rows,
        pager,
        notice,
        learn,
        rewriting,
        text,
        save,
        back,
    )


def build_tokens() -> TokenPanel:
    """Make the components."""
    with gr.Column(elem_classes="sheet", elem_id="lengths-panel"):
        html('<h2 class="sheet-title">Length of the conversations, and what is learnt of them</h2>')
        with gr.Row(elem_classes="lengths-row"):
            counted = html(elem_id="lengths-note", raises=("cancel", "again", "longer", "pick"))
            chart = plot("lengths", "plot-low")
    return TokenPanel(counted, chart, gr.Timer(0.7, active=False))


def build_progress() -> tuple[gr.HTML, gr.Timer]:
    """Make what stands above the data set."""
    return html(elem_id="again-progress", raises=("cancel",)), gr.Timer(0.5, active=False)


def build_reprepare(progress: gr.HTML, timer: gr.Timer) -> RepreparePanel:
    """Make the panel."""
    with gr.Accordion(
        "Prepare again, or import a newer export into this data set", open=False, elem_id="again"
    ) as panel:
        about = html(elem_id="again-about", raises=("forget",))
        files = gr.File(
            label="A newer export of the same tickets: one file or several; leave empty to use the one that is kept",
            file_count="multiple",
            type="filepath",
            elem_id="again-drop",
            elem_classes="drop",
            height=110,
        )
        fields = prepare_options.build("again-")
        with gr.Row(elem_classes="bar-row end"):
            start = gr.Button("Prepare again", elem_id="prepare-again", scale=0, min_width=140)
    return RepreparePanel(progress, panel, about, files, fields, start, timer)
