"""Answers with look-up: what stands before the question, what is shown of it, and where it gives way."""

import json
import shutil

import pytest

from engine.chat.playground import Sampling, answer
from engine.chat.records import NEAREST, Voice
from engine.errors import StudioError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.tickets.dataset.files import LOOKUP as INDEX
from engine.training.runs.directory import RunDirectory
from engine.workspace import Workspace

GREEDY = Sampling(temperature=0.0, max_new_tokens=8)
TALKS = (
    ("the kettle drips", "descale the kettle"),
    ("which bulb fits the lamp", "a small bulb fits"),
    ("may the carpet go back", "the carpet may go back"),
    ("when does the shop open", "the shop opens at nine"),
    ("the drawer of the desk is stuck", "lift the drawer"),
    ("my voucher fails", "a voucher ends in may"),
    ("the kettle has a lid that rattles", "press the lid"),
    ("the kettle smells of smoke", "rinse it twice"),
)
QUESTION = [{"role": "user", "content": "my kettle drips"}]


def row(number, asked, told):
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
    return {"ticket": str(number), "messages": said, "key": f"{number + 1:016x}"}


def data_in(folder, talks=TALKS, heldout=()):
    folder.mkdir(parents=True)
    for name, rows in (("train", talks), ("heldout", heldout)):
        first = 100 if name == "heldout" else 1
        lines = [json.dumps(row(number, *talk)) + "\n" for number, talk in enumerate(rows, first)]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    return folder


@pytest.fixture
def studio(tmp_path, tiny_base):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def voice(studio, tmp_path, tiny_model, friendly):
    """Make a run of the tiny model with an adapter; return the id of its voice."""

    def making(name="run", talks=TALKS, heldout=(), **changes):
        data = data_in(tmp_path / f"data of {name}", talks, heldout)
        run = RunDirectory.create(studio.workspace, Recipe(model=str(tiny_model), **changes), data, name)
        shutil.copytree(friendly, run.adapter)
        run.update(state="preparing")
        run.update(state="running")
        run.update(state="finished")
        return f"run:{run.id}"

    return making


def last(studio, *voices, conversation=QUESTION, **more):
    *_, frame = studio.playground.ask(voices, [conversation] * len(voices), GREEDY, **more)
    return {said.voice: said for said in frame.answers}


def alone(tiny_base, path, turns):
    *_, frame = answer(tiny_base, [Voice("a", "a", "tiny", path)], [turns], GREEDY)
    return frame.answers[0].text


def turns_of(found):
    return [turn for ticket in reversed(found.tickets) for turn in ticket.turns]


def test_a_voice_with_look_up_answers_as_if_the_tickets_had_been_said_before(studio, voice, tiny_base, friendly):
    tuned = voice()
    said = last(studio, "base", "base+lookup", tuned, f"{tuned}+lookup")
    found = said["base+lookup"].lookup
    assert found.tickets[0].ticket == "1" and found.used == len(found.tickets) == 3
    assert said["base+lookup"].text == alone(tiny_base, None, [*turns_of(found), *QUESTION])
    assert said[f"{tuned}+lookup"].text == alone(tiny_base, friendly, [*turns_of(found), *QUESTION])
    assert said[f"{tuned}+lookup"].lookup == found


def test_voices_without_look_up_answer_as_they_would_alone(studio, voice, tiny_base, friendly):
    tuned = voice()
    said = last(studio, "base", tuned, f"{tuned}+lookup", NEAREST)
    assert [said["base"].text, said[tuned].text] == [alone(tiny_base, path, QUESTION) for path in (None, friendly)]
    assert said["base"].lookup is said[tuned].lookup is None


def test_a_standing_instruction_stays_first(studio, voice, tiny_base):
    voice_id, kind = voice(), {"role": "system", "content": "be kind"}
    said = last(studio, voice_id, "base+lookup", conversation=[kind, *QUESTION])["base+lookup"]
    assert said.text == alone(tiny_base, None, [kind, *turns_of(said.lookup), *QUESTION])


