"""Sending to a hub that speaks its real protocol on this computer, through the hub's own library."""

import json
import zipfile

import pytest

from engine.errors import Cancelled, StudioError
from engine.export.hub.sending import may_go, opened, plan
from tests.engine.export.conftest import TICKET, export
from tests.fake_hub import FakeHub, run_with, serving

TOKEN = "hf_notforanybody"


@pytest.fixture
def exported(run, tmp_path):
    """An export with everything that may be in one, tickets too, and a few things beside them."""
    folder = tmp_path / "exported"
    folder.mkdir()
    export(run, folder, with_tickets=True)
    (folder / "train.jsonl").write_text(TICKET)
    (folder / "notes").mkdir()
    (folder / "notes" / "adapter_model.safetensors").write_text(TICKET)
    return folder


def send(hub, folder, home, token=TOKEN, **options):
    """Send in a process that takes the fake for the hub; returns its last line as JSON, and all that it said."""
    code = f"""
import json, logging
from pathlib import Path
logging.basicConfig(level=logging.DEBUG)
from engine.errors import StudioError
from engine.export.hub.sending import send
told = []
try:
    sent = send(Path({str(folder)!r}), "jane/shop", {token!r}, lambda *seen: told.append(seen), **{options!r})
    print(json.dumps([sent.address, sent.commit, sent.private, [stage for stage, _ in told]]))
except StudioError as error:
    print(json.dumps(str(error)))
"""
    done = run_with(hub.address, home, code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_what_would_be_sent_is_listed_and_tickets_are_not_in_it(exported):
    told = plan(exported)
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md", "passport.json"} <= dict(told.files).keys()
    assert set(told.left_out) == {"lookup_tickets.jsonl", "train.jsonl", "notes/adapter_model.safetensors"}
    assert not any(may_go(name) for name in ("a.jsonl", "../model.safetensors", "data/x.gguf", ".env", "model.bin"))


def test_it_is_sent_whole_and_private_and_without_a_ticket(exported, tmp_path):
    with serving(FakeHub({})) as hub:
        hub.tokens = {TOKEN}
        (address, _, private, told), said = send(hub, exported, tmp_path / "home")
        assert address == f"{hub.address}/jane/shop"
        assert private
        assert hub.private == {"jane/shop": True}
        assert hub.sent["jane/shop"] == {name: (exported / name).read_bytes() for name, _ in plan(exported).files}
        assert not any(b"walrus" in content for content in hub.sent["jane/shop"].values())
        assert any(stage.startswith("Sending adapter_model.safetensors (0.0 of ") for stage in told)
        assert TOKEN not in said, "the token is in no log"
        assert not any(TOKEN in file.read_text(errors="replace") for file in (tmp_path / "home").rglob("*.*"))


def test_a_public_place_is_refused_unless_the_person_says_so(exported, tmp_path):
    with serving(FakeHub({})) as hub:
        hub.private = {"jane/shop": False}
        told, _ = send(hub, exported, tmp_path / "home")
        assert "everybody may see it" in told
        assert hub.sent == {}
        (_, _, private, _), _ = send(hub, exported, tmp_path / "home", private=False)
        assert not private
        assert hub.sent


def test_a_wrong_token_and_no_network_are_told_in_words(exported, tmp_path):
    with serving(FakeHub({})) as hub:
        hub.tokens = {"another"}
        told, said = send(hub, exported, tmp_path / "home")
        assert "does not know this token" in told
        assert TOKEN not in said
    told, _ = send(hub, exported, tmp_path / "home")  # nobody listens there any more
    assert "could not be reached" in told


def test_only_what_may_go_is_taken_out_of_a_zip(exported, tmp_path):
    packed = tmp_path / "shop.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in (path for path in exported.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(exported))
        archive.writestr("../outside.safetensors", b"x")
    told = opened(packed, tmp_path, plan)
    assert dict(told.files) == dict(plan(exported).files)
    assert told.left_out == ()
    assert not list(tmp_path.glob(".sending*"))


def test_what_is_no_export_is_named(tmp_path):
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(StudioError, match="holds no weights"):
        plan(tmp_path)
    with pytest.raises(StudioError, match=r"neither the folder nor the \.zip"):
        opened(tmp_path / "README.md", tmp_path, plan)


def test_cancel_ends_the_sending_in_the_middle_of_a_file(exported):
    import io
    import threading

    from engine.export.hub import sending

    half, called_off, ended, sent = threading.Event(), threading.Event(), threading.Event(), []

    def upload(path_or_fileobj: io.BufferedReader, **_: object) -> None:
        try:
            while piece := path_or_fileobj.read(1024):
                sent.append(piece)
                if len(sent) == 10:
                    half.set()
                    assert called_off.wait(60)
        finally:
            ended.set()

    def call_off(stage: str, done: float | None) -> None:
        if half.is_set():
            raise Cancelled

    class Hub:
        upload_file = staticmethod(upload)

    file = exported / "adapter_model.safetensors"
    with pytest.raises(Cancelled):
        sending._send_file(Hub, "jane/shop", file, file.name, file.stat().st_size, call_off)
    called_off.set()  # the network answers again
    assert ended.wait(60)
    assert len(sent) == 10
