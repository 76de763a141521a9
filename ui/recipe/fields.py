"""The fields under 'Advanced': one component a field of the recipe, made from the engine's own description of it.

Owns how a field looks, is marked as changed or wrong, and is reset. What a value may be, the engine says. Numbers are
text fields: the browser's own number field takes '0,0002' for 2, and its arrows go from 0.0002 to 1. What is typed is
looked at when the field is left, so that nothing is red while somebody is typing.
"""

import json
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

DOUBLING = frozenset({"learning_rate", "rank", "alpha", "batch_size", "accumulation", "max_length"})
"""Fields in which only the order of magnitude matters: an arrow key doubles or halves them."""

STEPS = {"dropout": 0.01, "warmup": 0.01, "weight_decay": 0.01, "max_grad_norm": 0.1, "epochs": 0.5, "general": 0.05}
"""What an arrow key adds or takes elsewhere; 1 where nothing is said."""

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
    watch: gr.HTML
    """[field-watch], never seen; raises 'left' with the name and the text of a field that was changed and left"""
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
    watch = html(
        Markup('<i hidden data-fields="{}"></i>').format(json.dumps(_keyed())),
        elem_id="field-watch",
        script="ticketTuner.fields(element, (seen) => trigger('left', seen));",
    )
    return Fields(inputs, boxes, resets, reset_all, watch, gr.State({}))


def _keyed() -> dict[str, dict[str, Any]]:
    """What the page's script knows of the fields that one types into: unit, range and step of the numbers."""
    return {name: _of_number(setting) if setting.low is not None else {} for name, setting in typed_into().items()}


def _of_number(setting: Setting) -> dict[str, Any]:
    step = "double" if setting.name in DOUBLING else STEPS.get(setting.name, 1)
    return {
        "unit": setting.unit,
        "low": setting.low,
        "high": setting.high,
        "step": step,
        "whole": setting.kind is int,
    }


def typed_into() -> dict[str, Setting]:
    """The fields that are text on the page; the others are lists and boxes to tick."""
    others = ("model", "gpus")
    return {
        name: setting
        for name, setting in FIELDS.items()
        if name not in others and not setting.choices and setting.kind is not bool
    }


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
    lines = 2 if setting.name == "system_prompt" else 1
    return gr.Textbox(views.as_typed(setting.default), lines=lines, max_lines=20 if lines > 1 else 1, **shared)


def read(name: str, text: Any) -> Any:
    """Bring what was typed into the type of its field; what cannot be read stays text, and the check says why."""
    setting = FIELDS[name]
    if not isinstance(text, str) or setting.choices:
        return text
    try:
        return setting.parse(text)
    except RecipeError:
        return text


def mark(
    fields: Fields, values: Mapping[str, Any], start: Recipe, known: Marks, faults: Mapping[str, RecipeError]
) -> tuple[dict[Any, Any], Marks]:
    """Say which fields are changed or wrong.

    Args:
        fields: The components.
        values: What is typed, by field.
        start: The preset's recipe.
        known: What is shown now.
        faults: The fields that are wrong, each with its sentence.

    Returns:
        Updates of the components that differ, and what is shown then.
    """
    marks: Marks = {}
    for name, setting in FIELDS.items():
        if name in fields.inputs:
            value, first = values.get(name), getattr(start, name)
            told = views.help_of(setting, value, first)
            marks[name] = (told, "field changed" if value != first else "field")
    marks |= {name: (_beside(name, fault), "field changed wrong") for name, fault in faults.items() if name in marks}
    updates = {
        fields.inputs[name]: gr.update(info=told, elem_classes=kind.split())
        for name, (told, kind) in marks.items()
        if known.get(name) != (told, kind)
    }
    return updates, marks


def _beside(name: str, fault: RecipeError) -> str:
    """The sentence of a fault without the name of the field beside which it stands."""
    said = str(fault).removeprefix(f"{FIELDS[name].label}: ")
    return said[0].upper() + said[1:]


def fill(fields: Fields, values: Mapping[str, Any]) -> dict[Any, Any]:
    """Set all inputs."""
    text = typed_into()
    return {
        component: views.as_typed(values[name]) if name in text else values[name]
        for name, component in fields.inputs.items()
    }


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
