"""A workspace's data sets: prepared again with something changed, edited, and kept private."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import StudioError, TicketsError
from engine.tickets.dataset import provenance as origins
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.library import DataSets
from engine.tickets.options import PrepareOptions
from engine.workspace import Workspace
from tests.engine.tickets.exports import comment, lines, write, zendesk

SECRET = "Kestrel Tower"


def ticket(number: int, answer: str = "", **more: object) -> dict[str, object]:
    answer = answer or f"Parcel {number} is at {SECRET} and arrives tomorrow, dear Zebulon."
    talk = (comment(100 + number, f"Where is my parcel number {number}?"), comment(7 + number % 2, answer))
    told = {"requester_id": 100 + number, "tags": ["odd" if number % 2 else "even"], **more}
    return zendesk(number, *talk, subject=f"Topic{number}", **told)


TICKETS = [ticket(number) for number in range(1, 21)]


@pytest.fixture
def library(tmp_path: Path) -> DataSets:
    return DataSets(Workspace(tmp_path / "workspace"))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path / "tickets.jsonl", lines(*TICKETS))


@pytest.fixture
def made(library: DataSets, export: Path) -> str:
    return library.prepare([export], "Shop", PrepareOptions(extra_terms=("Zebulon",))).wait(60)


def answer(data: DataSet, wanted: str) -> str:
    found = data.find(wanted)
    assert found is not None
    return str(found.messages[1].content)


def test_a_data_set_remembers_its_export_and_its_options(library: DataSets, made: str, export: Path) -> None:
    origin = library.origin(made)
    assert origin.files == (("tickets.jsonl", export.stat().st_size),)
    assert origin.kept and not origin.pending
    assert origin.used == origin.wanted == PrepareOptions(extra_terms=("Zebulon",))
    assert "Zebulon" not in answer(library.get(made), "1")


def test_what_is_private_is_for_the_owners_eyes_alone(library: DataSets, made: str, tmp_path: Path) -> None:
    folder = library.get(made).folder
    library.edit(made, library.edits(made).leave_out_tag("odd"))
    for name in ("origin.json", "edits.json", "redactions.jsonl", "answered.jsonl", "sources/0/tickets.jsonl"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    assert (folder / "sources").stat().st_mode & 0o077 == 0


def test_terms_are_allowed_and_added_by_the_next_run_and_undone_by_the_one_after(library: DataSets, made: str) -> None:
    library.want(made, "extra_terms", SECRET)
    library.want(made, "extra_terms", "zebulon", wanted=False)
    assert {(choice.term, choice.pending) for choice in library.origin(made).choices()} == {
        ("Zebulon", "remove"),
        (SECRET, "add"),
    }
    assert SECRET in answer(library.get(made), "1")
    assert library.prepare_again(made).wait(60) == made
    assert not library.origin(made).pending
    assert answer(library.get(made), "1") == "Parcel 1 is at [NAME_1] and arrives tomorrow, dear Zebulon."
    [term], total = library.get(made).masked_terms(0, 5)
    assert (term.term, term.times, term.tickets, total) == (SECRET, 20, 20, 1)
    library.want(made, "allow", SECRET)
    library.prepare_again(made).wait(60)
    assert SECRET in answer(library.get(made), "1")


def test_edits_survive_a_run_that_masks_something_else_in_them(library: DataSets, made: str) -> None:
    data = library.get(made)
    one, two = data.find("1"), data.find("2")
    assert one and two
    library.edit(made, library.edits(made).drop(one).rewrite(two, 1, f"It is at {SECRET}."))
    library.want(made, "extra_terms", SECRET)
    library.prepare_again(made).wait(60)
    data = library.get(made)
    assert data.find("1") is None
    assert answer(data, "2") == "It is at [NAME_3]."
    assert data.report.dropped == {"dropped by you": 1}
    edits = library.edits(made)
    assert data.rewritten() == {("2", edits.answers[0].was)}
    library.edit(made, edits.keep(next(iter(edits.dropped))).restore(edits.answers[0].id))
    data = library.get(made)
    assert data.find("1") is not None
    assert answer(data, "2").startswith("Parcel 2 is at [NAME_1]")


def test_edits_and_terms_survive_a_newer_export(library: DataSets, made: str, tmp_path: Path) -> None:
    data = library.get(made)
    one, two = data.find("1"), data.find("2")
    assert one and two
    edits = library.edits(made).drop(one).rewrite(two, 1, "Two, rewritten.").leave_out_tag("odd")
    library.edit(made, edits)
    library.want(made, "allow", "Zebulon")
    more = [comment(1, "And when does the lamp come?"), comment(7, "The lamp comes a day later.")]
    longer = [
        {**entry, "comments": [*entry["comments"], {**more[0], "author_id": entry["requester_id"]}, more[1]]}
        for entry in TICKETS
    ]
    newer = write(tmp_path / "newer.jsonl", lines(*longer, *(ticket(number) for number in range(21, 31))))
    library.prepare_again(made, files=[newer]).wait(60)
    data = library.get(made)
    assert library.origin(made).files[0][0] == "newer.jsonl"
    assert {row.ticket for row in data.page(0, 50)[0]} == {str(number) for number in range(2, 31, 2)}
    assert answer(data, "2") == "Two, rewritten."
    assert "Zebulon" in answer(data, "30")
    assert data.report.dropped == {"dropped by you": 1, "tag left out by you": 14}
    library.edit(made, library.edits(made).take_back_tag("odd"))
    assert library.get(made).find("29") is not None


def test_rows_of_a_table_are_known_again_by_their_words(library: DataSets, tmp_path: Path) -> None:
    rows = [f"How is thing {number} used best?;Thing {number} is used with great care." for number in range(1, 9)]
    table = write(tmp_path / "a.csv", "\n".join(["question;answer", *rows]))
    made = library.prepare([table], "Table").wait(60)
    dropped, rewritten = library.get(made).page(0, 2)[0]
    library.edit(made, library.edits(made).drop(dropped).rewrite(rewritten, 1, "Rewritten by hand."))
    newer = write(tmp_path / "b.csv", "\n".join(["question;answer", "What is new here?;This row is new here.", *rows]))
    library.prepare_again(made, files=[newer]).wait(60)
    said = {row.messages[0].content: row.messages[1].content for row in library.get(made).page(0, 20)[0]}
    assert dropped.messages[0].content not in said
    assert said[rewritten.messages[0].content] == "Rewritten by hand."
    assert len(said) == 8
    library.edit(made, library.edits(made).keep(dropped.key))
    assert library.get(made).page(0, 20)[1] == 9


def test_an_agent_is_left_out_by_the_next_run(library: DataSets, made: str) -> None:
    entry = library.get(made).find("1")
    assert entry and library.get(made).agents_of(entry.key) == ["8"]
    library.want(made, "exclude_agents", "8")
    library.prepare_again(made).wait(60)
    assert {row.ticket for row in library.get(made).page(0, 50)[0]} == {str(number) for number in range(2, 21, 2)}
    assert library.get(made).agents() == {"7": 10}


def test_a_cancelled_run_keeps_the_old_data_set_and_what_was_wanted(
    library: DataSets, made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.want(made, "allow", "Zebulon")
    folder = library.get(made).folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    newer = write(tmp_path / "newer.jsonl", lines(*TICKETS[:5]))
    began, go = threading.Event(), threading.Event()

    def held(*args: object) -> bool:
        began.set()
        go.wait(30)
        return origins.keep_sources(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("engine.tickets.library.keep_sources", held)
    task = library.prepare_again(made, files=[newer])
    assert began.wait(30)
    task.cancel()
    go.set()
    with pytest.raises(StudioError, match="cancelled"):
        task.wait(30)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert library.origin(made).pending


def test_what_is_edited_during_a_run_is_in_effect_after_it(
    library: DataSets, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.tickets.preparing import pipeline as module

    began, go, prepare = threading.Event(), threading.Event(), module.prepare

    def held(*args: object, **named: object) -> object:
        report = prepare(*args, **named)  # type: ignore[arg-type]
        began.set()
        go.wait(30)
        return report

    monkeypatch.setattr(module, "prepare", held)
    task = library.prepare_again(made, replace(library.origin(made).wanted, heldout=0.2))
    assert began.wait(30)
    library.edit(made, library.edits(made).leave_out_tag("odd"))
    library.want(made, "allow", "Zebulon")
    go.set()
    task.wait(30)
    assert library.info(made).train + library.info(made).heldout == 10
    assert [choice.pending for choice in library.origin(made).choices()] == ["add", ""]
    assert library.origin(made).used.heldout == 0.2


def test_an_export_that_is_too_large_is_not_kept_and_has_to_be_dropped_again(
    library: DataSets, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "MOST_KEPT", 100)
    made = library.prepare([export], "Shop").wait(60)
    assert not library.origin(made).kept
    with pytest.raises(StudioError, match="Drop it once more"):
        library.prepare_again(made).wait(30)
    assert library.prepare_again(made, files=[export]).wait(60) == made


def test_the_copy_of_the_export_can_be_deleted(library: DataSets, made: str) -> None:
    library.forget_sources(made)
    assert not library.origin(made).kept
    assert not (library.get(made).folder / "sources").exists()
    assert library.get(made).page(0, 1)[1] == 20


def test_a_newer_export_of_another_kind_is_detected_afresh(library: DataSets, tmp_path: Path, export: Path) -> None:
    rows = [f"How is thing {number} used best?;Thing {number} is used with great care." for number in range(1, 9)]
    table = write(tmp_path / "a.csv", "\n".join(["ask;tell", *rows]))
    detected = library.detect([table]).wait(60).mapping
    overrides = replace(PrepareOptions().overrides, mapping={"question": "ask", "answer": "tell"})
    made = library.prepare([table], "Table", PrepareOptions(overrides)).wait(60)
    assert detected != {"question": "tell"}
    library.prepare_again(made, files=[export]).wait(60)
    assert library.info(made).format == "zendesk"


def test_the_last_conversation_cannot_be_left_out(library: DataSets, made: str) -> None:
    with pytest.raises(TicketsError, match="No conversation would be left"):
        library.edit(made, library.edits(made).leave_out_tag("odd").leave_out_tag("EVEN"))
    assert library.edits(made).tags == ()
    assert library.get(made).page(0, 1)[1] == 20


def test_sets_are_listed_renamed_deleted_and_brought_back(library: DataSets, made: str, tmp_path: Path) -> None:
    library.rename(made, "  Another   name ")
    assert [(info.name, info.train + info.heldout) for info in library.all()] == [("Another name", 20)]
    before = library.info(made).revision
    library.edit(made, library.edits(made).leave_out_tag("odd"))
    assert library.info(made).revision != before
    deleted = library.delete(made)
    assert library.all() == []
    Workspace(tmp_path / "workspace").restore(deleted)
    assert library.get(made).report.train > 0
    with pytest.raises(StudioError, match="not here"):
        library.get("../escape")


def test_a_data_set_of_an_older_version_can_be_edited_and_shown(library: DataSets, made: str) -> None:
    folder = library.get(made).folder
    (folder / "origin.json").unlink()
    assert library.origin(made).used == PrepareOptions()
    library.want(made, "allow", "Zebulon")
    assert json.loads((folder / "origin.json").read_text())["wanted"]["allow"] == ["Zebulon"]


def test_damaged_notes_are_told(library: DataSets, made: str) -> None:
    folder = library.get(made).folder
    write(folder / "origin.json", {"files": 3})
    with pytest.raises(TicketsError, match=r"origin\.json"):
        library.origin(made)
    write(folder / "edits.json", {"dropped": {}, "answers": [{"ticket": "1"}], "tags": []})
    with pytest.raises(TicketsError, match=r"edits\.json"):
        library.edits(made)


def test_whom_a_person_has_named_the_support_is_remembered_for_the_next_file(library: DataSets, tmp_path: Path) -> None:
    talk = "1/2/26, 10:00 - Ben: We recall it.\n1/2/26, 10:01 - {0}: Which lamp?\n1/2/26, 10:02 - Ben: The tall one.\n"
    first, second = (write(tmp_path / f"{len(name)}.txt", talk.format(name)) for name in ("Cara", "Nadia"))
    assert library.detect([first]).wait(60).remembered == ()
    said = PrepareOptions(replace(PrepareOptions().overrides, agents=("ben",)))
    made = library.prepare([first], "Chat", said).wait(60)
    assert library.get(made).report.conversations_kept == 1
    found = library.detect([second]).wait(60)
    assert (found.remembered, [writer.name for writer in found.writers if writer.ours]) == (("Ben",), ["Nadia"])
    assert library.prepare_again(made).wait(60) == made
    assert library.origin(made).used.overrides.agents == ("ben",)
