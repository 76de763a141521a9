"""Data sets of the model hub, fetched over HTTP from a hub on this computer and read by the ordinary readers."""

import io
import json
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.reading_in import files_of
from engine.studio import Studio
from engine.tickets.importing.hub_listing import parts_of, reference
from engine.tickets.options import PrepareOptions
from engine.workspace import Workspace
from tests.fake_hub import COMMIT, CONVERTED, FakeData, FakeHub, serving

DEADLINE = 60
TOKEN = "hf_hush"


def talk(number: int) -> dict[str, object]:
    asked = {"role": "user", "content": f"Where is my parcel number {number}?"}
    return {"messages": [asked, {"role": "assistant", "content": f"In van {number}, it comes on Friday."}]}


def parquet(*rows: dict[str, object]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), stream)
    return stream.getvalue()


def json_lines(*rows: dict[str, object]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


DATA = {
    "shop/talks": FakeData(
        {
            "README.md": b"# Talks",
            "data/train-00000.parquet": parquet(*map(talk, range(1, 7))),
            "data/train-00001.parquet": parquet(*map(talk, range(7, 13))),
            "data/test-00000.parquet": parquet(*map(talk, range(20, 24))),
        },
        {"license": "cc-by-4.0"},
    ),
    "shop/two": FakeData(
        {"lamps.jsonl": json_lines(*map(talk, range(3))), "kettles/old.jsonl": json_lines(*map(talk, range(4)))},
        {
            "configs": [
                {"config_name": "lamps", "data_files": "*.jsonl"},
                {"config_name": "kettles", "default": True, "data_files": [{"split": "old", "path": "kettles/*"}]},
            ]
        },
    ),
    "shop/script": FakeData({"script.py": b"import os"}, converted={"all/train/0000.parquet": parquet(talk(1))}),
    "shop/pictures": FakeData({"cat.png": b"\x89PNG", "dataset_infos.json": b"{}"}),
    "shop/gated": FakeData({"train.jsonl": json_lines(talk(1))}, gated=True),
    "shop/secret": FakeData({"train.jsonl": json_lines(talk(1))}, private=True),
}


@pytest.fixture(scope="module")
def hub():
    made = FakeHub({}, DATA)
    made.tokens = {TOKEN}
    with serving(made):
        yield made


@pytest.fixture
def studio(hub, tmp_path, monkeypatch):
    """A program that takes the fake hub for the real one, with a cache of its own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


def looked_up(studio, text, token=""):
    return studio.hub_data.look_up(text, token).wait(DEADLINE)


def test_a_data_set_is_looked_up_fetched_and_prepared_with_its_origin(studio):
    found, part = looked_up(studio, "https://huggingface.co/datasets/shop/talks")
    assert (found.licence, found.commit, part.name, len(part.files)) == ("cc-by-4.0", COMMIT, "train", 2)
    assert [other.name for other in found.parts] == ["train", "test"]
    fetched = studio.hub_data.fetch(found).wait(DEADLINE)
    made = studio.tickets.prepare(list(fetched.files), "Talks", PrepareOptions(hub=fetched.record)).wait(DEADLINE)
    report = studio.tickets.get(made).report
    assert (report.format, report.tickets_read) == ("chat", 12)
    assert report.hub == {"id": "shop/talks", "commit": COMMIT, "part": "train", "licence": "cc-by-4.0"}
    assert studio.tickets.origin(made).wanted.hub == report.hub, "prepared again, it keeps its origin"


def test_the_command_line_says_what_comes_before_it_comes(studio, capsys):
    files, record = files_of(studio, ["hf:shop/talks:test"])
    told = capsys.readouterr().err
    assert "'test' is 1 files of 0.0 MB, licence cc-by-4.0; other parts are train" in told
    assert [file.name for file in files] == ["test-00000.parquet"]
    assert record["part"] == "test"
    assert files_of(studio, ["a.csv", "b.csv"]) == ([Path("a.csv"), Path("b.csv")], {})
    with pytest.raises(TicketsError, match="prepared alone"):
        files_of(studio, ["hf:shop/talks", "a.csv"])


def test_a_fetch_can_be_called_off(studio, hub):
    found, _ = looked_up(studio, "shop/talks")
    hub.go.clear()
    try:
        task = studio.hub_data.fetch(found)
        while "Fetching shop/talks (" not in task.snapshot().stage:
            assert not task.ended(0.02), task.snapshot()
        task.cancel()
        assert task.ended(DEADLINE)
        assert task.snapshot().state == "cancelled"
    finally:
        hub.go.set()


def test_the_card_says_which_files_belong_together(studio):
    found, part = looked_up(studio, "shop/two")
    assert [(one.name, [name for name, _ in one.files]) for one in found.parts] == [
        ("kettles/old", ["kettles/old.jsonl"]),
        ("lamps/train", ["lamps.jsonl"]),
    ]
    assert part.name == "kettles/old"
    assert looked_up(studio, "shop/two:lamps")[1].name == "lamps/train"
    with pytest.raises(TicketsError, match=r"no part 'pots'\. It has kettles/old, lamps/train"):
        looked_up(studio, "shop/two:pots")


def test_of_a_program_that_loads_data_the_hubs_own_copies_are_taken(studio):
    found, part = looked_up(studio, "shop/script")
    assert (found.commit, part.name) == (CONVERTED, "all/train")
    [file] = studio.hub_data.fetch(found).wait(DEADLINE).files
    assert file.read_bytes().startswith(b"PAR1")


def test_a_gated_and_a_private_one_are_had_with_a_token(studio):
    for name in ("shop/gated", "shop/secret"):
        found, _ = looked_up(studio, name, TOKEN)
        [file] = studio.hub_data.fetch(found, token=TOKEN).wait(DEADLINE).files
        assert "parcel" in file.read_text()


@pytest.mark.parametrize(
    ("text", "token", "told"),
    [
        ("shop/gated", "", r"shop/gated is gated: its owner asks you to accept conditions first\. Accept them on "),
        ("shop/secret", "", r"no data set 'shop/secret' that everybody may see\. .*needs a token of your account"),
        ("shop/nothing", TOKEN, r"no data set 'shop/nothing'.*token of an account that may see it"),
        ("shop/talks", "hf_wrong", r"The hub does not take this token\."),
        ("shop/talks@old", "", r"shop/talks has no revision 'old'\. Leave it out for the newest one\."),
        ("shop/pictures", "", r"shop/pictures holds no file that is read\. Read are Parquet"),
        ("shop / talks", "", r"is no name of a data set on the hub\. Write it as owner/name"),
        ("../../etc", "", r"is no name of a data set on the hub\."),
    ],
)
def test_what_cannot_be_had_is_a_sentence(studio, text, token, told):
    with pytest.raises(TicketsError, match=told) as failed:
        looked_up(studio, text, token)
    assert TOKEN not in str(failed.value)


def test_without_a_network_the_sentence_says_so(studio, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(TicketsError, match=r"shop/talks has to be fetched, and the hub cannot be reached\."):
        looked_up(studio, "shop/talks")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(TicketsError, match="told to stay offline"):
        looked_up(studio, "shop/talks")


def test_names_of_files_tell_the_parts_where_no_card_does():
    names = ["train.csv", "dev.csv.gz", "sub/my-test-set.csv", "notes.csv", "train.xlsx", "../up.csv", ".hidden/a.csv"]
    found = {part.name: [name for name, _ in part.files] for part in parts_of(dict.fromkeys(names, 1), {})}
    assert found == {"train": ["notes.csv", "train.csv"], "validation": ["dev.csv.gz"], "test": ["sub/my-test-set.csv"]}


@pytest.mark.parametrize("pattern", ["*" * 150, "a*" * 90, "[z-a]*", "../*", 5, None, {"split": "x"}])
def test_a_strange_card_names_nothing_and_harms_nothing(pattern):
    card = {"configs": [{"config_name": "x", "data_files": pattern}, "y", {"data_files": [{"path": [pattern]}]}]}
    names = [part.name for part in parts_of({"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.csv": 1}, card)]
    assert names in (["train"], ["x/train"])


def test_a_name_may_have_a_revision_and_a_part():
    told = reference(" hf:shop/talks@v1.0:lamps/train ")
    assert (told.id, told.revision, told.part) == ("shop/talks", "v1.0", "lamps/train")
    assert reference("hf://datasets/shop/talks").id == "shop/talks"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://huggingface.co/datasets/shop/talks", ("shop/talks", "", "")),
        ("HTTPS://hf.co/datasets/shop/talks/?sort=x#card", ("shop/talks", "", "")),
        ("https://huggingface.co/datasets/shop/talks/tree/v1/data", ("shop/talks", "v1", "")),
        ("https://huggingface.co/datasets/shop/talks/viewer/lamps/train?row=3", ("shop/talks", "", "lamps/train")),
        ("https://huggingface.co/datasets/imdb/viewer", ("imdb", "", "")),
    ],
)
def test_the_address_of_a_page_is_a_name_too(address, told):
    found = reference(address)
    assert (found.id, found.revision, found.part) == told


def test_the_address_of_another_site_is_no_name():
    with pytest.raises(TicketsError, match="no name of a data set"):
        reference("https://example.com/datasets/shop/talks")
