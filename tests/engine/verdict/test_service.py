"""A whole judgement by real tiny models: five voices, kept as it goes, cancelled and gone on with."""

import errno
import json
import os
import random
import re
import shutil

import pytest

from engine.chat.passing_on import PASS_ON
from engine.chat.records import NEAREST, Sampling
from engine.errors import ResourceError, StudioError
from engine.recipe import Recipe
from engine.tickets.preparing.report import Report
from engine.verdict import paper as papers
from engine.verdict.records import MEASURES, Verdict
from engine.verdict.repeated import Repeated
from engine.verdict.transcript import FILE, FOLDER, Transcript
from engine.workspace import disk_errors
from tests.engine.chat.test_lookup import TALKS
from tests.engine.test_two_bases import DEADLINE
from tests.engine.verdict.conftest import write_shop

HELD = [(f"{asked} today", told) for asked, told in TALKS]


@pytest.fixture(autouse=True)
def short_answers(monkeypatch):
    monkeypatch.setattr(papers, "SHORTEST", 12)
    monkeypatch.setattr(papers, "LONGEST", 12)


def test_five_voices_are_measured_on_every_held_out_ticket(studio, finished):
    run = finished(TALKS, HELD)
    found = studio.verdict.judge(run).wait(DEADLINE)
    ids = [voice.id for voice in found.voices]
    assert ids == ["base", "base+lookup", NEAREST, f"run:{run}", f"run:{run}+lookup"]
    assert len(found.tickets) == found.heldout == len(HELD)
    for ticket in found.tickets:
        assert 0 <= ticket.coverage <= 1
        for voice in ids:
            expected = {"chrf", "rouge_l", "length", "ends", "broken"} | ({"loss"} if voice != NEAREST else set())
            assert expected <= ticket.scores[voice].keys() <= MEASURES.keys()
    assert found.weights and found.longest == 12


def test_a_question_like_none_that_was_learnt_is_passed_to_a_person_and_a_usual_one_is_answered(studio, finished):
    run = finished(TALKS, HELD)
    turns = [{"role": "user", "content": "Do you hire quantum plumbers?"}]
    ask = studio.playground.ask
    voices = [f"run:{run}", "base"]
    [*_, last] = ask(voices, [turns] * 2, Sampling(max_new_tokens=4), least=0.5)
    assert [answer.voice for answer in last.answers] == voices
    assert all(each.done and each.text == PASS_ON and "Of 100 questions" in each.note for each in last.answers)
    [*_, last] = ask(voices, [turns] * 2, Sampling(max_new_tokens=4), least=0.0)
    assert all(each.done and each.text != PASS_ON for each in last.answers)
    drafted = list(studio.endpoint.draft("Do you hire quantum plumbers?", f"run:{run}", False, least=0.5))
    assert drafted[-1].done and drafted[-1].text == PASS_ON


def test_the_verdict_is_in_the_runs_folder_and_says_the_same_when_it_is_read_again(studio, finished):
    run = finished(TALKS, HELD)
    found = studio.verdict.judge(run).wait(DEADLINE)
    assert studio.verdict.verdict(run) == Verdict.of_json(
        json.loads((studio.runs.get(run).path / "verdict.json").read_text())
    )
    assert studio.verdict.verdict(run) == found


def test_the_verdict_holds_no_word_of_a_ticket_and_the_answers_are_beside_it(studio, finished):
    run = finished(TALKS, HELD)
    studio.verdict.judge(run).wait(DEADLINE)
    written = (studio.runs.get(run).path / "verdict.json").read_text()
    assert not any(asked in written or told in written for asked, told in HELD)
    ticket, answers = studio.verdict.answers(run)["1001"]
    assert ticket.answer == HELD[0][1]
    assert answers[NEAREST].text == TALKS[0][1]
    assert answers[NEAREST].near == ("1",)


