"""Handlers read values, make one call of the engine, and render."""

import html
import re
from dataclasses import replace

import pytest

from engine.chat.records import Answer, AnswerFrame
from engine.errors import StudioError
from engine.recipe import Recipe
from tests.ui.handlers import by_id, calls, until
from ui.state import page
from ui.task_registry import EXPORT

pytestmark = pytest.mark.ui


def test_start_makes_one_run_of_the_drafts_recipe_and_opens_training(wired, studio):
    draft = {"preset": "quick", "model": "starter", "values": {"rank": 8}}
    shown = wired.handler("recipe.tab.start")(draft, "set-1", "My run")
    assert calls(studio, "start_training") == [("start_training", page.recipe_of(draft), "set-1", "My run")]
    assert by_id(shown)["tabs"].selected == "training"


def test_start_passes_on_which_press_it_was(wired, studio):
    wired.handler("recipe.tab.start")(page.first_draft(), "set-1", "", "press 1")
    assert studio.presses == ["press 1"]


def test_a_run_whose_loss_broke_can_be_started_again_with_the_lower_rate(wired, studio):
    run = studio.add_run("Too fast", "failed")
    info = studio.run_infos[run]
    recipe = Recipe(learning_rate=3e-3, rank=8)
    studio.run_infos[run] = replace(info, recipe=recipe, status=replace(info.status, lower_rate=6e-4))
    shown = wired.handler("training.tab.again")(run)
    assert by_id(shown)["tabs"].selected == "recipe"
    drafts = [value for value in shown.values() if isinstance(value, dict) and "preset" in value]
    assert [page.recipe_of(draft) for draft in drafts] == [replace(recipe, learning_rate=6e-4)]
    assert "set-1" in shown.values()


def test_start_without_a_data_set_says_what_to_do(wired, studio):
    with pytest.raises(StudioError, match="Prepare your tickets first"):
        wired.handler("recipe.tab.start")(page.first_draft(), "", "")
    assert not calls(studio, "start_training")


def typed(wired, raised, draft, **values):
    """Write into fields and leave each; what the last one answers."""
    for name, text in values.items():
        event = raised(name=name, value=text)
        shown = wired.handler("recipe.tab.left")(event, draft, "set-1", {})
        draft = next(value for value in shown.values() if isinstance(value, dict) and "preset" in value)
    return by_id(shown), draft


def test_a_wrong_value_is_marked_at_its_field_and_start_is_off(wired, raised):
    shown, _ = typed(wired, raised, page.first_draft(), dropout="3", rank="many")
    assert "wrong" in shown["field-dropout"]["elem_classes"]
    assert shown["field-dropout"]["info"] == "3 is outside 0 to 0.9."
    assert "'many' is not a whole number. Write a whole number from 1 to 512." in shown["field-rank"]["info"]
    assert shown["start-training"].interactive is False


def test_a_wrong_value_leaves_the_others_in_the_estimate(wired, raised):
    few, _ = typed(wired, raised, page.first_draft(), max_steps="7")
    wrong, _ = typed(wired, raised, page.first_draft(), max_steps="7", rank="many")
    assert few["cost"] == wrong["cost"]


def test_a_comma_is_taken_and_written_as_a_point(wired, raised):
    shown, draft = typed(wired, raised, page.first_draft(), learning_rate="0,0003")
    assert shown["field-learning_rate"]["value"] == "0.0003"
    assert page.recipe_of(draft).learning_rate == 3e-4
    assert shown["start-training"].interactive is True


def test_leaving_a_field_sets_no_other(wired, raised):
    shown, _ = typed(wired, raised, page.first_draft(), rank="8")
    fields = {name: value for name, value in shown.items() if name.startswith("field-")}
    assert fields
    assert not any("value" in update for update in fields.values())


def test_a_choice_and_a_box_to_tick_count_at_once(wired):
    shown = wired.handler("recipe.tab.chosen")
    cells = dict(zip(shown.__code__.co_freevars, shown.__closure__, strict=True))
    assert cells["name"].cell_contents == "quant_type"
    draft = next(
        value
        for value in shown(page.first_draft(), "set-1", {}, "fp4").values()
        if isinstance(value, dict) and "preset" in value
    )
    assert draft["values"] == {"quant_type": "fp4"}


def test_a_model_that_is_none_is_said_at_its_field_and_not_taken(wired, studio):
    shown = wired.handler("recipe.tab.pick_other")("nonsense model", page.first_draft(), "set-1")
    assert [component.elem_id for component in shown] == ["other-model"]
    assert "There is no model folder 'nonsense model'. Write an id." in by_id(shown)["other-model"]["info"]
    assert "wrong" in by_id(shown)["other-model"]["elem_classes"]
    taken = by_id(wired.handler("recipe.tab.pick_other")(" Qwen/Qwen3-4B ", page.first_draft(), "set-1"))
    assert taken["other-model"]["value"] == ""
    assert "wrong" not in taken["other-model"]["elem_classes"]


