"""What a page asks the program for: of the tab that is seen, once, and nothing of the others."""

import json
import threading

import pytest
from playwright.sync_api import expect

from tests.program import free_port
from tests.ui.fake_studio import FakeStudio
from ui.layout import build_app
from ui.server.doors.entry import read_entry
from ui.server.serving import Server, served
from ui.shell.theme import launch_options

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TICKETS, CARD = "tickets.get", "card"


class Noting(FakeStudio):
    """Notes what is costly: reading a data set, and writing a run's card, which loads a tokenizer; starts when told."""

    def __init__(self, root):
        super().__init__(root)
        self.may_start = threading.Event()
        self.may_start.set()
        read, write, begin = self.tickets.get, self.export.card, self.runs.start
        self.tickets.get = lambda identifier: (self.calls.append((TICKETS, identifier)), read(identifier))[1]
        self.export.card = lambda run: (self.calls.append((CARD, run)), write(run))[1]

        def start(*how):
            self.calls.append(("pressed",))
            assert self.may_start.wait(60)
            return begin(*how)

        self.runs.start = start


class Watched:
    """A page, the engine behind it, and the handlers that the page has called."""

    def __init__(self, page, app, studio):
        self.page, self.app, self.studio = page, app, studio
        self.handlers: list[str] = []
        page.on("request", self._seen)

    def _seen(self, request):
        if "/queue/join" in request.url:
            handler = self.app.fns[json.loads(request.post_data)["fn_index"]].fn
            self.handlers.append(getattr(handler, "__wrapped__", handler).__name__)

    def settle(self):
        """Wait until the program has answered all, and the page has nothing more to ask."""
        quiet, queue = 0, self.app._queue
        while quiet < 5:
            before = len(self.handlers)
            self.page.wait_for_timeout(60)
            working = len(queue) or queue.get_active_worker_count()
            quiet = 0 if working or len(self.handlers) != before else quiet + 1

    def begin(self):
        """Wait for what is still going on, and forget what was called so far."""
        self.settle()
        self.handlers.clear()
        self.studio.calls.clear()

    def costly(self):
        return [call[0] for call in self.studio.calls if call[0] in (TICKETS, CARD)]

    def open(self, name):
        self.page.locator(f"#tab-{name}-button").click()


@pytest.fixture(scope="module")
def faked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faked")
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(folder / "passing"))
    studio = Noting(folder)
    studio.add_run("First")
    studio.add_run("Second")
    app = build_app(studio, folder / "downloads")
    entry = read_entry("127.0.0.1", free_port(), "", None, None, None, (), False)
    server = Server(*served(app, False, **launch_options()), entry)
    server.start()
    yield app, studio, entry.address
    server.close()
    patch.undo()


@pytest.fixture
def watched(context, toasts, faked):
    app, studio, address = faked
    page = context.new_page()
    made = Watched(page, app, studio)
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("#lengths svg")).to_be_visible()  # the tokens are counted, and nothing ticks any more
    return made


def test_a_page_that_opens_draws_the_tab_that_is_seen(watched):
    expect(watched.page.locator("#conversations .list-row").first).to_be_visible()
    expect(watched.page.locator("#sidebar-lists")).to_contain_text("Second")
    assert watched.handlers.count("begin") == 1
    assert CARD not in watched.costly()


def test_a_page_that_opens_on_another_tab_reads_no_ticket(watched):
    watched.open("training")
    expect(watched.page.locator("#run-title")).to_contain_text("Second")
    watched.begin()
    watched.page.reload()
    watched.page.wait_for_selector("html[data-ready]", state="attached")
    expect(watched.page.locator("#run-title")).to_contain_text("Second")
    assert watched.costly() == []


def test_picking_a_ticket_asks_nothing_of_another_tab(watched):
    rows = watched.page.locator("#conversations .list-row")
    expect(rows.first).to_be_visible()
    watched.begin()
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    watched.settle()
    assert watched.handlers == ["pick", "follow"]
    assert CARD not in watched.costly()


