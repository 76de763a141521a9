"""Length of the conversations in tokens, what is learnt of them over the whole set, and what to mend.

Owns these components; the count runs in the background, and begins anew when the data set or the recipe has changed.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from engine.recipe import Recipe
from engine.training.data.token_counts import TokenCounts
from ui import charts, parts
from ui.context import Context
from ui.events import bind
from ui.html import data_of
from ui.state import page as remembered
from ui.task_registry import counting
from ui.tickets.views import learning


def wire(context: Context) -> None:
    """Attach the handlers, but for the timer: a finished count changes the whole tab."""
    ui, page = context.tickets.tokens, context.page
    state = [page.dataset, page.draft]

    def recount(dataset: str, draft: dict[str, Any]) -> dict[Any, Any]:
        return start(context, dataset, remembered.sound_recipe_of(draft), afresh=True)

    def cancel(dataset: str, draft: dict[str, Any]) -> None:
        context.tasks.cancel(_purpose(context, dataset, remembered.sound_recipe_of(draft)))

    def raise_length(event: gr.EventData, dataset: str, draft: dict[str, Any]) -> dict[Any, Any]:
        changed = {**draft, "values": {**draft["values"], "max_length": int(data_of(event)["length"])}}
        return {page.draft: changed, **start(context, dataset, remembered.sound_recipe_of(changed))}

    bind(ui.counted.again, recount, state, ui.outputs)
    bind(ui.counted.cancel, cancel, state)
    bind(ui.counted.longer, raise_length, state, [page.draft, *ui.outputs])


def start(context: Context, dataset: str, recipe: Recipe, *, afresh: bool = False) -> dict[Any, Any]:
    """Begin to count, unless that has been done or was called off, and show how far it is.

    Args:
        context: The window's parts.
        dataset: Id of the data set.
        recipe: Its model, standing instruction and max length count.
        afresh: Whether to begin again after it was called off or has failed.
    """
    purpose = _purpose(context, dataset, recipe)
    context.tasks.forget_others(purpose, f"count {dataset} ")
    if afresh or context.tasks.seen(purpose) is None:
        context.tasks.ensure(purpose, lambda: context.studio.tokens.count(dataset, recipe))
    return shown(context, dataset, recipe)


def running(context: Context, dataset: str, recipe: Recipe) -> bool:
    """Say whether the count is under way."""
    seen = context.tasks.seen(_purpose(context, dataset, recipe))
    return seen is not None and seen.state == "running"


def shown(context: Context, dataset: str, recipe: Recipe) -> dict[Any, Any]:
    """The counts and the histogram, or how far the count is."""
    ui, task = context.tickets.tokens, context.tasks.seen(_purpose(context, dataset, recipe))
    timer = {ui.timer: gr.Timer(active=running(context, dataset, recipe))}
    if task is not None and task.state == "done" and task.result is not None:
        return {**timer, ui.chart: learning.histogram(task.result), ui.counted: learning.token_note(task.result)}
    if task is not None and task.state == "running":
        return {**timer, ui.chart: charts.NOTHING, ui.counted: parts.task_progress(task)}
    again = Markup('<button type="button" class="button small" data-do="again">Count again</button>')
    hint = Markup('<p class="hint">The tokens have not been counted.</p>')
    why = parts.failure(task.error) if task and task.error else hint
    return {**timer, ui.chart: charts.NOTHING, ui.counted: Markup("{}{}").format(why, again)}


def counts(context: Context, dataset: str, recipe: Recipe) -> TokenCounts | None:
    """What was counted; None while it is not known."""
    seen = context.tasks.seen(_purpose(context, dataset, recipe))
    return seen.result if seen is not None and seen.state == "done" else None


def _purpose(context: Context, dataset: str, recipe: Recipe) -> str:
    revision = context.studio.tickets.info(dataset).revision
    learnt = recipe.system_prompt, recipe.max_length, recipe.keeps, recipe.general
    return counting(dataset, revision, recipe.model, *learnt)
