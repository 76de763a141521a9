"""The tab 'Help desk' as an agent has it open all day, and as a person connects a program with it."""

import httpx
import pytest
from playwright.sync_api import expect

from engine.studio import Studio
from engine.workspace import Workspace
from tests.browser.conftest import open_window
from tests.engine.chat.lora import make_lora

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
TICKET = "where is my parcel please? my mail is ada@shop.example"


@pytest.fixture
def desk(page, context, program, tiny_base, tiny_model, tmp_path):
    """The tab, with an adapter that can draft."""
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=program.address)
    if not list((program.workspace / "adapters").iterdir()):
        there = Studio(Workspace(program.workspace)).adapters
        there.bring_in(make_lora(tiny_base, tmp_path / "lora", seed=1), "Our shop", str(tiny_model))
    open_window(page, program)
    page.locator("#tab-desk-button").click()
    expect(page.locator("#desk-voice input")).to_have_value("Our shop")
    return page


def test_a_pasted_ticket_gets_a_draft_that_is_copied_by_keyboard(desk):
    desk.locator("#desk-ticket textarea").fill(TICKET)
    desk.locator("#desk-ticket textarea").press("Control+Enter")
    copies = desk.locator("#desk-result [data-copy-answer]")
    expect(copies).to_be_visible(timeout=120_000)
    expect(desk.locator("#desk-result")).to_contain_text("1 value hidden from the model")
    expect(desk.locator("#desk-draft")).to_be_visible()
    expect(desk.locator("#desk-stop")).not_to_be_visible()
    copies.press("Enter")
    said = desk.locator("#desk-result [data-answer]").inner_text()
    desk.wait_for_function("async (said) => (await navigator.clipboard.readText()).trim() === said.trim()", arg=said)


def test_a_ticket_that_is_empty_is_told_in_its_place(desk):
    desk.locator("#desk-draft").click()
    expect(desk.locator("#desk-result")).to_contain_text("There is no ticket yet.")
    expect(desk.locator("#desk-draft")).to_be_visible()


def test_a_program_gets_in_with_a_key_and_is_out_once_it_is_revoked(desk, program, toasts):
    desk.locator("#desk-connect").get_by_text("Connect your help desk").click()
    desk.locator("#api-switch input").check()
    expect(desk.locator("#api-state [data-copy]")).to_have_text(f"{program.address}/v1")
    expect(desk.locator("#api-snippets")).to_contain_text(f"curl {program.address}/v1/chat/completions")
    expect(desk.locator("#api-snippets")).to_contain_text('"model": "our-shop"')
    desk.locator("#api-key-name :is(input, textarea)").fill("Zendesk")
    desk.locator("#api-make-key").click()
    secret = desk.locator("#api-made [data-copy]").inner_text().strip()

    def listed():
        return httpx.get(f"{program.address}/v1/models", headers={"Authorization": f"Bearer {secret}"}, timeout=60)

    assert "our-shop" in [model["id"] for model in listed().json()["data"]]
    desk.get_by_role("button", name="Revoke Zendesk").click()
    desk.locator("#api-keys [data-do=revoke]").click()
    expect(desk.locator("#api-keys")).to_contain_text("There is no key yet")
    toasts.read(desk, "is revoked")
    assert listed().status_code == 401
    desk.locator("#api-switch input").uncheck()
    expect(desk.locator("#api-state")).to_contain_text("nobody is answered")