def test_a_verdict_on_other_weights_than_the_runs_is_out_of_date_and_a_copied_file_is_not(studio, finished):
    run = finished(TALKS, HELD[:2])
    studio.verdict.judge(run).wait(DEADLINE)
    weights = studio.runs.get(run).adapter / "adapter_model.safetensors"
    later = studio.verdict.verdict(run).made + 60
    os.utime(weights, (later, later))
    assert not studio.verdict.is_outdated(run)
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    os.utime(weights, (later, later))
    assert studio.verdict.is_outdated(run)


def test_a_run_that_was_not_judged_has_no_verdict(studio, finished):
    run = finished(TALKS, HELD)
    assert studio.verdict.verdict(run) is None
    assert studio.verdict.answers(run) == {}
    (studio.runs.get(run).path / "verdict.json").write_text('{"version": 1}')
    assert studio.verdict.verdict(run) is None


def test_without_held_out_tickets_it_says_so_at_once(studio, finished):
    with pytest.raises(StudioError, match="held out"):
        studio.verdict.judge(finished(TALKS, []))


def test_a_voice_loses_on_an_answer_what_the_trainer_says_that_it_loses(studio, finished, tiny_model):
    """The base's mean over tokens is the loss that a run of the same data measures before its first step."""
    run = finished(TALKS, HELD)
    studio.verdict.judge(run).wait(DEADLINE)
    kept = Transcript.last(studio.runs.get(run).path)
    recipe = Recipe(model=str(tiny_model), max_steps=1, batch_size=1, accumulation=1, max_length=128)
    trained = studio.runs.make_at(studio.workspace.root / "beside", recipe, studio.runs.get(run).data)
    studio.runs.resume(trained)
    assert studio.runs.wait(trained, DEADLINE)
    measured = studio.runs.get(trained).history.read().before.loss
    sizes = {n: answer_tokens(studio, HELD[n][1], tiny_model) for n in range(len(HELD))}
    mean = sum(kept.losses[n]["base"] * sizes[n] for n in sizes) / sum(sizes.values())
    assert mean == pytest.approx(measured, abs=0.02)


def answer_tokens(studio, told, tiny_model):
    """Tokens that are learnt of an answer: its words and the mark of its end."""
    from engine.model.chat_format import load_chat_format

    chat = load_chat_format(str(tiny_model), studio.workspace.cache)
    return len(chat.encode(told)) + 1


def test_what_is_answered_when_it_is_cancelled_is_not_asked_again(studio, finished):
    heldout = [(f"{asked} {n}", told) for n in range(12) for asked, told in TALKS]
    run = finished(TALKS, heldout)
    file = studio.runs.get(run).path / FOLDER / FILE
    task = studio.verdict.judge(run)
    left = DEADLINE
    while left > 0 and not (file.exists() and b'"answers"' in file.read_bytes()):
        assert not task.ended(0.02), task.snapshot().error
        left -= 0.02
    task.cancel()
    assert task.ended(DEADLINE)
    assert task.snapshot().state == "cancelled"
    before = Transcript.last(studio.runs.get(run).path).answers
    assert 0 < len(before) < len(heldout)
    asked = []
    ask_many = studio.playground.ask_many

    def counting(voices, questions, *args, **named):
        asked.extend(questions)
        return ask_many(voices, questions, *args, **named)

    studio.playground.ask_many = counting
    found = studio.verdict.judge(run).wait(DEADLINE)
    assert len(asked) == len(heldout) - len(before)
    after = Transcript.last(studio.runs.get(run).path).answers
    assert {n: after[n] for n in before} == before
    assert len(found.tickets) == len(heldout)


def test_a_line_that_was_cut_off_and_answers_of_another_adapter_are_not_taken_for_answers(tmp_path):
    kept = Transcript.opened(tmp_path, {"weights": "a"})
    kept.add_losses(0, {"base": 1.0})
    with kept.file.open("ab") as stream:
        stream.write(b'{"number": 1, "los')
    again = Transcript.opened(tmp_path, {"weights": "a"})
    again.add_losses(2, {"base": 3.0})
    assert Transcript.opened(tmp_path, {"weights": "a"}).losses == {0: {"base": 1.0}, 2: {"base": 3.0}}
    assert Transcript.opened(tmp_path, {"weights": "b"}).losses == {}


