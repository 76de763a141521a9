"""The tab 'Recipe': preset cards, the list of models, the fields under 'Advanced', and what this run would cost."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.model.catalogue import CatalogueEntry
from engine.presets import Preset
from engine.recipe import FIELDS, Recipe
from engine.setting import Group, Setting
from engine.training.early_stopping import in_words as ending_in_words
from engine.training.memory.estimate import Estimate
from engine.typed_numbers import plain
from ui import icons, words
from ui.parts import NOTHING, badge, join
from ui.recipe.memory_views import change_button, memory_panel
from ui.shell.views import short_model

GROUPS: tuple[Group, ...] = ("Model", "Adapter", "Learning", "Batches", "Memory", "Evaluation")

SENTENCES: Mapping[Group, str] = {
    "Model": "How the base model is loaded and spoken to.",
    "Adapter": "The small part that learns.",
    "Learning": "How long, and in how large steps.",
    "Batches": "What is looked at together.",
    "Memory": "What to trade for memory.",
    "Evaluation": "How often it is measured and saved.",
}
"""What each group of fields is about."""


FOR_SEVERAL_GPUS = ("gpus", "spread")
"""Fields that are shown only where the computer has more than one GPU."""


def gpu_choices(gpus: int, chosen: int) -> list[tuple[str, int]]:
    """What can be chosen on a computer with so many GPUs; what is chosen already is always among it."""
    known = {*range(1, max(1, gpus) + 1), chosen} - {0}
    every = [("all of them", 0)] if gpus > 1 or chosen == 0 else []
    return [(f"{number} GPU{'s' if number > 1 else ''}", number) for number in sorted(known)] + every


def preset_cards(presets: Mapping[str, Preset], costs: Mapping[str, Estimate], chosen: str, changed: int) -> Markup:
    """The three big cards.

    Args:
        presets: By name.
        costs: The estimate of each, with the model that is chosen.
        chosen: Name of the one that the recipe starts from.
        changed: How many fields have been changed since.
    """
    cards = [_card(name, preset, costs[name], name == chosen, changed) for name, preset in presets.items()]
    return Markup('<div class="cards" role="radiogroup" aria-label="How long it may take">{}</div>').format(join(cards))


def _card(name: str, preset: Preset, cost: Estimate, chosen: bool, changed: int) -> Markup:
    note = Markup('<span class="tag">{}</span>').format(f"{changed} changed") if chosen and changed else NOTHING
    return Markup(
        '<button type="button" class="card{selected}" role="radio" aria-checked="{checked}" data-do="preset" '
        'data-name="{name}" data-key="preset-{name}"><span class="card-head"><b>{title}</b>{note}'
        '<i class="radio-mark">{mark}</i></span><span class="card-time">{time}</span>'
        '<span class="card-memory">{memory}</span><span class="card-words">{words}</span></button>'
    ).format(
        selected=" selected" if chosen else "",
        checked="true" if chosen else "false",
        name=name,
        title=preset.title,
        note=note,
        mark=icons.CHECK,
        time=time_of(cost),
        memory=memory_of(cost),
        words=preset.sentence,
    )


def time_of(cost: Estimate) -> str:
    """The training time in words."""
    if cost.seconds is None:
        return "time depends on your tickets" if not cost.steps else f"{cost.steps:,} steps"
    return f"about {words.duration(cost.seconds)}"


def memory_of(cost: Estimate) -> str:
    """The memory needed, beside what there is."""
    if cost.memory_gib is None:
        return "memory not known"
    return f"{cost.memory_gib:.1f} of {words.gigabytes(cost.available_gib)} memory"


def model_list(
    entries: Sequence[CatalogueEntry], costs: Mapping[str, Estimate], chosen: str, own: Mapping[str, str]
) -> Markup:
    """The catalogue as a list to pick from, with size, licence and whether it fits.

    Args:
        entries: The catalogue.
        costs: Estimate by model.
        chosen: The recipe's model; one that is not in the catalogue gets a row of its own at the top.
        own: Models that were brought in, as a recipe names each, and what it is called.
    """
    rows = [_other_row(model, name, costs.get(model), model == chosen) for model, name in own.items()]
    rows += [_model_row(entry, costs[entry.id], entry.id == chosen) for entry in entries]
    if chosen not in {entry.id for entry in entries} | own.keys():
        rows.insert(0, _other_row(chosen, short_model(chosen), costs.get(chosen), True))
    return Markup('<div class="models" role="radiogroup" aria-label="Base model">{}</div>').format(join(rows))


def _model_row(entry: CatalogueEntry, cost: Estimate, chosen: bool) -> Markup:
    size = f"{entry.billions:.1f} B" if entry.billions >= 1 else f"{entry.billions * 1000:.0f} M"
    fetch = f"{entry.download_gb:.1f} GB" if entry.download_gb >= 0.1 else f"{entry.download_gb * 1000:.0f} MB"
    gate = Markup('<span class="tag" title="The hub asks for an account and your consent first">ask first</span>')
    return Markup(
        '<button type="button" class="model{selected}" role="radio" aria-checked="{checked}" data-do="model" '
        'data-model="{id}" data-key="model-{id}"><i class="radio-mark">{mark}</i><span class="model-main">'
        '<b>{title}</b> {gate}<span class="quiet">{sentence}</span></span><span class="model-facts">'
        "<span>{size} parameters</span><span>{fetch}, fetched once</span><span>{licence}</span></span>"
        '<span class="model-fit">{badge}<span class="quiet">{time}</span></span></button>'
    ).format(
        selected=" selected" if chosen else "",
        checked="true" if chosen else "false",
        id=entry.id,
        mark=icons.CHECK,
        title=entry.title,
        gate=gate if entry.gated else NOTHING,
        sentence=entry.sentence,
        size=size,
        fetch=fetch,
        licence=entry.licence,
        badge=badge(cost.verdict),
        time=_time_here(cost),
    )


def _time_here(cost: Estimate) -> str:
    return time_of(cost) if cost.seconds is not None and cost.verdict != "does not fit" else ""


def _other_row(model: str, name: str, cost: Estimate | None, chosen: bool) -> Markup:
    return Markup(
        '<button type="button" class="model{}" role="radio" aria-checked="{}" data-do="model" data-model="{}" '
        'data-key="model-{}"><i class="radio-mark">{}</i><span class="model-main"><b>{}</b> '
        '<span class="quiet">{}</span></span>'
        '<span class="model-facts"></span><span class="model-fit">{}<span class="quiet">{}</span></span></button>'
    ).format(
        " selected" if chosen else "",
        "true" if chosen else "false",
        model,
        model,
        icons.CHECK,
        name,
        model,
        badge(cost.verdict if cost else "unknown"),
        _time_here(cost) if cost else "",
    )


def cost_panel(recipe: Recipe, cost: Estimate, train: int) -> Markup:
    """What the run on the page would take: time, steps, memory.

    Args:
        recipe: The recipe as it stands.
        cost: Its estimate.
        train: Conversations to learn from; 0 while no data set is chosen.
    """
    rows = [
        ("Model", short_model(recipe.model) if recipe.model != "starter" else "Starter"),
        ("Time", time_of(cost)),
        ("Steps", f"{cost.steps:,}" if cost.steps else "–"),
        ("Learns from", words.count(train, "conversation") if train else "–"),
    ]
    if train and cost.longer:
        rows.append(("Lose turns", _lost_turns(recipe, cost)))
    facts = join([Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in rows])
    return Markup('<dl class="facts">{}</dl>{}<p class="quiet">{}</p><p class="quiet">{}</p>').format(
        facts, memory_panel(cost), cost.sentence, ending_in_words(recipe, steps=cost.steps)
    )


def _lost_turns(recipe: Recipe, cost: Estimate) -> Markup:
    """How many conversations are too long, with the button that lets in all of them where one setting can."""
    told = f"{'' if cost.counted else 'about '}{cost.longer:,} longer than {recipe.max_length:,} tokens"
    if not recipe.max_length < cost.whole_at <= (FIELDS["max_length"].high or 0):
        return Markup("{}").format(told)
    return Markup("{} {}").format(told, change_button({"max_length": cost.whole_at}, f"Raise it to {cost.whole_at:,}"))


def verdict(cost: Estimate) -> Markup:
    """What the run on the page would take, in one line beside Start."""
    return Markup('<p class="cost-line"><b>{}</b>{}<span class="quiet">{}</span></p>').format(
        time_of(cost), badge(cost.verdict), memory_of(cost) if cost.memory_gib is not None else ""
    )


NO_TICKETS = Markup(
    '<div class="banner banner-note" role="status">{}<div><strong>No data set yet.</strong> '
    '<button type="button" class="link" data-do="tickets">Prepare your tickets first  →</button></div></div>'
).format(icons.NOTE)
"""Said in place of a cost while there is nothing to learn from."""


def advice_in(data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a button of an advice brings along; those that a recipe does not have are left out."""
    try:
        told = json.loads(data.get("changes", "{}"))
    except ValueError:
        return {}
    return {name: value for name, value in told.items() if name in FIELDS} if isinstance(told, dict) else {}


def help_of(setting: Setting, value: Any, start: Any) -> str:
    """The sentence under a field: what it does, its range and unit, and what it was before it was changed."""
    parts = [setting.help]
    if setting.low is not None and setting.high is not None:
        parts.append(f"{setting.range_text}.")
    if value != start:
        parts.append(f"Changed from {shown(start)}.")
    return " ".join(parts)


def shown(value: Any) -> str:
    """Write a field's value."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return plain(value)
    return str(value) if value != "" else "empty"


def as_typed(value: Any) -> str:
    """Write a field's value as one would type it: '0.0002', '131072'; what could not be read stays as it was typed."""
    return plain(value, groups=False) if isinstance(value, int | float) else str(value)


def changes(values: Mapping[str, Any], start: Recipe) -> dict[str, Any]:
    """The fields that differ from what the preset says; the model is picked elsewhere and does not count."""
    return {name: value for name, value in values.items() if name != "model" and value != getattr(start, name)}


def chosen_names() -> list[str]:
    """The fields under 'Advanced': all but the model, which has its own list."""
    return [name for name in FIELDS if name != "model"]
