"""How a base model is called for others."""

import pytest

from engine.model.sources import is_hub_id, public_name


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
