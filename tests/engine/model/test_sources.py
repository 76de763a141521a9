"""How a base model is called for others."""

import pytest

from engine.errors import ModelError
from engine.model.sources import check_reference, is_hub_id, public_name


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("starter", "starter"),
        ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("/home/jane/models/mine", "mine"),
        ("/home/jane/models/mine/", "mine"),
        ("~/mine", "mine"),
        ("../jane/mine", "mine"),
        ("./mine", "mine"),
        ("C:\\Users\\jane\\mine", "mine"),
        (
            "/home/jane/.cache/huggingface/hub/models--Qwen--Qwen3-4B/snapshots/1cfa9a7208912126459214e8b04321603b3df60c",
            "Qwen/Qwen3-4B",
        ),
        ("/", "model"),
        ("..", "model"),
    ],
)
def test_a_folder_is_known_to_others_by_its_name_alone(model, name):
    assert public_name(model) == name


def test_an_id_of_the_hub_is_told_from_a_path():
    assert is_hub_id("Qwen/Qwen3-4B")
    assert not any(is_hub_id(text) for text in ("mine", "/a/b", "../b", "a/b/c", "a/..b", "-a/b", "a--b/c", ""))


@pytest.mark.parametrize("text", ["nonsense model", "", "Qwen", "a/b/c", "/nowhere/at/all", "~/nothing here"])
def test_what_can_be_no_model_is_refused_without_asking_anybody(text):
    with pytest.raises(ModelError, match="no model folder"):
        check_reference(text)


def test_a_folder_is_looked_into(tiny_model, tmp_path):
    check_reference(str(tiny_model))
    check_reference("starter")
    check_reference("Qwen/Qwen3-4B")
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        check_reference(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no weights"):
        check_reference(str(tmp_path))
