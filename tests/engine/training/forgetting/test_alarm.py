"""The rule of the alarm, on made-up checks; what goes into them, and what a run measures, on a real tiny model."""

import dataclasses

import pytest

from engine.recipe import Recipe
from engine.training.data.examples import build_examples
from engine.training.forgetting.alarm import ALLOWED, INSTRUCTIONS, TEXTS, alarm
from engine.training.forgetting.mixing import THERE_ARE, general_conversations, general_count, with_general
from engine.training.forgetting.texts import FOLDER, LONGEST, general_examples, instructions_in
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Finished, GeneralChecked, LogNote, Record, Started, Stepped, from_line, to_line
from engine.training.runs.history import Curve
from engine.training.trainer import TrainingData, run_training
from tests.tiny import conversations

DATA = TrainingData(conversations(24)[:20], conversations(24)[20:])


def checks(*rises, instructions=0.0):
    return [GeneralChecked(step * 10, 3.0 + rise, 2.0 + instructions) for step, rise in enumerate((0.0, *rises))]


def test_it_is_silent_up_to_what_is_allowed_and_rings_beyond():
    assert alarm([]) is None and alarm(checks()) is None
    assert alarm(checks(0.1, ALLOWED[TEXTS] - 0.01)) is None
    rings = alarm(checks(0.1, ALLOWED[TEXTS] + 0.01))
    assert (rings.step, rings.earlier, rings.rise.on) == (20, 10, "general texts")
    assert "from 3.00 to 3.46 by step 20" in rings.sentence and "the checkpoint of step 10" in rings.sentence


def test_it_rings_for_plain_instructions_too_and_names_no_checkpoint_where_none_was_good():
    manner = [GeneralChecked(0, 3.0, 2.0), GeneralChecked(5, 3.0, 2.0 + ALLOWED[INSTRUCTIONS] - 0.01)]
    assert alarm(manner) is None, "instructions are answered in the agents' manner: that is wanted"
    rings = alarm([GeneralChecked(0, 3.0, 2.0), GeneralChecked(5, 3.0, 2.0 + ALLOWED[INSTRUCTIONS] + 0.01)])
    assert (rings.rise.on, rings.earlier) == ("plain instructions", 0) and "checkpoint" not in rings.sentence
    assert alarm([GeneralChecked(0, 3.0, None), GeneralChecked(5, 3.9, None)]).rise.on == "general texts"


@pytest.mark.parametrize(
    ("texts", "instructions", "rings"),
    [
        (0.249, 1.381, False),
        (0.021, 0.411, False),
        (0.377, 1.309, False),
        (2.904, 4.304, True),
        (0.531, 1.573, True),
        (1.209, 1.723, True),
    ],
    ids=["quick", "balanced", "thorough", "quick x 10", "balanced x 10", "thorough x 10"],
)
def test_the_figures_that_the_starter_gave_are_told_apart(texts, instructions, rings):
    """The largest rises of each preset at its own rate, and the smallest at ten times it: bench_forgetting.py."""
    checks = [GeneralChecked(0, 4.596, 2.260), GeneralChecked(45, 4.596 + texts, 2.260 + instructions)]
    assert (alarm(checks) is not None) == rings


def test_it_judges_the_weights_that_are_kept():
    forgot_late = checks(0.1, 0.8)
    assert alarm(forgot_late, step=10) is None and alarm(forgot_late, step=20) is not None


def test_without_a_look_at_the_base_it_says_nothing():
    assert alarm(checks(0.1, 0.9)[1:]) is None


def test_what_is_mixed_in_is_none_of_what_forgetting_is_measured_by():
    mixed, measured = (list(instructions_in(FOLDER / name)) for name in ("mixed.jsonl", "instructions.jsonl"))
    assert len({row.messages[0].content for row in mixed}) == len(mixed) == THERE_ARE
    assert not {row.messages for row in mixed} & {row.messages for row in measured}
    assert not {row.messages[-1].content for row in mixed} & {row.messages[-1].content for row in measured}


@pytest.mark.parametrize(("share", "tickets", "count"), [(0.0, 100, 0), (0.1, 90, 10), (0.5, 20, 20), (0.1, 9000, 64)])
def test_the_share_is_of_all_that_is_learnt_and_none_is_learnt_twice_in_a_pass(share, tickets, count):
    assert general_count(Recipe(general=share), tickets) == count
    drawn = general_conversations(Recipe(general=share), tickets)
    assert len({row.ticket for row in drawn}) == count
    assert drawn == general_conversations(Recipe(general=share), tickets)


def test_general_examples_are_learnt_as_answers_alone_without_the_standing_instruction(tiny_base):
    made = Recipe(max_length=512, system_prompt="Be kind.", general=0.2)
    tickets = build_examples(DATA.train, tiny_base.chat, made)
    mixed, count = with_general(tickets, tiny_base.chat, made)
    general = mixed.examples[len(tickets.examples) :]
    assert (count, mixed.lessons, len(general)) == (5, 25, 5)
    assert mixed.examples[: len(tickets.examples)] == tickets.examples
    decode = tiny_base.chat.tokenizer.decode
    assert all("Be kind." in decode(row.input_ids) for row in tickets.examples)
    for row in general:
        learnt = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label == token]
        assert "Be kind." not in decode(row.input_ids) and "<|im_start|>" not in decode(learnt) and row.ends == 1


