"""What an open page does while nobody looks after it."""

from tests.browser.conftest import open_window

COUNTED = """
window.frames_asked = 0;
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => { window.frames_asked++; return ask(draw); };
"""
QUIET = """() => new Promise((done) => {
  const before = window.frames_asked;
  setTimeout(() => done(window.frames_asked - before < 10), 1000);
})"""


def test_a_page_at_rest_leaves_the_processor_to_the_run(page, program):
    """Gradio's clock of its loading screen asked for 60 frames a second as long as the page was open."""
    page.add_init_script(COUNTED)
    open_window(page, program)
    assert page.evaluate("window.frames_asked") > 0
    page.wait_for_function(QUIET)


def test_a_page_begins_in_the_colours_that_were_chosen(browser, program):
    """Dark on a light system: no white page before the window is there."""
    context = browser.new_context(color_scheme="light")
    try:
        page = context.new_page()
        page.goto(program.entrance)
        page.evaluate("localStorage.setItem('ticket-tuner-theme', 'dark')")
        page.route("**/assets/**", lambda route: route.abort())  # none of Gradio's scripts
        page.goto(program.address, wait_until="commit")
        page.wait_for_function("document.body && getComputedStyle(document.documentElement).colorScheme === 'dark'")
    finally:
        context.close()


def test_an_open_page_asks_past_gradio_under_the_name_that_it_was_given(page, program):
    open_window(page, program)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        with page.expect_response(lambda response: response.url.endswith("/live")) as answered:
            pass
        assert answered.value.status == 200
        assert answered.value.json()["begun"] is True
        asked.append("answered")
    between = asked[asked.index("answered") + 1 :]
    assert not [url for url in between if "/gradio_api/" in url and "heartbeat" not in url]
