from tests.ui.fake_studio import FakeStudio
from ui.export import views


def test_the_card_is_shown_without_its_front_matter():
    assert views.card_body("---\nlibrary_name: peft\n---\n# Run 1\n\nText --- more\n") == "# Run 1\n\nText --- more"
    assert views.card_body("# Run 1") == "# Run 1"


def test_only_runs_with_an_adapter_can_be_exported(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run("Run 1")
    studio.add_run("Run 2", "interrupted", 12)
    assert views.exportable(studio.runs.all()) == [("Run 1 (held-out 0.74)", "run-1")]


def test_the_package_names_its_files_and_size(tmp_path):
    shown = views.package(19_600_000)
    assert "adapter_model.safetensors" in shown
    assert "20 MB" in shown
