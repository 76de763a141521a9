"""Preference pairs: the rejected answer is never learnt, and lies masked beside the data set for later."""

import json
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.editing import apply_edits
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.erasing import erase, person_of
from engine.tickets.dataset.preferences import offered
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.privacy.review import SUSPECT
from tests.engine.tickets.exports import lines, write

NAMES = ("lamp", "kettle", "saddle", "anchor", "pillow", "hammer", "violin", "basket", "mirror", "ladder")


def pair(name: str, number: int, **changes: object) -> dict[str, object]:
    return {
        "prompt": [{"role": "user", "content": f"My {name} has not come, I am {name}{number}@example.com, what now?"}],
        "chosen": [{"role": "assistant", "content": f"Sorry about the {name}, it left in van {number} this morning."}],
        "rejected": [{"role": "assistant", "content": f"No idea. Ask {name}{number}@example.com about the {name}."}],
        **changes,
    }


PAIRS = [pair(name, number) for number, name in enumerate(NAMES, start=1)]


def prepared(tmp_path: Path, records: list[dict[str, object]], heldout: float = 0.0) -> Path:
    out = tmp_path / "out"
    prepare([write(tmp_path / "pairs.jsonl", lines(*records))], out, PrepareOptions(heldout=heldout, workers=0))
    return out


def test_they_are_taken_home_as_lines_without_what_is_ours(tmp_path):
    data = DataSet(prepared(tmp_path, PAIRS))
    rows = [json.loads(line) for line in data.preferences().splitlines()]
    assert [list(row) for row in rows] == [["prompt", "chosen", "rejected"]] * 10


def said(folder: Path) -> list[tuple[str, str, str]]:
    return [
        (line["prompt"][-1]["content"], line["chosen"][0]["content"], line["rejected"][0]["content"])
        for line in offered(folder)
    ]


def test_rejected_answers_lie_masked_beside_what_is_learnt_and_are_counted(tmp_path):
    out = prepared(tmp_path, PAIRS)
    asked, chosen, rejected = said(out)[0]
    assert asked == "My lamp has not come, I am [EMAIL_1], what now?"
    assert chosen == "Sorry about the lamp, it left in van 1 this morning."
    assert rejected == "No idea. Ask [EMAIL_1] about the lamp."
    report = DataSet(out).report
    assert (report.preferences, report.messages_left_out) == (10, {"rejected answer of a preference pair": 10})
    assert "No idea" not in (out / "train.jsonl").read_text()
    assert "example.com" not in (out / "preferences.jsonl").read_text()
    assert (out / "preferences.jsonl").stat().st_mode & 0o077 == 0


def test_the_file_is_conversational_preference_data_as_trl_takes_it(tmp_path):
    for line in (prepared(tmp_path, PAIRS) / "preferences.jsonl").read_text().splitlines():
        row = json.loads(line)
        assert [turn["role"] for turn in row["prompt"]] == ["user"]
        assert [[turn["role"] for turn in row[side]] for side in ("chosen", "rejected")] == [["assistant"]] * 2


def test_pairs_of_held_out_conversations_are_not_given_away(tmp_path):
    out = prepared(tmp_path, PAIRS, heldout=0.3)
    report, told = DataSet(out).report, (out / "preferences.jsonl").read_text()
    assert report.preferences == report.train == 7
    for entry in DataSet(out).conversations("heldout"):
        assert entry.key not in told


@pytest.mark.parametrize(
    "odd",
    [
        {"rejected": PAIRS[0]["chosen"]},  # the same words twice
        {"rejected": [{"role": "assistant", "content": "  "}]},
        {"chosen": [{"role": "assistant", "content": "ok"}]},  # too short to be learnt
        {"prompt": [], "chosen": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "Yes, it is."}],
         "rejected": [{"role": "user", "content": "B?"}, {"role": "assistant", "content": "No, it is not."}]},
    ],
)  # fmt: skip
def test_what_is_no_comparison_of_two_answers_is_no_pair(tmp_path, odd):
    out = prepared(tmp_path, [pair("lamp", 1, **odd), *PAIRS[1:]])
    assert [line for line in said(out) if "lamp" in line[0] or line[0] in ("A?", "B?")] == []
    assert len(said(out)) == 9


def test_one_question_may_have_several_rejected_answers(tmp_path):
    second = pair("lamp", 1, rejected=[{"role": "assistant", "content": "Go away, please."}])
    third = {**PAIRS[1], "rejected": ["What kettle?", "Buy another one."]}
    out = prepared(tmp_path, [PAIRS[0], second, third, *PAIRS[2:]])
    told = said(out)
    assert sorted(line[2] for line in told if "lamp" in line[0]) == [
        "Go away, please.",
        "No idea. Ask [EMAIL_1] about the lamp.",
    ]
    assert [line[2] for line in told if "kettle" in line[0]] == ["What kettle?", "Buy another one."]


def test_what_is_changed_by_hand_changes_the_pairs(tmp_path):
    out = prepared(tmp_path, PAIRS)
    first, second, *_ = DataSet(out).conversations("train")
    edits = Edits().drop(first).rewrite(second, 1, "It is on its way.")
    apply_edits(out, edits)
    assert not any("lamp" in line[0] for line in said(out))
    assert next(line for line in said(out) if "kettle" in line[0])[1] == "It is on its way."
    apply_edits(out, Edits())
    assert len(said(out)) == 10


def test_a_second_look_for_names_reads_the_rejected_answers_too(tmp_path):
    told = [{"role": "assistant", "content": "Ask quillfeather about it, please."}]

    def find(texts):
        return [[(4, 16)] if text.startswith("Ask quillfeather") else [] for text in texts]

    file = write(tmp_path / "pairs.jsonl", lines(pair("lamp", 1, rejected=told), *PAIRS[1:]))
    options = PrepareOptions(heldout=0.0, workers=0, second_look="names")
    prepare([file], tmp_path / "out", options, open_finder=lambda folder: find)
    [term] = DataSet(tmp_path / "out").masked_terms(0, 9, kind=SUSPECT)[0]
    assert term.term == "quillfeather"


def test_pairs_go_with_their_customer(tmp_path):
    out = prepared(tmp_path, PAIRS)
    first = DataSet(out).conversations("train")[0]
    assert erase(out, person_of(out, first.ticket)) == 1
    assert "lamp" not in (out / "preferences.jsonl").read_text()
    assert DataSet(out).report.preferences == 9


def test_a_damaged_line_is_told(tmp_path):
    out = prepared(tmp_path, PAIRS)
    with (out / "preferences.jsonl").open("a") as file:
        file.write('{"key": "x", "prompt": [], "chosen": "?", "rejected": []}\n')
    with pytest.raises(TicketsError, match=r"Line 11 of preferences.jsonl is damaged"):
        list(offered(out))
