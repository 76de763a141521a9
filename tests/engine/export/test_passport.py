"""The passport of an export: enough to tell a wrong base or an altered file, and nothing of a ticket."""

import hashlib
import json
import shutil

import pytest

from engine.export.passport import altered, read_passport
from engine.recipe import Recipe
from engine.workspace import read_json, write_json
from tests.engine.export.conftest import TICKET, export, to_checkpoints


@pytest.fixture
def exported(run, tmp_path):
    (tmp_path / "exported").mkdir()
    return export(run, tmp_path / "exported")


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_it_says_what_was_learnt_from_and_over_what(run, tiny_base, exported):
    told = read_passport(exported)
    assert told["base"] == {
        "model": "model",
        "revision": None,
        "weights_mark": tiny_base.mark,
        "packed": {"type": "nf4", "double_quantisation": True},
    }
    assert told["data"]["train"] == {"conversations": 1, "sha256": sha256(run.data / "train.jsonl")}
    assert told["data"]["report"]["redactions"] == {"email": 30, "phone": 4}
    assert told["heldout_loss"] == {"base": 4.0, "tuned": 1.5, "step": 6}
    assert told["template_sha256"] == sha256(run.adapter / "chat_template.jinja")
    assert told["environment"]["torch"] == "2.13.0+cpu"
    assert told["recipe"] == run.recipe.to_dict() | {"model": "model"}
    assert told["files"].keys() == {file.name for file in exported.iterdir()} - {"passport.json"}


def test_it_holds_no_word_of_a_ticket_and_no_path(run, exported, tmp_path):
    text = (exported / "passport.json").read_text()
    assert not any(word in text for word in TICKET.split() if len(word) > 3 and word != "parcel")
    assert str(tmp_path) not in text
    assert run.recipe.model not in text


def test_an_altered_or_a_missing_file_is_named(exported):
    told = read_passport(exported)
    assert altered(exported, told, lambda *_: None) == []
    weights = exported / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (exported / "usage.py").unlink()
    assert altered(exported, told, lambda *_: None) == ["adapter_model.safetensors", "usage.py"]
    assert altered(exported, {"files": {"../../etc/hosts": "0"}}, lambda *_: None) == ["../../etc/hosts"]


def test_a_checkpoint_says_over_which_weights_it_learns_as_the_finished_adapter_does(run, tiny_base, tmp_path):
    noted = read_json(run.path / "environment.json") | {"base_weights": tiny_base.mark}
    write_json(run.path / "environment.json", noted)
    to_checkpoints(run, 6)
    (tmp_path / "early").mkdir()
    made = export(run, tmp_path / "early")
    assert read_passport(made)["base"]["weights_mark"] == tiny_base.mark
    assert read_json(made / "base_weights.json") == {"mark": tiny_base.mark}


def test_peft_alone_finds_the_base_beside_it(run, tiny_model, tmp_path):
    """A local base lies under its name where the person works; nothing of this program is asked."""
    from peft import AutoPeftModelForCausalLM

    (tmp_path / "exported").mkdir()
    export(run, tmp_path / "exported")
    shutil.copytree(tiny_model, tmp_path / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert AutoPeftModelForCausalLM.from_pretrained("exported").peft_config


def test_peft_is_told_of_the_starter_by_a_name_that_the_hub_knows(run, tmp_path):
    write_json(run.path / "recipe.json", Recipe(model="starter").to_dict())
    (tmp_path / "exported").mkdir()
    made = export(run, tmp_path / "exported")
    assert read_json(made / "adapter_config.json")["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert json.loads((made / "recipe.json").read_text())["model"] == "starter"
    card = (made / "README.md").read_text()
    assert "AutoPeftModelForCausalLM" in card
    assert "not the one that was trained over" in card
