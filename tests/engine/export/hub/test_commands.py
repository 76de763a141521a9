"""The commands push and pull, against a hub on this computer; one process for all of it, since each imports torch."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.engine.export.conftest import export
from tests.fake_hub import COMMIT, FakeHub, run_with, serving

TOKEN = "hf_hush"
SCRIPT = """
import contextlib, io, json, os, sys
from engine.__main__ import main
os.environ["HF_TOKEN"] = {token!r}
said = []
for words in {commands!r}:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code
    lines = out.getvalue().splitlines()
    said.append([code, json.loads(lines[-1]) if lines else None, errors.getvalue()])
print(json.dumps(said))
"""
CANCEL = """
import json, sys
from pathlib import Path
from engine.studio import Studio
from engine.workspace import Workspace
studio = Studio(Workspace(Path({there!r})))
task = studio.importing.bring_in("jane/shop", "", {base!r})
while "Fetching jane/shop (" not in task.snapshot().stage or not task.snapshot().fraction:
    assert not task.ended(0.02), task.snapshot()
told = task.snapshot().stage
task.cancel()
assert task.ended(20), "the hub holds the rest back for a minute"
left = [path.name for home in (studio.workspace.adapters, studio.workspace.cache) for path in home.iterdir()]
print(json.dumps([told, task.snapshot().state, left]))
"""


@pytest.fixture
def exported(run, tmp_path) -> Path:
    folder = tmp_path / "exported"
    folder.mkdir()
    export(run, folder, with_tickets=True)
    return folder


def test_an_export_is_pushed_and_pulled_by_the_commands(exported, tiny_model, tmp_path):
    there = ["--workspace", str(tmp_path / "there")]
    commands = [
        ["push", str(exported), "--to", "jane/new", "--dry-run", *there],
        ["push", str(exported), "--to", "jane/new", *there],
        ["push", str(exported), "--to", "no place", *there],
        ["pull", "jane/shop", "--model", str(tiny_model), "--revision", COMMIT, *there],
        ["pull", "jane/shop", "--model", str(tiny_model), "--sha256", "0" * 64, *there],
        ["pull", "shop", *there],
        ["pull", "jane/base", *there],
        ["pull", "jane/nothing", *there],
    ]
    with serving(FakeHub({"jane/shop": exported, "jane/base": tiny_model})) as hub:
        hub.tokens = {TOKEN}
        done = run_with(hub.address, tmp_path / "home", SCRIPT.format(token=TOKEN, commands=commands))
        assert done.returncode == 0, done.stderr
        dry, pushed, nowhere, pulled, *refused = json.loads(done.stdout.splitlines()[-1])
        assert TOKEN not in done.stdout + done.stderr
        assert dry[1]["left_out"] == ["lookup_tickets.jsonl"]
        assert "would send adapter_model.safetensors" in dry[2]
        assert (pushed[0], pushed[1]["private"], pushed[1]["commit"]) == (0, True, COMMIT)
        assert hub.sent["jane/new"].keys() == dry[1]["files"].keys()
        assert nowhere[0] == 1
        assert "is no place on the hub" in nowhere[2]
        assert (pulled[0], pulled[1]["parity"], pulled[1]["commit"]) == (0, "passed", COMMIT)
        assert pulled[1]["sha256"] == hashlib.sha256((exported / "adapter_model.safetensors").read_bytes()).hexdigest()
        came = {file.name for file in Path(pulled[1]["adapter"]).iterdir()}
        assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "passport.json"} <= came
        assert not any("lookup_tickets" in asked or "usage.py" in asked for asked in hub.asked)
        said = ("not those that were named", "is no id of the model hub", "holds no adapter", "has no 'jane/nothing'")
        for (code, _, told), sentence in zip(refused, said, strict=True):
            assert code == 1
            assert sentence in told


def test_a_fetch_that_is_called_off_waits_for_no_network_and_leaves_nothing(exported, tiny_model, tmp_path):
    with serving(FakeHub({"jane/shop": exported})) as hub:
        hub.go.clear()  # it holds the second half of the weights back
        code = CANCEL.format(there=str(tmp_path / "there"), base=str(tiny_model))
        done = run_with(hub.address, tmp_path / "home", code)
    assert done.returncode == 0, done.stderr
    told, state, left = json.loads(done.stdout.splitlines()[-1])
    assert told.startswith("Fetching jane/shop (")
    assert (state, left) == ("cancelled", [])
