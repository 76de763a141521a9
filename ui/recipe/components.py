"""What the tab 'Recipe' consists of; what happens in it is tab.py's."""

from dataclasses import dataclass

import gradio as gr

from ui.html import html
from ui.recipe import fields as recipe_fields
from ui.recipe.fields import Fields

OTHER_MODEL = "It is looked up as soon as you give it. What is on this computer already needs no network."
"""What stands under the field for any other model, unless what was given is wrong."""


@dataclass(frozen=True)
class RecipeTab:
    """Components; their elem_ids in brackets."""

    tab: gr.Tab
    """[tab-recipe]"""
    cards: gr.HTML
    """[presets]; raises 'preset'"""
    models: gr.HTML
    """[models]; raises 'model'"""
    other: gr.Textbox
    """[other-model]"""
    use_other: gr.Button
    """[use-other-model]"""
    elsewhere: gr.HTML
    """[card-fits], inside [other-cards]"""
    fields: Fields
    """Inside [advanced]."""
    dataset: gr.Dropdown
    """[recipe-data-set]"""
    name: gr.Textbox
    """[run-name]"""
    cost: gr.HTML
    """[cost]; raises 'advise' with the settings that would make the run fit"""
    verdict: gr.HTML
    """[verdict], in the bar that is always in sight, as are the next two"""
    notice: gr.HTML
    """[recipe-notice]; raises 'tickets'"""
    start: gr.Button
    """[start-training]"""
    press: gr.Textbox
    """Names a press of Start, so that a double click is one; never seen."""
    saved: gr.Dropdown
    """[saved-recipes]"""
    save_name: gr.Textbox
    """[recipe-name]"""
    save: gr.Button
    """[save-recipe]"""
    forget: gr.Button
    """[delete-recipe]"""
    command: gr.HTML
    """[command], inside [show-command]"""


def build_recipe(tab: gr.Tab) -> RecipeTab:
    """Make the components, inside ``tab``."""
    with gr.Row(elem_id="recipe", elem_classes="with-aside"):
        with gr.Column(elem_classes="main-column", min_width=320):
            html(
                '<h1>How long may it take?</h1><p class="quiet">Times and memory are reckoned for this computer and '
                "these tickets. The first run can be the shortest.</p>"
            )
            cards = html(elem_id="presets", raises=("preset",))
            html('<h2 class="section">Base model</h2>')
            models = html(elem_id="models", raises=("model",))
            with gr.Row(elem_classes="bar-row bottom"):
                other = gr.Textbox(
                    "",
                    label="Or any other: an id of the model hub, or a folder on this computer",
                    info=OTHER_MODEL,
                    elem_classes="field",
                    placeholder="Qwen/Qwen3-4B or /models/my-model",
                    elem_id="other-model",
                    max_lines=1,
                )
                use_other = gr.Button("Use this model", elem_id="use-other-model", scale=0, min_width=130)
            with gr.Accordion("On other graphics cards", open=False, elem_id="other-cards"):
                elsewhere = html(elem_id="card-fits")
            with gr.Accordion("Advanced: every setting", open=False, elem_id="advanced"):
                fields = recipe_fields.build()
            with gr.Accordion("Saved recipes", open=False, elem_id="saved"), gr.Row(elem_classes="bar-row bottom"):
                saved = gr.Dropdown([], label="Load a recipe", elem_id="saved-recipes", interactive=True)
                forget = gr.Button("Delete", elem_id="delete-recipe", scale=0, min_width=80)
                save_name = gr.Textbox("", label="Save the one above as", elem_id="recipe-name", max_lines=1)
                save = gr.Button("Save", elem_id="save-recipe", scale=0, min_width=80)
            with gr.Accordion("Show command", open=False, elem_id="show-command"):
                command = html(elem_id="command")
        with gr.Column(elem_classes="aside sheet", elem_id="this-run", scale=0, min_width=300):
            html('<h2 class="sheet-title">This run</h2>')
            dataset = gr.Dropdown([], label="Learn from", elem_id="recipe-data-set", interactive=True)
            name = gr.Textbox(
                "", label="Name of the run", placeholder="Run 1, Run 2 ...", elem_id="run-name", max_lines=1
            )
            cost = html(elem_id="cost", raises=("advise",))
            with gr.Column(elem_id="start-bar"):
                notice = html(elem_id="recipe-notice", raises=("tickets",))
                verdict = html(elem_id="verdict")
                start = gr.Button("Start training", variant="primary", elem_id="start-training")
            press = gr.Textbox("", visible=False)
    return RecipeTab(
        tab,
        cards,
        models,
        other,
        use_other,
        elsewhere,
        fields,
        dataset,
        name,
        cost,
        verdict,
        notice,
        start,
        press,
        saved,
        save_name,
        save,
        forget,
        command,
    )
