"""Models of the hub, over real HTTP with a hub of our own."""

import json

from tests.fake_hub import FakeHub, run_with, serving

ASK = """
import json, time
from engine.errors import ModelError
from engine.model import hub, sources
said = {}
for model in ("shop/tiny", "shop/none", "shop/packed"):
    try:
        said[model] = sources.check(model) or "is there"
    except ModelError as error:
        said[model] = str(error)
print(json.dumps(said))
"""

FETCH = """
import json
from engine.model import hub
told = []
before = hub.is_here("shop/tiny")
hub.fetch("shop/tiny", lambda *said: told.append(said), weights=False)
texts = hub.is_here("shop/tiny", weights=False), hub.is_here("shop/tiny")
hub.fetch("shop/tiny", lambda *said: told.append(said))
print(json.dumps([before, *texts, hub.is_here("shop/tiny"), told]))
"""

AGAIN = """
import json
from engine.model import hub, sources
told = []
sources.check("shop/tiny")
hub.fetch("shop/tiny", lambda *said: told.append(said))
print(json.dumps(told))
"""


def last_line(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_hub_is_asked_whether_it_has_a_model(tiny_model, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "model.Q4_1.gguf").write_bytes(b"GGUF")
    with serving(FakeHub({"shop/tiny": tiny_model, "shop/packed": packed})) as fake:
        said = last_line(run_with(fake.address, tmp_path / "home", ASK))
        assert said["shop/tiny"] == "is there"
        assert "has no 'shop/none'" in said["shop/none"]
        assert "GGUF files, which are packed already" in said["shop/packed"]
        assert len([path for path in fake.asked if "/models/" in path]) == 3, "one question each"


def test_without_a_network_that_is_said_at_once(tmp_path):
    code = "import logging; logging.basicConfig()\n" + ASK
    done = run_with("http://127.0.0.1:9", tmp_path, code)
    said = last_line(done)
    assert all("the model hub cannot be reached" in sentence for sentence in said.values())
    assert "Retrying" not in done.stderr, "transformers would try for 24 seconds"


def test_a_fetched_model_is_never_asked_for_again(tiny_model, tmp_path):
    with serving(FakeHub({"shop/tiny": tiny_model})) as fake:
        before, texts, no_weights, whole, told = last_line(run_with(fake.address, tmp_path, FETCH))
        assert (before, texts, no_weights, whole) == (False, True, False, True)
        sizes = [stage for stage, _ in told if stage.startswith("Fetching shop/tiny (")]
        assert sizes
        assert sizes[0].startswith("Fetching shop/tiny (0.0 of ")
        fake.asked.clear()
        assert last_line(run_with(fake.address, tmp_path, AGAIN)) == []
        assert not [path for path in fake.asked if "shop/tiny" in path]
