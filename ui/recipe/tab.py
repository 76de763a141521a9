"""The tab 'Recipe': a card, a model, a data set, and Start; every number one click deeper.

Owns the components and how they hang together. The recipe in the making lives in the browser as a draft (page.py); what
is valid, what it costs and how it is started, the engine says.
"""

from dataclasses import replace
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.presets import presets
from engine.recipe import Recipe
from ui import parts
from ui.context import Context
from ui.events import LATEST, bind, once, say
from ui.html import data_of
from ui.recipe import fields as recipe_fields
from ui.recipe import views
from ui.recipe.components import OTHER_MODEL
from ui.recipe.memory_views import cards_table
from ui.services import Studio
from ui.state import page as remembered
from ui.state.ownership import name_of

Draft = dict[str, Any]


def wire(context: Context) -> None:
    """Attach the handlers."""
    _wire_choices(context)
    _wire_fields(context)
    _wire_saved(context)
    _wire_start(context)


def _wire_choices(context: Context) -> None:
    """The data set, the preset and the base model."""
    ui, page = context.recipe, context.page
    around = _around_outputs(context)
    everything = [*around, *ui.fields.outputs]

    def choose_dataset(chosen: str | None) -> str:
        return chosen or ""

    def pick_preset(event: gr.EventData, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        return _filled(context, {**draft, "preset": data_of(event)["name"], "values": {}}, dataset, marks)

    def pick_model(event: gr.EventData, draft: Draft, dataset: str) -> dict[Any, Any]:
        return _around(context, {**draft, "model": data_of(event)["model"]}, dataset)

    def pick_other(model: str, draft: Draft, dataset: str) -> dict[Any, Any]:
        try:
            if not model.strip():
                raise StudioError("Nothing is written here.", "Write an id such as Qwen/Qwen3-4B, or a folder's path.")
            chosen = context.studio.recipes.checked_model(model)
        except StudioError as error:
            return {ui.other: gr.update(info=str(error), elem_classes=["field", "wrong"])}
        at_rest = gr.update(value="", info=OTHER_MODEL, elem_classes=["field"])
        return {**_around(context, {**draft, "model": chosen}, dataset), ui.other: at_rest}

    bind(ui.cards.preset, pick_preset, [page.draft, page.dataset, ui.fields.marks], everything)
    bind(ui.models.model, pick_model, [page.draft, page.dataset], around)
    once(ui.use_other, pick_other, [ui.other, page.draft, page.dataset], [*around, ui.other])
    bind(ui.other.submit, pick_other, [ui.other, page.draft, page.dataset], [*around, ui.other])

    def advise(event: gr.EventData, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        changes = views.advice_in(data_of(event))
        start = {**_start_of(draft).to_dict(), **draft["values"]}
        values = views.changes({**start, **changes}, _start_of(draft))
        model = changes.get("model", draft["model"])
        return _filled(context, {**draft, "model": model, "values": values}, dataset, marks)

    bind(ui.dataset.input, choose_dataset, [ui.dataset], [page.dataset])
    bind(ui.cost.advise, advise, [page.draft, page.dataset, ui.fields.marks], everything)
    bind(ui.notice.tickets, lambda: gr.Tabs(selected="tickets"), [], [context.tabs])


def _wire_fields(context: Context) -> None:
    """The advanced settings: changing one, and going back to the preset's values."""
    ui, page = context.recipe, context.page
    everything = [*_around_outputs(context), *ui.fields.outputs]
    state = [page.draft, page.dataset, ui.fields.marks]

    def with_value(draft: Draft, name: str, value: Any) -> Draft:
        start = _start_of(draft)
        values = {**start.to_dict(), **draft["values"], name: recipe_fields.read(name, value)}
        return {**draft, "values": views.changes(values, start)}

    def left(event: gr.EventData, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        name, text = data_of(event).get("name"), data_of(event).get("value")
        if name not in recipe_fields.typed_into():
            return {}
        changed = with_value(draft, name, text)
        tidied = views.as_typed(changed["values"].get(name, getattr(_start_of(draft), name)))
        shown = _marked(context, changed, dataset, marks)
        return shown if tidied == text else recipe_fields.merged(shown, {ui.fields.inputs[name]: tidied})

    def choose(name: str) -> Any:
        def chosen(draft: Draft, dataset: str, marks: recipe_fields.Marks, value: Any) -> dict[Any, Any]:
            return _marked(context, with_value(draft, name, value), dataset, marks)

        return chosen

    def reset(event: gr.EventData, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        name = next(name for name, button in ui.fields.resets.items() if button._id == event.target._id)  # type: ignore[union-attr]
        kept = {key: value for key, value in draft["values"].items() if key != name}
        return _filled(context, {**draft, "values": kept}, dataset, marks)

    def reset_all(draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        return _filled(context, {**draft, "values": {}}, dataset, marks)

    bind(ui.fields.watch.left, left, state, everything)
    for name, component in ui.fields.inputs.items():
        if name not in recipe_fields.typed_into():
            bind(component.input, choose(name), [*state, component], everything, **LATEST)  # type: ignore[attr-defined]
    for button in ui.fields.resets.values():
        bind(button.click, reset, state, everything)
    bind(ui.fields.reset_all.click, reset_all, state, everything)


def _wire_saved(context: Context) -> None:
    """Saving a recipe under a name, loading it, and doing away with it."""
    ui, page, studio = context.recipe, context.page, context.studio
    everything = [*_around_outputs(context), *ui.fields.outputs]

    def save(name: str, draft: Draft) -> dict[Any, Any]:
        studio.recipes.save(name, remembered.recipe_of(draft))
        say(f"Saved as ‘{name.strip()}’.")
        return {ui.saved: gr.Dropdown(list(studio.recipes.saved())), ui.save_name: ""}

    def load(name: str | None, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
        found = studio.recipes.saved().get(name or "")
        if found is None:
            return {}
        values = views.changes(found.to_dict(), _start_of(draft))
        return _filled(context, {**draft, "model": found.model, "values": values}, dataset, marks)

    def forget(name: str | None) -> dict[Any, Any]:
        if not name:
            raise StudioError("No saved recipe is chosen.", "Choose one from the list beside the button.")
        deleted = studio.recipes.delete(name)
        return {ui.saved: gr.Dropdown(list(studio.recipes.saved()), value=None), **context.sidebar.offer_undo(deleted)}

    once(ui.save, save, [ui.save_name, page.draft], [ui.saved, ui.save_name])
    bind(ui.saved.input, load, [ui.saved, page.draft, page.dataset, ui.fields.marks], everything)
    once(ui.forget, forget, [ui.saved], [ui.saved, *context.sidebar.undo_outputs])


def _wire_start(context: Context) -> None:
    """The one main button."""
    ui, page, studio = context.recipe, context.page, context.studio

    def start(
        draft: Draft, dataset: str, name: str, press: str = "", request: gr.Request | None = None
    ) -> dict[Any, Any]:
        if not dataset:
            raise StudioError("No data set is chosen.", "Prepare your tickets first, or try the sample shop.")
        run = studio.runs.start(remembered.recipe_of(draft), dataset, name, press, name_of(request))
        return {page.run: run, context.tabs: gr.Tabs(selected="training"), ui.name: ""}

    once(
        ui.start,
        start,
        [page.draft, page.dataset, ui.name, ui.press],
        [page.run, context.tabs, ui.name],
        name="start_training",
        js="(draft, dataset, name) => [draft, dataset, name, ticketTuner.press()]",
    )


def redraw(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """The handler that draws the whole tab, with its inputs and outputs."""

    def show(draft: Draft, dataset: str | None, marks: recipe_fields.Marks) -> dict[Any, Any]:
        return {} if dataset is None else _filled(context, draft, dataset, marks)

    ui, page = context.recipe, context.page
    return show, [page.draft, page.dataset, ui.fields.marks], [*_around_outputs(context), *ui.fields.outputs]


def redraw_around(context: Context) -> tuple[Any, list[Any], list[Any]]:
    """As :func:`redraw`, but for the inputs, so that nobody's typing is disturbed."""

    def show(draft: Draft, dataset: str | None) -> dict[Any, Any]:
        return {} if dataset is None else _around(context, draft, dataset)

    return show, [context.page.draft, context.page.dataset], _around_outputs(context)


def _around_outputs(context: Context) -> list[Any]:
    """All that the tab sets, but for the inputs of the fields."""
    ui = context.recipe
    return [
        ui.cards,
        ui.models,
        ui.elsewhere,
        ui.cost,
        ui.verdict,
        ui.notice,
        ui.command,
        ui.dataset,
        ui.start,
        ui.saved,
        ui.fields.marks,
        context.page.draft,
    ]


def _start_of(draft: Draft) -> Recipe:
    """The recipe of the preset that a draft starts from."""
    known = presets()
    return known.get(draft.get("preset", ""), known[remembered.START]).recipe


def _filled(context: Context, draft: Draft, dataset: str, marks: recipe_fields.Marks) -> dict[Any, Any]:
    """The whole tab, with every input set to the draft's value."""
    fields = context.recipe.fields
    values = {**_start_of(draft).to_dict(), **draft["values"]}
    shown = recipe_fields.merged(_marked(context, draft, dataset, marks), recipe_fields.fill(fields, values))
    return recipe_fields.show_gpus(fields, shown, context.studio.gpus(), values["gpus"])


def _marked(context: Context, draft: Draft, dataset: str, known: recipe_fields.Marks) -> dict[Any, Any]:
    """The whole tab, the inputs marked and not set, so that nobody's typing is disturbed."""
    start = _start_of(draft)
    values = {**start.to_dict(), **draft["values"]}
    updates, marks = recipe_fields.mark(context.recipe.fields, values, start, known, remembered.faults_of(draft))
    return {**_around(context, draft, dataset), **updates, context.recipe.fields.marks: marks}


def _around(context: Context, draft: Draft, dataset: str) -> dict[Any, Any]:
    """Everything but the inputs: cards, models, cost, command."""
    ui, studio = context.recipe, context.studio
    recipe, fault = remembered.sound_recipe_of(draft), next(iter(remembered.faults_of(draft).values()), None)
    sets = studio.tickets.all()
    info = next((each for each in sets if each.id == dataset), None)
    chosen = dataset if info else None
    note = parts.failure(fault) if fault else "" if info else views.NO_TICKETS
    command = studio.recipes.command_line(recipe, chosen, preset=draft["preset"])
    costs = studio.recipes.estimates(_compared(studio, draft, recipe), chosen)
    return {
        context.page.draft: draft,
        ui.cards: views.preset_cards(
            studio.recipes.presets(),
            {name: costs[f"preset {name}"] for name in studio.recipes.presets()},
            draft["preset"],
            len(draft["values"]),
        ),
        ui.models: views.model_list(
            studio.recipes.catalogue(),
            {model: costs[f"model {model}"] for model in _models(studio, recipe)},
            recipe.model,
            studio.recipes.own_models(),
        ),
        ui.elsewhere: cards_table(studio.recipes.on_cards(recipe, chosen)),
        ui.cost: views.cost_panel(recipe, costs[f"model {recipe.model}"], info.train if info else 0),
        ui.verdict: views.verdict(costs[f"model {recipe.model}"]),
        ui.notice: note,
        ui.command: parts.command(command),
        ui.dataset: gr.Dropdown([(each.name, each.id) for each in sets], value=chosen),
        ui.start: gr.Button(interactive=info is not None and fault is None),
        ui.saved: gr.Dropdown(list(studio.recipes.saved())),
    }


def _compared(studio: Studio, draft: Draft, recipe: Recipe) -> dict[str, Recipe]:
    """The recipes whose cost is shown: each preset with the chosen model, and the recipe with each model."""
    of_presets = {
        f"preset {name}": recipe
        if name == draft["preset"]
        else remembered.recipe_of({**draft, "preset": name, "values": {}})
        for name in studio.recipes.presets()
    }
    of_models = {f"model {model}": replace(recipe, model=model) for model in _models(studio, recipe)}
    return {**of_presets, **of_models}


def _models(studio: Studio, recipe: Recipe) -> set[str]:
    return {entry.id for entry in studio.recipes.catalogue()} | studio.recipes.own_models().keys() | {recipe.model}
