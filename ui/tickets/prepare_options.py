"""How an export becomes a data set, as inputs: what is held out, masked, left out.

Used where an export is brought in and where a data set is prepared again. Owns these inputs and what they mean
together; what each does is the engine's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import gradio as gr

from engine.tickets.languages import LANGUAGES, language_name
from engine.tickets.options import PrepareOptions
from engine.tickets.privacy.countries import COUNTRIES
from ui import words

RATINGS = [("all", ""), ("none that were rated bad", "not bad"), ("only those rated good", "good")]
NO_COUNTRY = ("not known: only numbers with +", "")


@dataclass(frozen=True)
class OptionFields:
    """Components; their elem_ids, after a prefix, in brackets. In the order of :func:`chosen`."""

    heldout: gr.Slider
    """[heldout]"""
    split: gr.Radio
    """[split]"""
    mask: gr.Checkbox
    """[mask]"""
    country: gr.Dropdown
    """[country]"""
    languages: gr.Dropdown
    """[languages]"""
    resolved: gr.Checkbox
    """[resolved]"""
    numbers: gr.Checkbox
    """[mask-numbers]"""
    second_look: gr.Textbox
    """[second-look]"""
    rated: gr.Dropdown
    """[rated]"""
    least_good: gr.Slider
    """[least-good]"""
    reopened: gr.Checkbox
    """[drop-reopened]"""
    newest: gr.Number
    """[newest-days]"""

    @property
    def inputs(self) -> list[Any]:
        """The inputs of :func:`chosen`."""
        return [getattr(self, field.name) for field in fields(self)]


def build(prefix: str = "") -> OptionFields:
    """Make the components."""
    with gr.Row(elem_classes="option-grid"):
        heldout = gr.Slider(
            0,
            50,
            value=10,
            step=1,
            label="Held out to measure (%)",
            elem_id=f"{prefix}heldout",
            info="Never learnt from; shows whether the model has learnt or only memorised.",
        )
        split = gr.Radio(
            [("the newest", "recent"), ("at random", "random")],
            value="recent",
            label="Which are held out",
            elem_id=f"{prefix}split",
            info="The newest are next week's questions.",
        )
    with gr.Row(elem_classes="option-grid"):
        mask = gr.Checkbox(
            True,
            label="Mask personal data",
            elem_id=f"{prefix}mask",
            info="Names, e-mail addresses, numbers and the like become placeholders. No detector is complete.",
        )
        country = gr.Dropdown(
            [NO_COUNTRY, *((f"{name} ({code})", code) for code, name in COUNTRIES.items())],
            value="",
            label="Telephone numbers as written in",
            elem_id=f"{prefix}country",
            allow_custom_value=True,
            info="So that numbers without an international prefix are masked too.",
        )
    with gr.Row(elem_classes="option-grid"):
        resolved = gr.Checkbox(
            False,
            label="Only resolved tickets",
            elem_id=f"{prefix}resolved",
            info="Leaves out what is neither solved nor closed, where the export says so.",
        )
        languages = gr.Dropdown(
            [(name, code) for code, name in LANGUAGES.items()],
            value=[],
            multiselect=True,
            label="Only these languages",
            elem_id=f"{prefix}languages",
            info="None chosen keeps all. Texts too short to tell are kept.",
        )
    with gr.Row(elem_classes="option-grid"):
        numbers = gr.Checkbox(
            False,
            label="Mask order and customer numbers too",
            elem_id=f"{prefix}mask-numbers",
            info="Off, because answers may need to show what such a number looks like.",
        )
        second_look = gr.Textbox(
            "",
            label="A second look for names",
            placeholder="Folder of a model on this computer",
            elem_id=f"{prefix}second-look",
            max_lines=1,
            info="A token-classification model reads every message; what it suspects goes on the list under ‘Masked’. "
            "Takes minutes for each thousand tickets.",
        )
    best = _build_best(prefix)
    return OptionFields(heldout, split, mask, country, languages, resolved, numbers, second_look, *best)


def _build_best(prefix: str) -> tuple[gr.Dropdown, gr.Slider, gr.Checkbox, gr.Number]:
    """Make what chooses the best tickets."""
    with gr.Row(elem_classes="option-grid"):
        rated = gr.Dropdown(
            RATINGS,
            value="",
            label="By the customer’s rating",
            elem_id=f"{prefix}rated",
            info="Where the export says how content customers were.",
        )
        least_good = gr.Slider(
            0,
            100,
            value=0,
            step=5,
            label="Only agents with so many good ratings (%)",
            elem_id=f"{prefix}least-good",
            info="Leaves out tickets of agents with fewer; whoever has fewer than five ratings stays.",
        )
    with gr.Row(elem_classes="option-grid"):
        reopened = gr.Checkbox(
            False,
            label="No reopened tickets",
            elem_id=f"{prefix}drop-reopened",
            info="Leaves out what had to be opened again, where the export says so.",
        )
        newest = gr.Number(
            0,
            label="Only the newest (days)",
            elem_id=f"{prefix}newest-days",
            minimum=0,
            maximum=36_500,
            precision=0,
            info="Counted back from the newest ticket; 0 keeps all.",
        )
    return rated, least_good, reopened, newest


def chosen(
    base: PrepareOptions,
    heldout: float,
    split: Literal["recent", "random"],
    mask: bool,
    country: str | None,
    languages: list[str] | None,
    resolved: bool,
    numbers: bool,
    second_look: str | None,
    rated: Literal["", "not bad", "good"] | None,
    least_good: float,
    reopened: bool,
    newest: float | None,
) -> PrepareOptions:
    """Put what was chosen in place of what ``base`` says of it.

    Raises:
        TicketsError: A value is out of its range.
    """
    return replace(
        base,
        heldout=heldout / 100,
        split=split,
        mask=mask,
        country=(country or "").strip().upper() or None,
        languages=tuple(languages or ()),
        resolved_only=resolved,
        mask_numbers=numbers,
        second_look=(second_look or "").strip(),
        rated=rated or "",
        least_good=least_good / 100,
        drop_reopened=reopened,
        newest_days=int(newest or 0),
    )


def shown(ui: OptionFields, options: PrepareOptions, languages: Mapping[str, int]) -> dict[Any, Any]:
    """Set the inputs to how a data set was prepared.

    Args:
        ui: The inputs.
        options: How it was prepared.
        languages: Those found in it, with the number of conversations of each.
    """
    here = [(f"{language_name(code)} ({count:,})", code) for code, count in languages.items() if code != "und"]
    others = [(name, code) for code, name in LANGUAGES.items() if code not in languages]
    return {
        ui.heldout: round(options.heldout * 100),
        ui.split: options.split,
        ui.mask: options.mask,
        ui.country: options.country or "",
        ui.languages: gr.Dropdown([*here, *others], value=list(options.languages), multiselect=True),
        ui.resolved: options.resolved_only,
        ui.numbers: options.mask_numbers,
        ui.second_look: options.second_look,
        ui.rated: options.rated,
        ui.least_good: round(options.least_good * 100),
        ui.reopened: options.drop_reopened,
        ui.newest: options.newest_days,
    }


def guess(ui: OptionFields, country: str, told: str) -> dict[Any, Any]:
    """Offer a country that an export is likely to follow, with the evidence."""
    name = COUNTRIES.get(country, country)
    plain = "So that numbers without an international prefix are masked too."
    info = f"Guessed: {name}, from {told}." if country else plain
    return {ui.country: gr.Dropdown(value=country, info=info, allow_custom_value=True)}


def in_words(options: PrepareOptions) -> str:
    """Say how a data set was prepared, for people."""
    parts = [f"{words.percent(options.heldout)} held out, {'at random' if options.split == 'random' else 'the newest'}"]
    parts.append("personal data masked" if options.mask else "nothing masked")
    if options.mask and options.mask_numbers:
        parts.append("order and customer numbers masked")
    if options.second_look:
        parts.append("a model looked for names")
    if options.country:
        parts.append(f"numbers as in {COUNTRIES.get(options.country, options.country)}")
    if options.languages:
        parts.append("only " + words.listed([language_name(code) for code in options.languages]))
    if options.resolved_only:
        parts.append("only resolved tickets")
    if options.overrides.agents:
        parts.append(f"the support is {words.listed(list(options.overrides.agents))}")
    if options.rated:
        parts.append("only tickets rated good" if options.rated == "good" else "no tickets rated bad")
    if options.least_good:
        parts.append(f"only agents with {words.percent(options.least_good)} good ratings")
    if options.drop_reopened:
        parts.append("no reopened tickets")
    if options.newest_days:
        parts.append(f"only the newest {words.count(options.newest_days, 'day')}")
    return "; ".join(parts)
