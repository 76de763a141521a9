"""The window over a workspace in which several things are damaged at once."""

import shutil

import pytest
from playwright.sync_api import expect

from engine.studio import Studio
from engine.workspace import Workspace
from tests.browser.conftest import open_window
from tests.engine.test_damage import write_adapter, write_run
from tests.program import running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TABS = ("tickets", "recipe", "training", "playground", "export", "desk")


@pytest.fixture(scope="module")
def program(tmp_path_factory, tiny_model, starter):
    """A started program whose workspace holds a whole data set and run, and much that is damaged."""
    root = tmp_path_factory.mktemp("damaged") / "workspace"
    studio = Studio(Workspace(root))
    whole = studio.tickets.prepare_sample().wait(60)
    for number, file in enumerate(("report.json", "train.jsonl", "origin.json")):
        folder = shutil.copytree(root / "datasets" / whole, root / "datasets" / f"2026010{number}-120000-{number}")
        (folder / file).write_bytes(b"[]")
    for number, file in enumerate(("recipe.json", "status.json")):
        run = write_run(studio.workspace, tiny_model)
        (run.path / file).write_bytes(b"7" if number % 2 else b"\x00\xff")
    write_adapter(root / "adapters" / "by hand")
    (write_adapter(root / "adapters" / "about") / "about.json").write_text("null")
    (root / "adapters" / "empty").mkdir()
    (root / "recipes" / "mine.json").write_text("{")
    studio.close()
    with running(root.parent, starter=starter) as started:
        yield started


def test_every_tab_opens_and_what_is_damaged_can_be_deleted_and_brought_back(page, program, toasts):
    lists, damaged = page.locator("#sidebar-lists"), page.locator("#sidebar-lists .side-damaged")
    expect(lists).to_contain_text("Sample shop")
    expect(lists).to_contain_text("by hand")
    expect(damaged).to_have_count(3)
    for words in ("report.json is missing or damaged", "empty holds no adapter", "mine.json in"):
        expect(damaged.filter(has_text=words)).to_have_count(1)
    expect(page.locator("#status-device")).to_contain_text("GB")

    for kind, tab in (("dataset", "tickets"), ("run", "training"), ("adapter", "playground")):
        rows = lists.locator(f"[data-do=pick][data-kind={kind}]")
        for index in range(rows.count()):
            rows.nth(index).click()
            expect(page.locator(f"#tab-{tab}")).to_be_visible()
            if kind == "adapter":
                expect(rows.nth(index)).to_contain_text("in the playground")
            else:
                expect(rows.nth(index)).to_have_attribute("aria-current", "true")
    for tab in TABS:
        page.locator(f"#tab-{tab}-button").click()
        expect(page.locator(f"#tab-{tab}")).to_be_visible()

    gone = damaged.filter(has_text="empty holds no adapter")
    gone.locator("[data-do=delete]").click()
    expect(damaged).to_have_count(2)
    expect(page.locator("#undo")).to_contain_text("‘empty’ was deleted")
    page.locator("#undo [data-do=undo]").click()
    expect(gone).to_have_count(1)
    open_window(page, program)
    expect(damaged).to_have_count(3)
    assert toasts.unread
    assert [words for words in toasts.unread if "damaged" not in words] == []
    toasts.unread.clear()