def test_a_preset_sets_every_input(wired, raised):
    shown = by_id(wired.handler("recipe.tab.pick_preset")(raised(name="thorough"), page.first_draft(), "set-1", {}))
    assert shown["field-rank"]["value"] == "64"
    assert shown["field-epochs"]["value"] == "5"


def test_a_saved_recipe_comes_back_with_its_changes_marked(wired, studio):
    wired.handler("recipe.tab.save")("Mine", {"preset": "quick", "model": "starter", "values": {"rank": 8}})
    assert studio.recipes.saved()["Mine"].rank == 8
    shown = by_id(wired.handler("recipe.tab.load")("Mine", page.first_draft(), "set-1", {}))
    assert shown["field-rank"]["value"] == "8"
    assert "changed" in shown["field-rank"]["elem_classes"]


def test_nothing_is_drawn_before_the_browser_has_said_what_it_remembers(wired):
    assert wired.handler("tickets.tab.show")(None, page.first_look(), page.first_draft()) == {}
    assert wired.handler("training.tab.show")(None, []) == {}


@pytest.mark.parametrize("action", ["pause", "stop", "resume"])
def test_the_buttons_of_a_run_make_one_call(wired, studio, action):
    run = studio.runs.start(Recipe(), "set-1")
    [named] = [known for known in wired.functions() if known.api_name == action]
    named.fn.__wrapped__(run, [])
    assert calls(studio, action) == [(action, run)]


def test_a_deletion_can_be_undone(wired, studio, raised):
    studio.add_run("Run 1")
    shown = by_id(
        wired.handler("shell.sidebar.delete")(raised(kind="run", id="run-1"), "set-1", "run-1", ["run:run-1"])
    )
    assert studio.runs.all() == []
    assert "‘Run 1’ was deleted" in shown["undo"]
    deleted = next(
        value
        for component, value in wired.handler("shell.sidebar.delete")(
            raised(kind="dataset", id="set-1"), "set-1", "", []
        ).items()
        if type(value).__name__ == "Deleted"
    )
    assert studio.tickets.all() == []
    wired.handler("shell.sidebar.undo")(deleted, "", "", [])
    assert [seen.id for seen in studio.tickets.all()] == ["set-1"]


def test_everything_in_the_sidebar_can_be_renamed(wired, studio, raised, tmp_path):
    studio.add_run("Run 1")
    voice = studio.adapters.bring_in(tmp_path / "a.zip", "Old")
    for kind, identifier in (("dataset", "set-1"), ("run", "run-1"), ("adapter", voice)):
        wired.handler("shell.sidebar.rename")(raised(kind=kind, id=identifier, name=f"New {kind}"), "", "", [])
    assert studio.tickets.all()[0].name == "New dataset"
    assert studio.runs.all()[0].status.name == "New run"
    assert studio.playground.voice(voice).label == "New adapter"


def test_an_answer_streams_into_its_panes_and_stays(wired, studio):
    studio.add_run("Run 1")
    ask = wired.handler("playground.tab.ask")
    frames = [by_id(frame) for frame in ask("Where is it?", "me", ["run:run-1"], "set-1", "Be kind.", 0.0, 0.9, 64, 0)]
    [(_, voices, conversations, sampling, session, dataset, *_)] = calls(studio, "ask")
    assert voices == ("base", "run:run-1")
    assert conversations[0][0] == {"role": "system", "content": "Be kind."}
    assert (sampling.temperature, sampling.max_new_tokens, sampling.seed) == (0.0, 64, 0)
    assert (session, dataset) == ("me", "set-1")
    assert frames[0]["question"] == ""
    assert "speaking" in frames[0]["board"]
    assert "speaking" not in frames[-1]["board"]
    assert "I am not sure where it is." in frames[-1]["board"]
    assert "<img" not in frames[-1]["board"]
    assert "I am not sure" in by_id(wired.handler("playground.tab.show")("me", ["run:run-1"]))["board"]


def test_every_stage_is_shown_however_soon_it_follows(wired, studio, monkeypatch):
    """The second may last for a minute."""
    stages = ("Waiting for the answer under way", "Loading the model")
    silent = (Answer("base", "", 0, 0.0, False, None),)
    monkeypatch.setattr(studio.playground, "ask", lambda *_, **__: (AnswerFrame(stage, silent) for stage in stages))
    ask = wired.handler("playground.tab.ask")
    boards = [by_id(frame)["board"] for frame in ask("Where?", "me", [], "", "", 0.0, 0.9, 64, 0)]
    assert all(any(stage in board for board in boards) for stage in stages)


def test_a_page_that_is_closed_ends_its_answer_and_leaves_the_conversation_in_order(wired, studio, monkeypatch):
    """Gradio closes the handler's generator then; the engine's has to be closed with it, since it holds the base."""
    closed = []

    def endless(*_, **__):
        try:
            while True:
                yield AnswerFrame("Writing", (Answer("base", "So", 1, 0.1, False, None),))
        finally:
            closed.append(True)

    monkeypatch.setattr(studio.playground, "ask", endless)
    frames = wired.handler("playground.tab.ask")("Where?", "me", [], "", "", 0.0, 0.9, 64, 0)
    next(frames)
    assert "So" in by_id(next(frames))["board"]
    frames.close()
    assert closed
    shown = by_id(wired.handler("playground.tab.show")("me", []))
    assert "speaking" not in shown["board"]
    assert shown["send"].visible is True


