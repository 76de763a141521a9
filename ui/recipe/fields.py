"""The fields under 'Advanced': one component a field of the recipe, made from the engine's own description of it.

Owns how a field looks, is marked as changed or wrong, and is reset. What a value may be, the engine says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from markupsafe import Markup

from engine.errors import RecipeError
from engine.recipe import FIELDS, Recipe
from engine.setting import Setting
from ui.html import html
from ui.recipe import views

Marks = dict[str, tuple[str, str]]
"""Field -> its sentence and its class, as the page shows them now."""


@dataclass(frozen=True)
class Fields:
    """Components; their elem_ids in brackets."""

    inputs: dict[str, Component]
    """Field -> [field-NAME]"""
    boxes: dict[str, gr.Column]
    """Field -> [box-NAME] around it, of those that only some computers need."""
    resets: dict[str, gr.Button]
    """Field -> [reset-NAME]; seen only while the field is changed."""
    reset_all: gr.Button
    """[reset-all]"""
    marks: gr.State
    """What is shown now (:data:`Marks`), so that only what changes is sent."""

    @property
    def outputs(self) -> list[Any]:
        """What :func:`fill` and :func:`mark` set."""
        return [*self.inputs.values(), *self.boxes.values()]


def build() -> Fields:
    """Make the components, by group."""
    inputs: dict[str, Component] = {}
    resets: dict[str, gr.Button] = {}
    boxes: dict[str, gr.Column] = {}
    with gr.Row(elem_classes="bar-row"):
        html('<p class="quiet">Each field starts at what the card above says. Changed ones are marked.</p>')
        reset_all = gr.Button("Reset all", elem_id="reset-all", size="sm", scale=0, min_width=90)
    for group in views.GROUPS:
        named = [setting for name, setting in FIELDS.items() if setting.group == group and name != "model"]
        html(Markup('<h3 class="group">{} <span>{}</span></h3>').format(group, views.SENTENCES[group]))
        with gr.Row(elem_classes="field-grid"):
            for setting in named:
                rare = setting.name in views.FOR_SEVERAL_GPUS
                id_of_box = f"box-{setting.name}"
                with gr.Column(elem_classes="field-box", min_width=220, elem_id=id_of_box, visible=not rare) as box:
                    inputs[setting.name] = _input(setting)
                    resets[setting.name] = gr.Button(
                        "Reset", elem_id=f"reset-{setting.name}", elem_classes="reset", size="sm", min_width=60
                    )
                if rare:
                    boxes[setting.name] = box
    return Fields(inputs, boxes, resets, reset_all, gr.State({}))


def _input(setting: Setting) -> Component:
    shared: dict[str, Any] = {
        "label": setting.label,
        "info": views.help_of(setting, setting.default, setting.default),
        "elem_id": f"field-{setting.name}",
        "elem_classes": "field",
        "interactive": True,
    }
    if setting.name == "gpus":
        return gr.Dropdown(views.gpu_choices(1, 1), value=setting.default, filterable=False, **shared)
    if setting.choices:
        return gr.Dropdown(list(setting.choices), value=setting.default, filterable=False, **shared)
    if setting.kind is bool:
        return gr.Checkbox(setting.default, **shared)
    if setting.kind is str:
        return gr.Textbox(setting.default, lines=2 if setting.name == "system_prompt" else 1, **shared)
    return gr.Number(setting.default, **shared)


def read(values: tuple[Any, ...]) -> dict[str, Any]:
    """Bring the values of all inputs into the types of the recipe where they fit."""
    return {name: views.tidy(FIELDS[name], value) for name, value in zip(views.chosen_names(), values, strict=True)}


def mark(
    fields: Fields, values: Mapping[str, Any], start: Recipe, known: Marks, wrong: RecipeError | None
) -> tuple[dict[Any, Any], Marks]:
    """Say which fields are changed or wrong.

    Args:
        fields: The components.
        values: What is typed, by field.
        start: The preset's recipe.
        known: What is shown now.
        wrong: The field that is wrong, with its sentence.

    Returns:
        Updates of the components that differ, and what is shown then.
    """
    marks: Marks = {}
    for name, setting in FIELDS.items():
        if name in fields.inputs:
            value, first = values.get(name), getattr(start, name)
            told = views.help_of(setting, value, first)
            marks[name] = (told, "field changed" if value != first else "field")
    if wrong is not None and wrong.field in marks:
        marks[wrong.field] = (f"{wrong} Reset it to go on.", "field changed wrong")
    updates = {
        fields.inputs[name]: gr.update(info=told, elem_classes=kind.split())
        for name, (told, kind) in marks.items()
        if known.get(name) != (told, kind)
    }
    return updates, marks


def fill(fields: Fields, values: Mapping[str, Any]) -> dict[Any, Any]:
    """Set all inputs."""
    return {component: values[name] for name, component in fields.inputs.items()}


def show_gpus(fields: Fields, updates: dict[Any, Any], gpus: int, chosen: int) -> dict[Any, Any]:
    """Add to updates: the GPUs of this computer are offered where it has several.

    Args:
        fields: The components.
        updates: Of the components so far.
        gpus: How many there are.
        chosen: What the draft says, which may come from another computer.
    """
    box = fields.inputs["gpus"]
    choices = gr.update(**{**_plain(updates.get(box)), "choices": views.gpu_choices(gpus, chosen)})
    return {**updates, box: choices, **{box: gr.update(visible=gpus > 1) for box in fields.boxes.values()}}


def merged(updates: dict[Any, Any], values: dict[Any, Any]) -> dict[Any, Any]:
    """Join marks and values of the same components into one update each."""
    both = {
        component: gr.update(**{**_plain(updates.get(component)), "value": value})
        for component, value in values.items()
    }
    return {**updates, **both}


def _plain(update: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (update or {}).items() if name != "__type__"}
