"""The part of the tab 'Help desk' that lets other programs in: what they may ask, their keys, what they send."""

from typing import Any

import gradio as gr

from engine.errors import StudioError
from ui import parts
from ui.context import Context
from ui.desk import views
from ui.desk.snippets import snippets
from ui.events import bind, once, say
from ui.html import data_of


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, endpoint = context.desk.connecting, context.studio.endpoint

    def switch(on: bool) -> dict[Any, Any]:
        endpoint.switch(on)
        return shown(context)

    def offer(chosen: list[str]) -> dict[Any, Any]:
        before = endpoint.offers().offered
        for voice in endpoint.candidates():
            if (voice.id in chosen) != (voice.id in before):
                endpoint.offer(voice.id, voice.id in chosen)
        return shown(context)

    def look_up_in(dataset: str | None) -> dict[Any, Any]:
        endpoint.look_up_in(dataset or "")
        return shown(context)

    def make_key(name: str) -> dict[Any, Any]:
        key, secret = endpoint.keys.make(name)
        return {ui.made: views.made(key, secret), ui.key_name: "", ui.keys: _keys(context)}

    def doubt(event: gr.EventData) -> dict[Any, Any]:
        return {ui.keys: _keys(context, str(data_of(event).get("id", "")))}

    def keep() -> dict[Any, Any]:
        return {ui.keys: _keys(context)}

    def revoke(event: gr.EventData) -> dict[Any, Any]:
        revoked = endpoint.keys.revoke(str(data_of(event).get("id", "")))
        say(f"The key ‘{revoked.name}’ is revoked.")
        return {ui.keys: _keys(context), ui.made: ""}

    bind(ui.switch.input, switch, [ui.switch], outputs(context))
    bind(ui.offered.input, offer, [ui.offered], outputs(context))
    bind(ui.dataset.input, look_up_in, [ui.dataset], outputs(context))
    once(ui.make, make_key, [ui.key_name], [ui.made, ui.key_name, ui.keys])
    bind(ui.keys.doubt, doubt, [], [ui.keys])
    bind(ui.keys.keep, keep, [], [ui.keys])
    bind(ui.keys.revoke, revoke, [], [ui.keys, ui.made])


def outputs(context: Context) -> list[Any]:
    """Everything that this part sets, but for a new key."""
    ui = context.desk.connecting
    return [ui.switch, ui.state, ui.offered, ui.dataset, ui.keys, ui.snippets]


def shown(context: Context) -> dict[Any, Any]:
    """What is offered, to whom, and what they type."""
    ui, endpoint = context.desk.connecting, context.studio.endpoint
    offers, candidates = endpoint.offers(), endpoint.candidates()
    sets = [("Nowhere", ""), *((seen.name, seen.id) for seen in context.studio.tickets.all())]
    dataset = offers.dataset if offers.dataset in {identifier for _, identifier in sets} else ""
    first = next((voice for voice in candidates if voice.path is not None and voice.id in offers.offered), None)
    name = offers.offered[first.id] if first else next(iter(offers.offered.values()), "base")
    return {
        ui.switch: offers.on,
        ui.state: views.state(offers),
        ui.offered: gr.CheckboxGroup(
            views.offered(candidates, offers), value=[voice.id for voice in candidates if voice.id in offers.offered]
        ),
        ui.dataset: gr.Dropdown(sets, value=dataset),
        ui.keys: _keys(context),
        ui.snippets: snippets(name, bool(dataset or (first and first.run))),
    }


def _keys(context: Context, doubted: str = "") -> Any:
    try:
        return views.keys(context.studio.endpoint.keys.all(), doubted)
    except StudioError as error:
        return parts.failure(error)
