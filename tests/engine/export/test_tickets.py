"""Tickets that travel with an adapter: only when asked to, only what was said, and of use where they arrive."""

import json
import zipfile

import pytest

from engine.__main__ import ask
from engine.errors import ModelError, StudioError
from engine.export.importing import import_adapter
from engine.export.tickets import FILE, weigh
from engine.studio import Studio
from engine.tickets.dataset.files import TRAIN, TRAVELLED
from engine.workspace import Workspace
from tests.engine.export.conftest import TICKET, export, finished_run


@pytest.fixture
def told(dataset):
    """The data set with what must not travel beside what was said."""
    line = json.loads((dataset / TRAIN).read_text())
    (dataset / TRAIN).write_text(json.dumps({**line, "subject": "secret subject", "tags": ["vip"], "key": "a" * 16}))
    return dataset


def test_tickets_travel_only_when_the_person_says_so(workspace, told, tiny_base, tmp_path):
    run = finished_run(workspace, told, tiny_base)
    with zipfile.ZipFile(export(run, tmp_path / "without.zip")) as archive:
        assert FILE not in archive.namelist()
        assert all(TICKET.encode() not in archive.read(name) for name in archive.namelist())
    with zipfile.ZipFile(export(run, tmp_path / "with.zip", with_tickets=True)) as archive:
        (line,) = archive.read(FILE).splitlines()
    entry = json.loads(line)
    assert entry["messages"][0]["content"] == TICKET and set(entry) == {"ticket", "messages", "key"}
    conversations, size = weigh(run.data)
    assert conversations == 1 and size >= len(line)


def test_an_adapter_looks_up_the_tickets_that_came_with_it(workspace, told, tiny_base, tmp_path):
    run = finished_run(workspace, told, tiny_base, lookup=True)
    packed = export(run, tmp_path / "with.zip", with_tickets=True)
    elsewhere = Studio(Workspace(tmp_path / "elsewhere"))
    folder = import_adapter(elsewhere.workspace, packed, "brought", tiny_base.ref)
    assert not (folder / FILE).exists() and (folder / TRAVELLED / TRAIN).is_file()
    (voice,) = elsewhere.adapters.voices()
    assert voice.lookup and elsewhere.lookup.home([voice], "") == folder / TRAVELLED
    stages = elsewhere.lookup.find(folder / TRAVELLED, [{"role": "user", "content": "my walrus parcel"}], "")
    with pytest.raises(StopIteration) as ended:
        while True:
            next(stages)
    assert ended.value.value.tickets[0].turns[0]["content"] == TICKET


def test_ask_says_what_an_adapter_lacks_that_was_trained_with_look_up(workspace, told, tiny_base, tmp_path):
    packed = export(finished_run(workspace, told, tiny_base, lookup=True), tmp_path / "without.zip")
    with pytest.raises(StudioError, match="no tickets came with it") as refused:
        ask(adapter=packed, model=tiny_base.ref, prompt="Where is it?", workspace=tmp_path / "elsewhere")
    assert "--data" in refused.value.remedy


def test_damaged_tickets_in_a_strangers_bundle_are_refused_in_words(workspace, told, tiny_base, tmp_path):
    packed = export(finished_run(workspace, told, tiny_base), tmp_path / "a.zip")
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(FILE, '{"ticket": 7}\n')
    with pytest.raises(ModelError, match=r"Line 1 of lookup_tickets\.jsonl is damaged"):
        import_adapter(Workspace(tmp_path / "elsewhere"), packed, "brought", tiny_base.ref)
    assert not any((tmp_path / "elsewhere" / "adapters").glob("*"))


def test_the_card_of_an_adapter_that_was_trained_with_look_up_says_how_to_ask_it(workspace, told, tiny_base):
    from engine.export.card import summary

    assert "trained with look-up" in summary(finished_run(workspace, told, tiny_base, lookup=True))
