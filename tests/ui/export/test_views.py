from dataclasses import replace

import pytest

from tests.ui.fake_studio import FakeStudio
from tests.ui.fake_tickets import HOSTILE
from ui.export import views

pytestmark = pytest.mark.ui


def in_the_middle(studio, name="Run 2"):
    """A run in progress with a checkpoint of step 10."""
    identifier = studio.add_run(name, "running", 12)
    studio.run_infos[identifier] = replace(studio.run_infos[identifier], checkpoint=10)
    return studio.run_infos[identifier]


def test_the_card_is_shown_without_its_front_matter_and_title():
    assert views.card_body("---\nlibrary_name: peft\n---\n# Run 1\n\nText --- more\n") == "Text --- more"
    assert views.card_body("Text\n## Limits") == "Text\n## Limits"


def test_runs_with_an_adapter_or_a_checkpoint_can_be_taken_home(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run("Run 1")
    in_the_middle(studio)
    waiting = studio.add_run("Run 3", "queued", 0)
    studio.run_infos[waiting] = replace(studio.run_infos[waiting], checkpoint=0)
    assert views.exportable(studio.runs.all(), []) == [
        ("Run 2 (checkpoint of step 10)", "run-2"),
        ("Run 1 (held-out 0.74)", "run-1"),
    ]


def test_in_the_middle_of_a_run_it_says_which_checkpoint_is_taken(tmp_path):
    studio = FakeStudio(tmp_path)
    run = in_the_middle(studio)
    assert "The checkpoint of step 10 of 30 can be taken home now" in views.about(run)
    assert views.download_label(run, 19_600_000) == "Download checkpoint of step 10 (20\N{NO-BREAK SPACE}MB)"
    studio.add_run("Run 1")
    ended = studio.runs.info("run-2")
    assert "checkpoint" not in views.about(ended) + views.download_label(ended, 1)


def test_names_are_escaped(tmp_path):
    studio = FakeStudio(tmp_path)
    run = studio.runs.info(studio.add_run(HOSTILE))
    assert "<img" not in views.about(run)


def test_the_package_names_its_files():
    assert "adapter_model.safetensors" in views.package()
