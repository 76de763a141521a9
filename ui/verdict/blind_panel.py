"""The blind test: a voter begins, votes, and goes on where they were after a closed tab."""

from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.workspace import slug
from ui.context import Context
from ui.events import bind, once
from ui.html import data_of
from ui.state.ownership import name_of
from ui.verdict import blind_views


def wire(context: Context) -> None:
    """Attach the handlers."""
    ui, page, studio = context.verdict.blind, context.page, context.studio
    drawn = [ui.voter, ui.card, *_tally_outputs(context)]

    def begin(run: str, voter: str, request: gr.Request | None = None) -> dict[Any, Any]:
        name = voter.strip() or name_of(request)
        if not name:
            raise StudioError("Who votes?", "Type your name, so that the test can go on later where it was.")
        return {ui.voter: name, ui.card: blind_views.card(studio.blind.test(run, name)), **tallied(context, run)}

    def vote(event: gr.EventData, run: str, voter: str) -> dict[Any, Any]:
        data = data_of(event)
        studio.blind.vote(run, voter, data["ticket"], data["choice"])
        return {ui.card: blind_views.card(studio.blind.test(run, voter)), **tallied(context, run)}

    def download(run: str) -> dict[Any, Any]:
        context.downloads.mkdir(parents=True, exist_ok=True)
        file = context.downloads / f"{slug(studio.runs.info(run).status.name)}-preferences.jsonl"
        file.write_text(studio.blind.preferences(run), encoding="utf-8")
        return {ui.file: str(file)}

    once(ui.start, begin, [page.run, ui.voter], drawn)
    bind(ui.voter.submit, begin, [page.run, ui.voter], drawn)
    bind(ui.card.vote, vote, [page.run, ui.voter], [ui.card, *_tally_outputs(context)])
    once(ui.download, download, [page.run], [ui.file])
    bind(ui.file.change, None, js="() => ticketTuner.download('blind-file')")


def _tally_outputs(context: Context) -> list[Any]:
    """What :func:`tallied` sets."""
    return [context.verdict.blind.tally, context.verdict.blind.download]


def tallied(context: Context, run: str) -> dict[Any, Any]:
    """What all votes on a judged run say."""
    ui, verdict = context.verdict.blind, context.studio.verdict.verdict(run)
    counted = verdict.blind if verdict else {}
    to_take = bool(counted.get("votes")) or (bool(run) and context.studio.blind.came_with_pairs(run))
    return {ui.tally: blind_views.tally(counted), ui.download: gr.Button(visible=to_take)}


def outputs(context: Context) -> list[Any]:
    """What is set when another run is shown."""
    return [context.verdict.blind.card, *_tally_outputs(context)]


def put_away(context: Context, run: str) -> dict[Any, Any]:
    """Show another run's votes, and no ticket of the one before."""
    return {context.verdict.blind.card: "", **tallied(context, run)}
