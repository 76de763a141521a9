"""Sending what a run has learnt to the model hub, on the tab 'Export': what would go first, then the sending itself."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.errors import StudioError
from engine.export.records import Offer, Sending, Sent
from ui import icons, words
from ui.html import html
from ui.parts import NOTHING, join

ADAPTER = ("Adapter", "adapter")
_TOKEN = "Of your account on the hub; it must be allowed to write. Used once, kept nowhere."


@dataclass(frozen=True)
class HubPanel:
    """Components; their elem_ids in brackets."""

    what: gr.Dropdown
    """[hub-what]"""
    repository: gr.Textbox
    """[hub-repository]"""
    token: gr.Textbox
    """[hub-token]; emptied as soon as it is used"""
    public: gr.Checkbox
    """[hub-public]"""
    look: gr.Button
    """[hub-look]"""
    send: gr.Button
    """[hub-send]"""
    told: gr.HTML
    """[hub-told]"""


def build_hub_panel() -> HubPanel:
    """Make the components, folded."""
    with gr.Accordion("Send it to the model hub", open=False, elem_id="hub-panel"):
        html(
            '<p class="quiet">A copy for your other computers or your colleagues, on huggingface.co. Tickets never go, '
            "and nobody but you sees it unless you say so.</p>"
        )
        with gr.Row():
            what = gr.Dropdown([ADAPTER], value="adapter", label="What", elem_id="hub-what", interactive=True)
            repository = gr.Textbox(
                "", label="Where", placeholder="your-name/shop-replies", elem_id="hub-repository", max_lines=1
            )
            token = gr.Textbox("", label="Your token", info=_TOKEN, type="password", elem_id="hub-token", max_lines=1)
        public = gr.Checkbox(False, label="Everybody may see it", elem_id="hub-public")
        with gr.Row(elem_classes="bar-row end"):
            look = gr.Button("What would go", elem_id="hub-look", scale=0, min_width=140)
            send = gr.Button("Send", elem_id="hub-send", scale=0, min_width=110)
        told = html(elem_id="hub-told")
    return HubPanel(what, repository, token, public, look, send, told)


def sendable(offers: tuple[Offer, ...]) -> Any:
    """The list of what can be sent: the adapter, and what was made already."""
    made = [(offer.title, offer.key) for offer in offers if offer.made and offer.key != ADAPTER[1]]
    return gr.update(choices=[ADAPTER, *made], value=ADAPTER[1])


def checked(repository: str) -> str:
    """Return the place that somebody typed.

    Raises:
        StudioError: There is none yet.
    """
    if not repository.strip():
        raise StudioError("There is no place to send it to yet.", "Write it as your-name/name-of-the-model.")
    return repository.strip()


def told_of(result: Sending | Sent) -> Markup:
    """Show what would go, or what has gone."""
    if isinstance(result, Sent):
        seen = "only you can see it" if result.private else "everybody can see it"
        return Markup('<p class="done" role="status">{}<span>Sent: <a href="{}">{}</a>, {}.</span></p>').format(
            icons.CHECK, result.address, result.repository, seen
        )
    rows = join(
        [Markup("<li><code>{}</code> {}</li>").format(name, words.file_size(size)) for name, size in result.files]
    )
    total = words.file_size(sum(size for _, size in result.files))
    names = words.listed(list(result.left_out))
    stays = Markup("<p>Stays here: {}</p>").format(names) if names else NOTHING
    return Markup('<div class="package" role="status"><p>{} would go:</p><ul>{}</ul>{}</div>').format(
        total, rows, stays
    )
