"""Taking home what a run has learnt, in its middle and at its end, and bringing an adapter in."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from engine.workspace import Workspace
from tests.engine.export.conftest import finished_run, to_checkpoints
from tests.tiny import write_data


@pytest.fixture
def run_in_the_middle(program, page, tiny_base, tmp_path):
    """A run with checkpoints and no result, as the program finds it when it is started again."""
    made = finished_run(Workspace(program.workspace), write_data(tmp_path / "data"), tiny_base)
    to_checkpoints(made, 6, 12)
    return made


def test_a_checkpoint_can_be_taken_home_and_an_adapter_brought_in(page, run_in_the_middle, tmp_path):
    page.locator("#tab-export-button").click()
    expect(page.locator("#export-about")).to_contain_text("The checkpoint of step 12 of 12 can be taken home")
    with page.expect_download(timeout=300_000) as waiting:
        page.locator("#download").click()
    taken = tmp_path / "taken.zip"
    waiting.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        assert "checkpoint of step 12" in archive.read("README.md").decode()
        assert "optimizer.pt" not in archive.namelist()

    expect(page.locator("#usage pre")).to_have_count(0)
    page.locator("#usage-panel > button").click()
    expect(page.locator("#usage pre").first).to_contain_text("PeftModel.from_pretrained")

    page.locator("#tab-tickets-button").click()
    page.locator("[data-key=bring-adapter]").click()
    expect(page.locator("#import-folder :is(input, textarea)")).to_be_focused()
    expect(page.locator("#import-adapter")).to_be_in_viewport(ratio=1)
    page.locator("#import-zip input[type=file]").set_input_files(taken)
    page.locator("#import-name :is(input, textarea)").fill("Taken early")
    page.locator("#import-adapter").click()
    expect(page.locator("#import-done")).to_contain_text("Taken early", timeout=300_000)
    expect(page.locator("#import-done")).to_contain_text("It answers as the playground does")

    page.locator("#export-tiles [data-do=ask]").click()
    expect(page.locator("#tab-playground-button")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-voice$='@12']")).to_be_visible()


@pytest.mark.usefixtures("run_in_the_middle")
def test_a_whole_model_is_made_by_keyboard_and_is_there_after_a_reload(page):
    page.locator("#tab-export-button").click()
    page.locator("[data-key=make-merged]").focus()
    page.keyboard.press("Enter")
    card = page.locator("#export-tiles section[data-format=merged]")
    expect(card.locator(".path")).to_contain_text("-merged", timeout=300_000)
    expect(page.locator("#export-done")).to_contain_text("Saved as")
    made = Path(card.locator(".path").inner_text())
    assert list(made.parent.iterdir()) == [made], "no scratch folder is left"
    page.reload()
    page.locator("#tab-export-button").click()
    card.locator("summary").click()
    expect(card.locator(".command").first).to_contain_text("usage.py")
    with page.expect_download(timeout=300_000) as waiting:
        card.locator("[data-do=fetch]").click()
    assert waiting.value.suggested_filename.endswith("-merged.zip")