def test_the_nearest_answer_is_pasted_and_needs_no_model(studio, voice):
    voice()
    tuned = studio.playground.voices()[1].id
    said = last(studio, "base", tuned, NEAREST)[NEAREST]
    assert (said.text, said.tokens, said.done, said.stopped_by) == ("descale the kettle", 0, True, "end")
    assert said.lookup.tickets[0].ticket == "1" and said.lookup.used == 1


def test_a_held_out_ticket_finds_neither_itself_nor_its_like(studio, voice):
    words = ("the copper kettle of my aunt drips on sundays", "solder the spout of the kettle")
    tuned = voice(talks=(*TALKS, words), heldout=[words])
    asked = [{"role": "user", "content": words[0]}]
    free = last(studio, tuned, "base+lookup", conversation=asked)["base+lookup"].lookup
    held = last(studio, tuned, "base+lookup", conversation=asked, ticket="100")["base+lookup"].lookup
    assert free.tickets[0].ticket == str(len(TALKS) + 1)
    assert held.tickets and free.tickets[0].ticket not in [near.ticket for near in held.tickets]


def test_where_nothing_is_near_enough_it_answers_without(studio, voice, tiny_base):
    tuned = voice()
    asked = [{"role": "user", "content": "a zebra walks through ulm"}]
    said = last(studio, tuned, "base+lookup", NEAREST, conversation=asked)
    found = said["base+lookup"].lookup
    assert found.tickets == () and found.best < found.threshold
    assert said["base+lookup"].text == alone(tiny_base, None, asked)
    assert said[NEAREST].text == "" and said[NEAREST].done


def test_an_adapter_that_was_trained_with_look_up_is_always_asked_so(studio, voice, tiny_base, friendly):
    tuned = voice(lookup=True)
    said = last(studio, tuned)[tuned]
    assert said.lookup.used == 3
    assert said.text == alone(tiny_base, friendly, [*turns_of(said.lookup), *QUESTION])
    assert studio.playground.voice(tuned).looking.id == tuned


def test_looked_up_tickets_are_shortened_and_left_off_before_the_context_is_full(studio, voice):
    talks = [(f"the kettle number {n} drips " + "so much " * 40, "descale the kettle " * 30) for n in range(3)]
    found = last(studio, voice(talks=(*TALKS, *talks)), "base+lookup")["base+lookup"].lookup
    assert found.used < len(found.tickets) == 3
    asked = [{"role": "user", "content": "do you have it with me and " * 22 + "my kettle drips"}]
    full = last(studio, voice("full", talks=talks), "base+lookup", conversation=asked)["base+lookup"]
    assert full.text and full.lookup.tickets and full.lookup.used == 0


def test_a_run_from_before_gets_its_index_on_first_use(studio, voice):
    tuned = voice()
    file = studio.runs.get(studio.playground.voice(tuned).run).data / INDEX
    assert not file.exists()
    stages = [frame.stage for frame in studio.playground.ask([tuned, NEAREST], [QUESTION] * 2, GREEDY)]
    assert file.exists() and stages[0].startswith("Making the look-up")
    again = [frame.stage for frame in studio.playground.ask([tuned, NEAREST], [QUESTION] * 2, GREEDY)]
    assert not any("the look-up" in stage for stage in again)
    after_a_restart = Studio(studio.workspace)
    try:
        stages = [frame.stage for frame in after_a_restart.playground.ask([tuned, NEAREST], [QUESTION] * 2, GREEDY)]
    finally:
        after_a_restart.close()
    assert [stage for stage in stages if "the look-up" in stage] == ["Opening the look-up"]


def test_without_any_tickets_look_up_is_refused_in_words(studio):
    with pytest.raises(StudioError, match="There are no tickets to look up"):
        last(studio, "base+lookup")


def test_whoever_asks_for_the_nearest_answer_alone_gets_it_from_the_data_set(studio):
    shop = studio.tickets.prepare_sample().wait(60)
    asked = [{"role": "user", "content": "I forgot my password"}]
    said = last(studio, NEAREST, conversation=asked, dataset=shop)[NEAREST]
    assert "There is no password here" in said.text and studio.bases.title == ""
