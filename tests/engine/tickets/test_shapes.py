"""The same conversations out of every vendor's shape: the real exports beside the checkout.

What a shape cannot carry is left out of the comparison: plain text knows no links, lists and quotes; tables with a
question and an answer hold the first exchange only.
"""

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.files import PREPARED
from engine.tickets.importing.detect import detect
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.preparing.splitting import UNEVEN

FULL = {
    "freshdesk_tickets_with_conversations.json": "freshdesk",
    "intercom_conversations.json": "intercom",
    "jira_service_management.csv": "jira",
    "servicenow_incident_cp1252.csv": "servicenow",
    "openai_chat.jsonl": "chat",
}
PAIRS = ("generic_semicolon_cp1252.csv", "generic_bom.csv", "generic_header_on_row3.xlsx")


@pytest.fixture(scope="module")
def read_shape(shared: Path, tmp_path_factory: pytest.TempPathFactory):
    @cache
    def read(name: str) -> list[list[dict[str, str]]]:
        out = tmp_path_factory.mktemp("shape") / "data"
        options = PrepareOptions(mask=False, canned_cap=1000, heldout=0, min_answer_chars=0)
        prepare([shared / "tickets" / name], out, options)
        return [
            [{"role": said.role, "content": said.content} for said in entry.messages]
            for entry in DataSet(out).conversations("train")
        ]

    return read


def letters(content: str) -> str:
    return re.sub(r"[\W_]+", "", content).casefold()


def words(content: str) -> set[str]:
    return set(re.findall(r"\w{3,}", content.casefold()))


def roles(messages: list[dict[str, str]]) -> list[str]:
    return [message["role"] for message in messages]


@pytest.mark.parametrize("name", FULL)
def test_every_shape_is_recognised_by_its_content(shared: Path, name: str, tmp_path: Path) -> None:
    nameless = tmp_path / "export.dat"
    nameless.write_bytes((shared / "tickets" / name).read_bytes())
    found = detect([nameless])
    assert found.format == FULL[name]
    assert found.evidence


@pytest.mark.parametrize("name", FULL)
def test_a_full_shape_gives_the_conversations_of_the_zendesk_export(read_shape, name: str) -> None:
    expected, found = read_shape("zendesk_tickets.ndjson"), read_shape(name)
    assert len(found) == len(expected) == 360
    pairs = [(one, other) for one, other in zip(expected, found, strict=True) if roles(one) == roles(other)]
    # A message that is nothing but a quote is empty where HTML marks the quote, and is not where it is plain text.
    assert len(pairs) >= 350
    close = sum(all(_alike(*both) for both in zip(one, other, strict=True)) for one, other in pairs)
    assert close >= len(pairs) * 0.95


def _alike(one: dict[str, str], other: dict[str, str]) -> bool:
    mine, theirs = words(one["content"]), words(other["content"])
    same = letters(one["content"]) == letters(other["content"])
    return same or len(mine & theirs) >= 0.9 * min(len(mine), len(theirs))


@pytest.mark.parametrize("name", PAIRS)
def test_a_table_of_pairs_gives_the_first_exchange(read_shape, name: str) -> None:
    expected, found = read_shape("zendesk_tickets.ndjson"), read_shape(name)
    assert all(roles(messages) == ["user", "assistant"] for messages in found)
    asked = {letters(messages[0]["content"])[-50:] for messages in expected}
    answered = {letters(messages[1]["content"])[:50] for messages in expected}
    assert len(found) >= 355
    assert sum(letters(question["content"])[-50:] in asked for question, _ in found) >= 250
    assert sum(letters(answer["content"])[:50] in answered for _, answer in found) >= 300


def test_held_out_is_the_most_recent_part(shared: Path, tmp_path: Path) -> None:
    report = prepare([shared / "tickets" / "zendesk_tickets.ndjson"], tmp_path / "data")
    data = DataSet(tmp_path / "data")
    assert (report.format, report.tickets_read) == ("zendesk", 360)
    assert 36 <= report.heldout <= 36 * UNEVEN
    # Groups stay together, so that older tickets of the same customers or with the same answer are held out as well.
    learnt, held = ([entry.created_at for entry in data.conversations(side)] for side in ("train", "heldout"))
    newest = sorted([*learnt, *held])[-len(held)]
    assert sum(stamp >= newest for stamp in held) > len(held) * 2 / 3
    assert report.conversations_kept + sum(report.dropped.values()) == report.tickets_read


def test_what_is_written_is_what_the_contract_says(shared: Path, tmp_path: Path) -> None:
    prepare([shared / "tickets" / "zendesk_tickets.ndjson"], tmp_path / "data")
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert names == set(PREPARED)
    for line in (tmp_path / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        assert isinstance(entry["ticket"], str)
        turns = [message["role"] for message in entry["messages"]]
        assert turns[0] == "user" and turns[-1] == "assistant"
        assert all(one != other for one, other in pairwise(turns))
        assert all(set(message) == {"role", "content"} and message["content"].strip() for message in entry["messages"])
    report = json.loads((tmp_path / "data" / "report.json").read_text(encoding="utf-8"))
    assert {"format", "tickets_read", "conversations_kept", "dropped", "redactions"} <= report.keys()
    assert (tmp_path / "data" / "redactions.jsonl").stat().st_mode & 0o077 == 0


def test_every_reader_can_be_chosen_by_its_name() -> None:
    from engine.tickets.importing.readers import READERS, mail, table
    from engine.tickets.overrides import FORMATS

    assert (*(reader.FORMAT for reader in READERS), table.FORMAT, mail.FORMAT) == FORMATS