def test_a_failed_answer_gives_the_question_back_and_says_why(wired, studio, monkeypatch):
    def fails(*_, **__):
        raise StudioError("Memory ran out.", "Choose a shorter answer.")
        yield

    monkeypatch.setattr(studio.playground, "ask", fails)
    *_, last = (
        by_id(frame) for frame in wired.handler("playground.tab.ask")("Where?", "me", [], "", "", 0.0, 0.9, 64, 0)
    )
    assert last["question"] == "Where?"
    assert "Memory ran out." in last["playground-notice"]
    assert last["send"].visible is True


def test_a_held_out_ticket_fills_in_its_question_and_shows_the_real_answer(wired, studio):
    shown = by_id(wired.handler("playground.tab.pick_ticket")("me", [], "set-1", 0))
    assert shown["question"] == "And what does it cost?"
    assert "Postage is 4 pounds 20" in shown["board"]


def test_download_packs_once_and_hands_the_file_over(wired, studio):
    studio.add_run("Run 1")
    wired.handler("export.tab.pack")("run-1", True)
    tasks = wired.context.tasks
    until(lambda: tasks.seen(EXPORT) if tasks.seen(EXPORT).state == "done" else None)
    [tick] = [
        known
        for known in wired.functions()
        if known.name == "watch" and "ui.export.tab" in known.fn.__wrapped__.__module__
    ]
    shown = by_id(tick.fn.__wrapped__("run-1"))
    assert shown["download-file"].endswith("run-1-adapter.zip")
    [(_, run, _, with_tickets)] = calls(studio, "export_adapter")
    assert (run, with_tickets) == ("run-1", True)


def test_the_standing_instruction_of_a_run_is_filled_in_where_the_person_wrote_none(wired):
    instruct = wired.handler("playground.tab.instruct")
    assert by_id(instruct(["run:run-1"], ""))["system-prompt"] == "Answer in two sentences."
    assert by_id(instruct(["run:run-1"], "Be kind.")) == {}
    assert by_id(instruct([], "")) == {}


def test_the_memory_and_the_other_cards_follow_what_is_typed(wired, raised):
    before, _ = typed(wired, raised, page.first_draft(), rank="16")
    after, _ = typed(wired, raised, page.first_draft(), rank="256")
    assert before["cost"] != after["cost"]
    assert before["card-fits"] != after["card-fits"]
    assert "GeForce RTX 4060" in after["card-fits"]


def test_the_button_of_an_advice_does_what_it_says(wired, raised):
    draft = {"preset": "quick", "model": "Qwen/Qwen3-32B", "values": {"rank": 8}}
    shown = wired.handler("recipe.tab.show")(draft, "set-1", {})
    told = re.search(r'data-do="advise" data-changes="([^"]+)"', by_id(shown)["cost"])[1]
    answer = wired.handler("recipe.tab.advise")(raised(changes=html.unescape(told)), draft, "set-1", {})
    changed = next(value for value in answer.values() if isinstance(value, dict) and "preset" in value)
    assert page.recipe_of(changed) != page.recipe_of(draft)
    assert changed["values"].get("rank") == 8
    assert "does not fit" not in by_id(answer)["verdict"]
    assert wired.handler("recipe.tab.advise")(raised(changes="[1]"), draft, "set-1", {})


def test_every_card_names_its_own_preset_in_the_command(wired, raised):
    for preset in ("quick", "balanced", "thorough"):
        shown = by_id(wired.handler("recipe.tab.pick_preset")(raised(name=preset), page.first_draft(), "set-1", {}))
        assert f"--preset {preset}" in shown["command"]


def test_gpus_are_offered_where_the_computer_has_several(wired, studio):
    shown = by_id(wired.handler("recipe.tab.show")(page.first_draft(), "set-1", {}))
    assert not shown["box-gpus"]["visible"]
    studio.gpu_count = 4
    shown = by_id(wired.handler("recipe.tab.show")(page.first_draft(), "set-1", {}))
    assert shown["box-gpus"]["visible"]
    assert shown["box-spread"]["visible"]
    offered = [label for label, _ in shown["field-gpus"]["choices"]]
    assert offered == ["1 GPU", "2 GPUs", "3 GPUs", "4 GPUs", "all of them"]
    assert shown["field-gpus"]["value"] == 1


def test_letting_the_tickets_of_one_run_travel_says_nothing_of_another_ones(wired, studio):
    studio.add_run("Run 1")
    studio.add_run("Run 2")
    shown = by_id(wired.handler("export.tab.choose")("run-2"))["export-tickets"]
    assert shown["value"] is False and shown["label"] == "Put its 54 tickets in too (up to 40 KB)"
    assert "value" not in by_id(wired.handler("export.tab.show")("run-2", ""))["export-tickets"]
