"""What the tab Training says of what a run has forgotten, and what its remedies do."""

from dataclasses import replace

import gradio as gr
import pytest

from engine.recipe import Recipe
from engine.training.runs.events import Finished, GeneralChecked
from tests.ui.handlers import by_id
from ui.training.forgetting import forgetting, remedied

FORGOT = (GeneralChecked(0, 3.0, 2.0), GeneralChecked(10, 3.1, 2.0), GeneralChecked(20, 3.9, 2.0))


def measured(studio, *checks, checkpoints=(10, 20)):
    run = studio.add_run("Run 1")
    info = studio.run_infos[run]
    history = replace(info.history, general=checks, checkpoints=checkpoints, finished=Finished(20, 5.0))
    studio.run_infos[run] = replace(info, history=history)
    return studio.run_infos[run]


def test_before_anything_was_measured_it_says_nothing(studio):
    assert forgetting(measured(studio)) == "" == forgetting(measured(studio, FORGOT[0]))


def test_where_nothing_is_forgotten_it_says_so_quietly(studio):
    shown = forgetting(measured(studio, FORGOT[0], GeneralChecked(20, 3.01, 1.9)))
    assert "forgotten nothing" in shown and "<button" not in shown


def test_the_alarm_has_the_figures_and_its_remedies(studio):
    shown = forgetting(measured(studio, *FORGOT))
    assert 'role="alert"' in shown and "from 3.00 to 3.90 by step 20" in shown
    assert "Take the checkpoint of step 10" in shown and "learning rate 0.00004" in shown and "half the passes" in shown
    assert "with 10% general examples mixed in" in shown


def test_little_that_is_forgotten_is_told_with_what_is_allowed(studio):
    shown = forgetting(measured(studio, FORGOT[0], GeneralChecked(20, 3.14, 3.3)))
    assert "+1.30 on plain instructions (1.6 are allowed), +0.14 on general texts (0.45 are allowed)" in shown
    assert "<button" not in shown


def test_a_checkpoint_that_is_not_there_is_not_offered(studio):
    assert "Take the checkpoint" not in forgetting(measured(studio, *FORGOT, checkpoints=(20,)))


@pytest.mark.parametrize(("what", "field"), [("rate", "learning_rate"), ("epochs", "epochs"), ("mix", "general")])
def test_a_remedy_changes_one_thing(what, field):
    before = Recipe()
    after = remedied(before, what)
    assert (getattr(after, field) < getattr(before, field)) == (what != "mix")
    assert replace(after, **{field: getattr(before, field)}) == before


def test_an_earlier_checkpoint_is_taken_by_a_click(wired, studio):
    run = measured(studio, *FORGOT).id
    wired.handler("training.tab.remedy")(gr.EventData(None, {"what": "checkpoint"}), run, [])
    assert ("take_checkpoint", run, 10) in studio.calls


def test_a_new_start_opens_the_recipe_with_what_helps(wired, studio):
    run = measured(studio, *FORGOT).id
    shown = wired.handler("training.tab.remedy")(gr.EventData(None, {"what": "rate"}), run, [])
    assert by_id(shown)["tabs"].selected == "recipe"
