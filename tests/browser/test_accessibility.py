"""What axe-core says of every tab, in light and dark: nothing serious; and how many sizes of type are seen."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from engine.workspace import Workspace
from tests.browser.conftest import open_window
from tests.engine.export.conftest import finished_run
from tests.tiny import write_data

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

TABS = ("tickets", "recipe", "training", "playground", "export", "desk")
GRAVE = ("serious", "critical")
ALL = {"resultTypes": ["violations"]}
COLOURS = {**ALL, "runOnly": ["color-contrast"]}
"""What differs between light and dark."""
SIZES = """() => {
  const seen = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement, box = holder.getBoundingClientRect();
    if (!node.textContent.trim() || !box.width || holder.closest("svg, script, style")) continue;
    const size = getComputedStyle(holder).fontSize;
    if (size !== "0px") (seen[size] ??= []).push(node.textContent.trim().slice(0, 30));
  }
  return seen;
}"""


def findings(page, where, rules=ALL):
    """Each serious or critical finding as a line: where, the rule, the element."""
    found = Axe().run(page, options=rules).response["violations"]
    return [
        f"{where}: {seen['id']} ({seen['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
        for seen in found
        if seen["impact"] in GRAVE
        for node in seen["nodes"]
    ]


def look_at_every_tab(page, what, rules=ALL):
    """Open each tab, and return what axe finds."""
    found = []
    for name in TABS:
        page.locator(f"#tab-{name}-button").click()
        expect(page.locator(f"#tab-{name}")).to_be_visible()
        page.locator(f"#tab-{name} :is(button, input):visible").first.wait_for()
        found += findings(page, f"{what}, {name}", rules)
    return found


def test_an_empty_window_has_nothing_that_shuts_people_out(page):
    assert look_at_every_tab(page, "empty") == []


def test_the_search_for_faults_finds_one(page):
    page.evaluate("document.querySelector('#header').insertAdjacentHTML('beforeend', '<input>')")
    assert any("label (critical)" in line for line in findings(page, "with a field without a name"))


def test_a_window_with_tickets_and_runs_has_nothing_that_shuts_people_out(page, program, tiny_base, tmp_path):
    page.locator("#tab-tickets-button").click()
    page.locator("#try-sample").click()
    expect(page.locator("#conversations .list-row").first).to_be_visible()
    finished_run(Workspace(program.workspace), write_data(tmp_path / "data"), tiny_base)
    open_window(page, program)
    expect(page.locator("#sidebar [data-kind=run].side-pick")).to_be_visible()
    found = look_at_every_tab(page, "in use")
    for opens, shown in (("#find-button", ".palette"), ("#help-button", "#help")):
        page.locator(opens).click()
        expect(page.locator(shown)).to_be_visible()
        found += findings(page, shown)
        page.keyboard.press("Escape")
    page.locator("#theme-button").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found += look_at_every_tab(page, "in the dark", COLOURS)
    page.set_viewport_size({"width": 390, "height": 844})
    found += findings(page, "on a phone")
    assert found == []


def test_five_sizes_of_type_are_seen(page):
    page.set_viewport_size({"width": 1440, "height": 900})
    seen = {}
    for name in TABS:
        page.locator(f"#tab-{name}-button").click()
        page.locator(f"#tab-{name} :is(button, input):visible").first.wait_for()
        for size, texts in page.evaluate(SIZES).items():
            seen.setdefault(size, []).extend(texts[:3])
    assert len(seen) <= 5, seen
