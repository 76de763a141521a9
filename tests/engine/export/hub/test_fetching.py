"""Fetching an adapter from a hub on this computer, by id, revision and hash."""

import hashlib
import json

from tests.engine.export.conftest import export
from tests.fake_hub import COMMIT, FakeHub, run_with, serving


def fetch_each(hub, tmp_path, model, *asked):
    """Fetch in a process that takes the fake for the hub, into a workspace; returns what each came to, as from JSON.

    Args:
        hub: The fake.
        tmp_path: Where the workspace lies.
        model: The base to say.
        asked: For each the repository and options.
    """
    code = f"""
import json
from pathlib import Path
from engine.errors import StudioError
from engine.studio import Studio
from engine.workspace import Workspace, read_object
studio = Studio(Workspace(Path({str(tmp_path / "there")!r})))
def fetched(repository, options):
    try:
        voice = studio.hub.fetch(repository, "", {str(model)!r}, **options).wait(100)
    except StudioError as error:
        return str(error)
    folder = studio.workspace.adapters / voice.removeprefix("adapter:")
    files = sorted(file.name for file in folder.iterdir())
    return [studio.playground.voice(voice).label, read_object(folder / "hub.json"), files]
print(json.dumps([fetched(*asked) for asked in {asked!r}]))
"""
    done = run_with(hub.address, tmp_path / "home", code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_adapter_comes_with_its_commit_and_its_hash_and_no_other_is_taken(run, tiny_model, tmp_path):
    folder = tmp_path / "exported"
    folder.mkdir()
    export(run, folder, with_tickets=True)
    digest = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()
    with serving(FakeHub({"jane/shop": folder, "jane/base": tiny_model})) as hub:
        (label, origin, files), other_hash, no_adapter, nothing, no_id = fetch_each(
            hub,
            tmp_path,
            tiny_model,
            ("jane/shop", {"sha256": digest.upper()}),
            ("jane/shop", {"sha256": "0" * 64}),
            ("jane/base", {}),
            ("jane/nothing", {}),
            ("../../etc", {}),
        )
    assert label == "jane/shop"
    assert origin == {"repository": "jane/shop", "commit": COMMIT, "sha256": digest}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= set(files)
    assert not any("lookup_tickets" in asked or "usage.py" in asked for asked in hub.asked)
    assert "not those that were named" in other_hash
    assert "holds no adapter" in no_adapter
    assert "has no 'jane/nothing'" in nothing
    assert "no id of the model hub" in no_id