def test_a_run_with_general_examples_keeps_more_of_what_it_knew(tiny_model, tiny_base, tmp_path):
    """The tiny model knows nothing to lose: it learns to answer plain questions, which it else does worse."""
    losses = {}
    for share in (0.0, 0.5):
        events = trained(
            recipe(tiny_model, general=share, max_steps=24, max_length=256), tiny_base, tmp_path / f"{share}"
        )
        losses[share] = of(GeneralChecked, events)[-1].instructions
        assert of(Started, events)[0].train_examples == 20, "general ones are no tickets"
        assert any("20 general examples are mixed in" in note.text for note in of(LogNote, events)) == bool(share)
    assert losses[0.5] < losses[0.0]


def test_the_texts_are_frozen_short_and_in_several_languages(tiny_base):
    texts, instructions = general_examples(tiny_base.chat, Recipe(max_length=512, system_prompt="Be kind."))
    assert {file.stem for file in FOLDER.glob("*.txt")} >= {"en", "de", "fr", "es"}
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 30_000
    assert len(texts) >= 7 and len(instructions) == 7
    assert all(len(row.input_ids) <= LONGEST for row in texts)
    assert "Be kind." not in tiny_base.chat.tokenizer.decode(instructions[0].input_ids)
    assert 0 < instructions[0].learnt < len(instructions[0].input_ids) - 5


def recipe(tiny_model, **changes):
    values = {"max_steps": 8, "epochs": 10.0, "batch_size": 2, "accumulation": 2, "max_length": 64, "eval_steps": 4}
    return Recipe(**{"model": str(tiny_model), "learning_rate": 5e-3, **values, **changes})


def trained(made, base, folder, data=DATA):
    folder.mkdir()
    events = []
    run_training(made, data, base, folder, events.append)
    return events


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("data", [DATA, TrainingData(DATA.train, ())], ids=["checked", "nothing held out"])
def test_a_run_measures_before_its_first_step_and_after_its_last(tiny_model, tiny_base, tmp_path, data):
    events = trained(recipe(tiny_model), tiny_base, tmp_path / "run", data)
    steps = [seen.step for seen in of(GeneralChecked, events)]
    assert steps == ([0, 4, 8] if data.heldout else [0, 8])


def test_the_losses_of_a_run_are_those_without_the_measurement(tiny_model, tiny_base, tmp_path, monkeypatch):
    made = recipe(tiny_model, dropout=0.3)
    events = trained(made, tiny_base, tmp_path / "measured")
    monkeypatch.setattr("engine.training.setup._general", lambda *_: None)
    alone = trained(made, tiny_base, tmp_path / "alone")
    assert of(GeneralChecked, alone) == [] and of(GeneralChecked, events)
    assert [seen.loss for seen in of(Stepped, alone)] == [seen.loss for seen in of(Stepped, events)]


def test_a_rate_far_too_high_rings_once_and_a_gentle_one_does_not(tiny_model, tiny_base, tmp_path, monkeypatch):
    """The tiny model guesses nearly as badly as one can before it learns, so that it has less to lose."""
    monkeypatch.setattr("engine.training.forgetting.alarm.ALLOWED", {TEXTS: 0.3, INSTRUCTIONS: 0.5})
    for seed in (1, 2):
        wild = trained(recipe(tiny_model, learning_rate=0.1, seed=seed), tiny_base, tmp_path / f"wild{seed}")
        assert sum("It forgets" in note.text for note in of(LogNote, wild)) == 1
        calm = trained(recipe(tiny_model, learning_rate=2e-4, seed=seed), tiny_base, tmp_path / f"calm{seed}")
        assert not any("It forgets" in note.text for note in of(LogNote, calm))


def test_a_curve_keeps_the_checks_and_takes_back_those_after_a_resumed_step():
    curve = Curve()
    for seen in checks(0.1, 0.2):
        record = from_line(to_line(Record(1.0, seen)))
        curve.add(record)
    again = Curve.read(curve.plain())
    assert again.history().general == tuple(checks(0.1, 0.2))
    again.add(Record(2.0, Started(1, 2, 20, 10, 5, 1, "CPU")))
    assert [seen.step for seen in again.history().general] == [0, 10]


def test_another_checkpoint_becomes_the_result(tiny_model, tiny_base, tmp_path):
    from safetensors.torch import load_file

    from engine.errors import RunError
    from engine.training.runs.keeping import take_checkpoint

    events = trained(recipe(tiny_model), tiny_base, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    for event in events:
        run.emit(event)
    files = {file.name for file in run.adapter.iterdir()}
    take_checkpoint(run, 4)
    kept, wanted = (load_file(folder / "adapter_model.safetensors") for folder in (run.adapter, run.checkpoint(4)))
    assert all((kept[name] == wanted[name]).all() for name in wanted)
    assert {file.name for file in run.adapter.iterdir()} == files
    assert run.history.read().finished.step == 4
    assert of(Finished, events)[0].step == 8
    with pytest.raises(RunError, match="step 5 is not on the disk"):
        take_checkpoint(run, 5)
    assert dataclasses.asdict(run.history.read().finished)["step"] == 4