def test_a_run_that_is_picked_is_drawn_once_and_no_ticket_is_read(watched):
    watched.begin()
    watched.page.locator("#sidebar-lists [data-key=run-run-1]").click()
    expect(watched.page.locator("#run-title")).to_contain_text("First")
    watched.settle()
    assert sorted(watched.handlers) == ["follow", "open_tab", "pick"]
    assert watched.costly() == []
    watched.begin()
    watched.page.locator("#sidebar-lists [data-key=run-run-2]").click()
    expect(watched.page.locator("#run-title")).to_contain_text("Second")
    watched.settle()
    assert watched.handlers == ["pick", "follow"]


def test_a_data_set_that_is_picked_where_it_is_shown_begins_anew(watched):
    mode = watched.page.locator("#list-mode label", has_text="Left out")
    mode.click()
    expect(mode.locator("input")).to_be_checked()
    watched.page.locator("[data-key^=dataset-]").first.click()
    expect(watched.page.locator("#list-mode label", has_text="Conversations").locator("input")).to_be_checked()
    watched.page.locator("[data-do=bring][data-kind=dataset]").click()
    expect(watched.page.locator("#import-start")).to_be_visible()
    watched.page.locator("[data-key^=dataset-]").first.click()
    expect(watched.page.locator("#conversations .list-row").first).to_be_visible()


def test_news_are_drawn_where_they_are_seen_and_nowhere_else(watched):
    watched.open("training")
    expect(watched.page.locator("#run-title")).to_be_visible()
    watched.begin()
    name = f"Run {len(watched.studio.runs.all()) + 1}"
    watched.studio.add_run(name)
    for place in ("#sidebar-lists", "#runs"):
        expect(watched.page.locator(place)).to_contain_text(name)
    watched.settle()
    assert watched.handlers == ["look_again"]
    assert watched.costly() == []
    watched.open("export")
    expect(watched.page.locator("#export-tiles")).to_be_visible()
    watched.settle()
    assert watched.costly() == [CARD]


def test_what_is_pasted_or_deleted_is_searched_for(watched):
    rows, box = watched.page.locator("#conversations .list-row"), watched.page.locator("#search").get_by_role("textbox")
    expect(rows.first).to_be_visible()
    every = rows.count()
    box.fill("no ticket has these words")  # at once, as a paste does
    expect(rows).to_have_count(0)
    box.press("Control+a")
    box.press("Delete")
    expect(rows).to_have_count(every)


def test_a_page_that_was_forgotten_begins_again_with_what_it_had(watched):
    page = watched.page
    watched.open("training")
    page.locator("#sidebar-lists [data-key=run-run-1]").click()
    expect(page.locator("#run-title")).to_contain_text("First")
    page.evaluate("window.isOld = true")
    with page.expect_response(lambda answer: answer.url.endswith("/live") and answer.json()["begun"]):
        pass
    watched.app.state_holder.session_data.clear()
    page.wait_for_function("!window.isOld")
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("#run-title")).to_contain_text("First")


def test_a_button_takes_no_second_press_until_the_first_is_done(watched):
    page, studio = watched.page, watched.studio
    watched.open("recipe")
    start = page.locator("#start-training")
    expect(start).to_be_enabled()
    watched.begin()
    studio.may_start.clear()
    start.dblclick()
    expect(start).to_have_attribute("aria-busy", "true")
    start.click()
    start.press("Enter")
    watched.open("tickets")  # what the program has been asked before this, it has been asked by now
    watched.open("recipe")
    studio.may_start.set()
    expect(page.locator("#run-title")).to_contain_text("Run")
    watched.settle()
    assert [call[0] for call in studio.calls].count("pressed") == 1
    assert watched.handlers.count("start") == 1
    watched.open("recipe")
    expect(start).not_to_have_attribute("aria-busy", "true")


def test_a_double_click_leaves_one_conversation_out(watched):
    page, studio = watched.page, watched.studio
    expect(page.locator("#learn-view [data-do=drop]")).to_be_visible()
    watched.begin()
    page.locator("#learn-view [data-do=drop]").dblclick()
    expect(page.locator("#reader-notice")).to_contain_text("is left out")
    watched.settle()
    assert len([call for call in studio.calls if call[0] == "edit"]) == 1
