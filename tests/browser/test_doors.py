"""A stranger's page in the same browser, and what our own page may do under its policy."""

import http.server
import threading

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TRY = """async (address) => {
  const form = new FormData();
  form.append("files", new Blob(["question,answer\\n"]), "export.csv");
  const tries = [
    fetch(`${address}/config`).then((answer) => answer.text()),
    fetch(`${address}/gradio_api/upload`, { method: "POST", body: form, mode: "no-cors" }).then(() => "sent"),
    fetch(`${address}/gradio_api/call/prepare_sample`, { method: "POST", mode: "no-cors",
      body: JSON.stringify({ data: [] }) }).then(() => "sent"),
  ];
  return (await Promise.allSettled(tries)).map((tried) => tried.status === "rejected" ? "refused" : tried.value);
}"""

FRAME = "(address) => { document.body.append(document.createElement('iframe')); frames[0].location = address; }"
INLINE = """() => {
  document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=\\"document.title = 'taken'\\">");
  const script = document.createElement("script");
  script.textContent = "document.title = 'taken'";
  document.body.append(script);
  const image = document.querySelector("img[src=x]");
  return new Promise((done) => image.addEventListener("error", () => setTimeout(done)));
}"""


@pytest.fixture
def stranger():
    """Another program on this computer that serves a page of its own; yields its address."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Stranger</title><p>Nothing to see here.")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_on_another_port_reads_nothing_changes_nothing_and_shows_no_frame(browser, program, page, stranger):
    other = browser.new_context().new_page()
    other.goto(stranger)
    told = other.evaluate(TRY, program.address)
    assert told[0] == "refused"
    with other.expect_response(lambda answer: answer.url.startswith(program.address)) as framed:
        other.evaluate(FRAME, program.address)
    assert framed.value.status == 403
    assert not list((program.workspace / "datasets").iterdir())
    assert not list((program.workspace / "cache" / "window").rglob("export.csv"))
    other.context.close()


def test_a_browser_without_the_key_is_told_how_to_get_in_and_gets_in(browser, program):
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(program.address)
        expect(page.get_by_role("heading")).to_have_text("This window opens with a key.")
        page.get_by_label("Key").fill("not this one")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading")).to_have_text("This key is not the right one.")
        page.get_by_label("Key").fill(program.key)
        page.get_by_role("button", name="Open").click()
        page.wait_for_selector("html[data-ready]", state="attached")
        assert program.key not in page.url
        page.goto(program.address)
        page.wait_for_selector("html[data-ready]", state="attached")
    finally:
        context.close()


def test_a_link_from_another_site_lets_in_too(browser, program, stranger):
    """The file that the browser is opened with is another site: it would keep the cookie from a redirect."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(stranger.replace("127.0.0.1", "localhost"))
        page.evaluate("(address) => { location.href = address; }", program.entrance)
        page.wait_for_selector("html[data-ready]", state="attached")
        assert program.key not in page.url
    finally:
        context.close()


def test_a_page_whose_key_is_no_longer_right_says_how_to_get_in(browser, program):
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(program.entrance)
        page.wait_for_selector("html[data-ready]", state="attached")
        program.end()
        (program.workspace / "key").unlink()
        program.start()
        expect(page.get_by_role("heading", name="This window opens with a key.")).to_be_visible()
    finally:
        context.close()


def test_the_page_works_under_its_policy_and_a_script_in_a_ticket_does_not(page, tmp_path):
    """Every tab, a chart, both themes and an upload; what the policy forbids would fail the fixture."""
    asked = [
        f"<img src=x onerror=document.title='taken'> How is thing {n} used?;With care, number {n}." for n in range(60)
    ]
    export = tmp_path / "tickets.csv"
    export.write_text("question;answer\n" + "\n".join(asked), encoding="utf-8")
    page.locator("#drop input[type=file]").set_input_files(export)
    expect(page.locator("#found")).to_contain_text("semicolon")
    page.locator("#prepare").click()
    expect(page.locator("#conversations .list-row").first).to_be_visible()
    # the first of them waits for the starter model, which may have to be unpacked
    expect(page.locator("#quality .plot svg, #lengths svg, .plot svg").first).to_be_visible(timeout=240_000)
    for name in ("recipe", "training", "playground", "export", "desk", "tickets"):
        page.locator(f"#tab-{name}-button").click()
        expect(page.locator(f"#tab-{name}-button")).to_have_attribute("aria-selected", "true")
        page.locator("#theme-button").click()
    assert page.title() == "Ticket Tuner"


def test_a_script_without_the_number_does_not_run(page, program):
    """The guard itself, past the fixture's watch: inline handlers and scripts written into the page stay dead."""
    other = page.context.new_page()
    other.goto(program.entrance)
    other.wait_for_selector("html[data-ready]", state="attached")
    other.evaluate(INLINE)
    assert other.title() == "Ticket Tuner"
    other.close()