def test_of_many_held_out_tickets_some_are_judged_from_all_over(studio, finished):
    heldout = [(f"{asked} {n}", told) for n in range(3) for asked, told in TALKS]
    found = studio.verdict.judge(finished(TALKS, heldout), most=6).wait(DEADLINE)
    assert [ticket.ticket for ticket in found.tickets] == ["1001", "1005", "1009", "1013", "1017", "1021"]
    assert found.heldout == 24


def test_a_run_outside_the_workspace_is_judged_too(studio, finished, tmp_path):
    run = finished(TALKS, HELD[:3])
    away = shutil.copytree(studio.runs.get(run).path, tmp_path / "elsewhere")
    found = studio.verdict.judge(studio.runs.open_at(away)).wait(DEADLINE)
    assert (away / "verdict.json").exists()
    assert len(found.tickets) == 3


def test_a_run_that_was_trained_with_lookup_is_never_asked_without(studio, finished):
    run = finished(TALKS, HELD[:2], lookup=True)
    found = studio.verdict.judge(run).wait(DEADLINE)
    assert [voice.id for voice in found.voices] == ["base", "base+lookup", NEAREST, f"run:{run}"]
    assert "loss" in found.figures[f"run:{run}"]


@pytest.mark.parametrize("heldout", [[], [("Where is it?", "  ")]])
def test_where_nothing_is_held_out_or_no_answer_is_there_to_compare_with_it_says_so(studio, finished, heldout):
    with pytest.raises(StudioError) as told:
        studio.verdict.judge(finished(TALKS, heldout))
    assert told.value.remedy


def test_one_held_out_ticket_decides_nothing(studio, finished):
    found = studio.verdict.judge(finished(TALKS, HELD[:1])).wait(DEADLINE)
    assert (found.kind, found.sentence) == ("no difference", "No difference can be seen with 1 ticket.")
    assert "nothing can be said beyond them" in found.more[0]


def test_tickets_in_german_and_japanese_are_judged(studio, finished):
    german, japanese = (
        "Ihr Paket ist unterwegs und kommt morgen bei Ihnen an.",
        "お荷物は明日お届けします。ご迷惑をおかけして申し訳ございません。",
    )
    learnt = [("Wo ist mein Paket geblieben?", german), ("荷物はどこですか。", japanese)]
    heldout = [
        ("Mein Paket ist seit einer Woche nicht da!", german),
        ("一週間待っていますが荷物が来ません。", japanese),
    ]
    found = studio.verdict.judge(finished([*TALKS, *learnt], heldout)).wait(DEADLINE)
    for ticket in found.tickets:
        assert ticket.scores[NEAREST]["language"] == 1 and ticket.scores[NEAREST]["rouge_l"] == 100


def test_a_full_disk_ends_a_judgement_in_words_and_what_was_answered_stays(studio, finished, monkeypatch):
    run = finished(TALKS, HELD)
    add, left = Transcript.add_answers, [2]

    def fills(self, number, answers):
        if not left[0]:
            with disk_errors(self.file):
                raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        add(self, number, answers)

    monkeypatch.setattr(Transcript, "add_answers", fills)
    with pytest.raises(ResourceError, match="is full"):
        studio.verdict.judge(run).wait(DEADLINE)
    assert not studio.playground._answers, "the base is still lent, and closing the program waits for it"
    monkeypatch.setattr(Transcript, "add_answers", add)
    assert len(Transcript.last(studio.runs.get(run).path).answers) == 2
    assert len(studio.verdict.judge(run).wait(DEADLINE).tickets) == len(HELD)


# ---- shops of which it is known what is right


