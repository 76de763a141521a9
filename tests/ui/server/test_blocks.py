"""The window served, and asked as a page asks it."""

import gc
import threading
import time
import weakref
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest
from gradio.state_holder import SessionState

from ui.events import bind
from ui.server import blocks
from ui.server.blocks import WindowBlocks

pytestmark = [pytest.mark.ui, pytest.mark.timeout(120)]
SHOWN = 12


class Served:
    """A small window over handlers of a test: each reads and sets the one selection."""

    def __init__(self, **options):
        self.app = WindowBlocks(analytics_enabled=False, **options)
        self.names: dict[str, int] = {}
        with self.app:
            self.selection = gr.State({})
            self.shown = [gr.HTML() for _ in range(SHOWN)]

    def add(self, name, handler):
        with self.app:
            bind(gr.Button().click, handler, [self.selection], [self.selection, *self.shown])
        self.names[name] = len(self.app.fns) - 1

    def __enter__(self):
        _, self.address, _ = self.app.launch(prevent_thread_lock=True, quiet=True, share=False, run_history=False)
        self.client = httpx.Client(base_url=self.address, timeout=30)
        return self

    def __exit__(self, *_):
        self.client.close()
        self.app.close(verbose=False)

    @contextmanager
    def open(self, person):
        """Hold the connection that a page has while it is open."""
        with self.client.stream("GET", f"gradio_api/heartbeat/{person}") as alive:
            beats = alive.iter_raw()
            next(beats)
            yield
            beats.close()

    def click(self, name, person):
        """Put a click into the queue; returns as soon as it is there."""
        body = {"data": [None], "fn_index": self.names[name], "session_hash": person, "trigger_id": None}
        assert self.client.post("gradio_api/queue/join", json=body).status_code == 200

    def selected(self, person):
        """What a person has selected; nothing before the first click."""
        known = self.app.state_holder.session_data.get(person)
        return known.state_data.get(self.selection._id, {}) if known else {}


def until(look, seconds=30):
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return Served()


def test_two_choices_within_a_moment_are_both_kept(served):
    """The first takes longer, as on a computer that trains, and must not undo the second."""
    entered, go = threading.Event(), threading.Event()

    def slow(draft):
        entered.set()
        go.wait(30)
        return {served.selection: {**draft, "preset": "thorough"}}

    served.add("slow", slow)
    served.add("quick", lambda draft: {served.selection: {**draft, "model": "large"}})
    served.add("other", lambda draft: {served.selection: {**draft, "other": "done"}})
    with served:
        served.click("slow", "anna")
        assert entered.wait(30)
        served.click("quick", "anna")
        served.click("other", "bert")
        until(lambda: served.selected("bert") == {"other": "done"})
        assert served.selected("anna") == {}
        go.set()
        assert until(lambda: "model" in served.selected("anna"))
        assert served.selected("anna") == {"preset": "thorough", "model": "large"}


def test_two_people_are_served_at_the_same_time(served):
    both = threading.Barrier(2, timeout=30)

    def meet(_):
        both.wait()
        return {served.selection: {"met": True}}

    served.add("meet", meet)
    with served:
        for person in ("anna", "bert"):
            served.click("meet", person)
        for person in ("anna", "bert"):
            until(lambda person=person: served.selected(person))
    assert not both.broken


def test_a_hundred_clicks_that_wait_hold_up_nobody_else_and_keep_their_order(served):
    entered, go, told = threading.Event(), threading.Event(), []

    def hold(_):
        entered.set()
        go.wait(60)
        return {}

    def note(selected):
        told.append(len(told))
        return {served.selection: {"count": selected.get("count", 0) + 1}}

    served.add("hold", hold)
    served.add("note", note)
    with served:
        served.click("hold", "anna")
        assert entered.wait(30)
        for _ in range(100):
            served.click("note", "anna")
        served.click("note", "bert")
        until(lambda: served.selected("bert"))
        assert told == [0]
        go.set()
        until(lambda: len(told) == 101)
        until(lambda: served.selected("anna") == {"count": 100})


def test_what_a_handler_leaves_alone_is_not_made_anew(served):
    served.add("one", lambda _: {served.shown[3]: "new", served.shown[5]: gr.HTML(visible=False)})
    served.add("none", lambda _: {})
    served.add("all", lambda _: ({"all": True}, *("text" for _ in range(SHOWN))))
    with served:
        for name in ("one", "none", "all"):
            served.click(name, "anna")
        until(lambda: served.selected("anna"))
        state = served.app.state_holder.session_data["anna"]
        made = [part for part in served.shown if state.blocks_config.blocks[part._id] is not part]
        assert made == [served.shown[5]]


def test_the_page_gets_what_changed_at_its_place_and_nothing_else(served):
    served.add("one", lambda _: {served.shown[3]: "new", served.selection: {"x": 1}})
    with served:
        body = {"data": [None], "fn_index": served.names["one"], "session_hash": "anna"}
        sent = served.client.post("gradio_api/run/predict", json=body).json()["data"]
    assert sent == [None, *(gr.skip() for _ in range(3)), "new", *(gr.skip() for _ in range(SHOWN - 4))]


def test_a_page_that_is_closed_is_forgotten_and_one_that_goes_on_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    served = Served(away=0.0)
    served.add("note", lambda _: {served.selection: {"x": 1}, served.shown[0]: gr.HTML(visible=True)})
    with served:
        holder, queue = served.app.state_holder, served.app._queue
        kept: list[weakref.ref[SessionState]] = []
        for number in range(50):
            with served.open(f"page-{number}"):
                served.click("note", f"page-{number}")
                until(lambda number=number: served.selected(f"page-{number}"))
                kept.append(weakref.ref(holder.session_data[f"page-{number}"]))
        until(lambda: not holder.session_data)
        gc.collect()
        assert [page for page in kept if page() is not None] == []
        assert not holder.time_last_used
        assert not queue.pending_event_ids_session
        assert not list(queue.pending_messages_per_session)
        assert len(served.app.turns) == 0


def test_a_page_that_comes_back_in_time_keeps_its_selections(served):
    """A laptop that slept: its connection was lost, its page is still open."""
    served.add("note", lambda selected: {served.selection: {"clicks": selected.get("clicks", 0) + 1}})
    with served:
        holder = served.app.state_holder
        with served.open("anna"):
            served.click("note", "anna")
            until(lambda: served.selected("anna"))
        until(lambda: holder.session_data["anna"].is_closed)
        served.click("note", "anna")
        until(lambda: served.selected("anna") == {"clicks": 2})
        assert not holder.session_data["anna"].is_closed  # else Gradio would take its selections an hour later
        assert served.app.remembers("anna", served.selection)
        assert not served.app.remembers("bert", served.selection)
    assert blocks.AWAY >= 60
