"""A person looks through the tickets: reviews what is masked, rewrites an answer, leaves things out, prepares again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_window

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def mode(page, label):
    page.locator("#list-mode label", has_text=label).click()


def prepared(page, tiny_model):
    """The sample shop, looked at through the tiny model's tokenizer."""
    page.locator("#tab-recipe-button").click()
    page.locator("#other-model textarea, #other-model input").first.fill(str(tiny_model))
    page.locator("#use-other-model").click()
    expect(page.locator("#models")).to_contain_text(tiny_model.name)
    page.locator("#tab-tickets-button").click()
    page.locator("#try-sample").click()
    expect(page.locator("#summary")).to_contain_text("to learn from")


def test_a_term_is_allowed_and_an_answer_is_rewritten(page, program, tiny_model):
    prepared(page, tiny_model)
    mode(page, "Masked")
    row = page.locator("#conversations .terms tr").nth(1)
    term = row.locator(".term").inner_text()
    row.locator(".term").click()
    place = page.locator("#conversations .places li").first
    expect(place).to_contain_text(term)
    ticket = place.locator("[data-do=pick]").get_attribute("data-ticket")
    page.get_by_role("button", name=f"‘{term}’ is not personal").click()
    expect(page.locator("#pending")).to_contain_text("from the next run on")
    page.locator("#pending [data-do=again]").click()
    expect(page.locator("#pending")).to_contain_text(term)
    expect(page.locator("#pending [data-do=again]")).to_have_count(0)
    expect(page.locator("#conversations .terms .term", has_text=re.compile(f"^{re.escape(term)}$"))).to_have_count(0)

    mode(page, "Conversations")
    page.locator("#search textarea, #search input").first.fill(ticket)
    page.locator(f"[data-key=ticket-{ticket}]").click()
    expect(page.locator("#learn-view .pieces .piece-learnt").first).to_be_visible()
    expect(page.locator("#learn-view")).to_contain_text(term)
    page.locator("#learn-view [data-do=rewrite]").first.click()
    box = page.locator("#rewrite-text textarea")
    expect(box).to_be_visible()
    box.fill("We mended it with great care.")
    page.locator("#rewrite-save").click()
    expect(page.locator("#learn-view .pieces .piece-learnt").first).to_have_text("We mended it with great care.")
    expect(page.locator("#rewrite-text textarea")).to_be_hidden()
    expect(page.locator("#reader-notice [data-do=undo]")).to_be_visible()

    open_window(page, program)
    mode(page, "Changed by you")
    expect(page.locator("#conversations .changes")).to_have_count(2)
    expect(page.locator("#conversations")).to_contain_text("We mended it with great care.")
    page.locator("#conversations [data-what=answer]").click()
    expect(page.locator("#conversations .changes")).to_have_count(1)


def test_a_bad_file_is_told_and_a_good_one_can_be_dropped_at_once(page, program, tmp_path):
    bad, good = tmp_path / "bad.jsonl", tmp_path / "good.csv"
    bad.write_bytes(b"")
    rows = "".join(f"How is thing {number} used?;With great care, number {number}.\n" for number in range(60))
    good.write_text("question;answer\n" + rows, encoding="utf-8")
    if page.locator("#data-set").is_visible():
        page.locator("[data-do=bring][data-kind=dataset]").click()
    for file in (bad, good):
        page.locator("#drop input[type=file]").set_input_files(file)
        if file is bad:
            expect(page.locator("#import-notice")).to_contain_text("bad.jsonl is empty")
    expect(page.locator("#found")).to_contain_text("semicolon")
    page.locator("#prepare").click()
    expect(page.locator("#quality")).to_contain_text("Answers, in characters")
    expect(page.locator("#data-set-title")).to_contain_text("good")