ITEMS = ("kettle", "lamp", "carpet", "voucher", "drawer", "curtain", "bulb", "sofa", "mirror", "candle", "shelf")
PLAIN = ("today", "again", "please", "maybe", "yesterday", "hello", "now", "still", "always", "often", "never", "soon")


def asking(dice, item):
    """A question about an item, in words of its own."""
    return " ".join(dice.sample([*dice.sample(PLAIN, 6), item, item], 8))


def own_words(dice):
    """Words that nobody else uses."""
    return " ".join("".join(dice.choices("bcdfghjklmnp", k=7)) for _ in range(4))


def test_where_answers_repeat_word_for_word_retrieval_wins(studio, finished):
    dice = random.Random(5)
    answers = {item: " ".join(dice.sample(PLAIN, 5)) + f" {item}" for item in ITEMS}
    learnt = [(asking(dice, item), answers[item]) for item in ITEMS for _ in range(4)]
    heldout = [(asking(dice, item), answers[item]) for item in ITEMS]
    found = studio.verdict.judge(finished(learnt, heldout)).wait(DEADLINE)
    assert found.headline.alternative == NEAREST
    assert found.kind == "worse"
    assert found.sentence.startswith("The answer of the nearest ticket, copied word for word, does better on ")
    assert found.sentence.endswith(" of 11 tickets (clear): you do not need this adapter.")


def test_where_answers_are_noise_no_difference_is_seen(studio, finished):
    """The agents draw letters at random, and so, as it were, do all voices."""
    dice = random.Random(5)
    learnt, heldout = [[(own_words(dice), dice.choice(ITEMS)) for _ in range(size)] for size in (24, 8)]
    found = studio.verdict.judge(finished(learnt, heldout)).wait(DEADLINE)
    assert re.fullmatch(r"No difference can be seen with 8 tickets; about [\d,]+ would be needed\.", found.sentence)
    assert found.kind == "no difference"
    assert found.headline.needed > 8


def test_where_agents_have_a_manner_that_no_ticket_shows_the_tuned_model_wins(studio, tiny_model, tmp_path):
    """Nothing is near to anything, and every answer is the same phrase: only who has learnt it can say it."""
    dice = random.Random(5)
    phrase = "hello dear customer kind regards from the workbench"
    shop = write_shop(
        tmp_path / "shop",
        [(own_words(dice), phrase) for _ in range(24)],
        [(own_words(dice), phrase) for _ in range(12)],
    )
    recipe = Recipe(
        model=str(tiny_model), epochs=20.0, batch_size=8, accumulation=1, max_length=128, learning_rate=1e-2, rank=16
    )
    run = studio.runs.make_at(tmp_path / "run", recipe, shop)
    studio.runs.resume(run)
    assert studio.runs.wait(run, DEADLINE)
    found = studio.verdict.judge(run).wait(DEADLINE)
    assert found.sentence == "The tuned model is better than your best alternative on 12 of 12 tickets (clear)."
    assert found.kind == "better"


def test_what_was_masked_in_the_data_set_is_looked_for_in_the_answers(studio, finished):
    run = finished(TALKS, HELD)
    home = studio.workspace.datasets / studio.runs.get(run).status.dataset
    shutil.copytree(studio.runs.get(run).data, home)
    (home / "report.json").write_text(json.dumps(Report("test", 1, 1).to_json()))
    masked = [{"ticket": "1", "kind": "TERM", "original": TALKS[0][1], "placeholder": "[TERM_1]"}]
    masked.append({"ticket": "1", "kind": "EMAIL", "original": "zara@example.com", "placeholder": "[EMAIL_1]"})
    (home / "redactions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in masked))
    studio.verdict.judge(run).wait(DEADLINE)
    seen = Repeated.load(studio.runs.get(run).path)
    assert (seen.values, seen.answers) == (2, len(HELD))
    assert (seen.found(NEAREST), seen.found("base")) == (1, 0)
