import signal
import sys
import threading

import pytest

from engine.errors import StudioError, TicketsError
from engine.task import Task


def test_a_task_tells_how_far_it_is_and_gives_its_result():
    reached, go = threading.Event(), threading.Event()

    def action(task):
        task.report("Half way", 0.5)
        reached.set()
        assert go.wait(60)
        return 42

    task = Task("Counting", action)
    assert reached.wait(60)
    seen = task.snapshot()
    assert (seen.state, seen.stage, seen.fraction, seen.result) == ("running", "Half way", 0.5, None)
    go.set()
    assert task.wait(60) == 42
    assert task.snapshot().state == "done"


def test_a_known_failure_keeps_its_sentence_and_an_unknown_one_gets_one():
    def known(task):
        raise TicketsError("It is empty.", "Choose another.")

    with pytest.raises(TicketsError, match="It is empty"):
        Task("Reading", known).wait(60)
    with pytest.raises(StudioError, match=r"Reading failed unexpectedly \(ZeroDivisionError"):
        Task("Reading", lambda task: 1 / 0).wait(60)


def test_a_cancelled_task_is_no_failure():
    def action(task):
        while not task.cancelled:
            threading.Event().wait(0.001)
        raise TicketsError("The import was stopped.")

    task = Task("Reading", action)
    task.cancel()
    with pytest.raises(StudioError, match="cancelled"):
        task.wait(60)
    seen = task.snapshot()
    assert (seen.state, seen.error) == ("cancelled", None)


def test_an_action_that_only_reports_ends_at_its_next_word_once_it_is_cancelled():
    began, go = threading.Event(), threading.Event()

    def action(task):
        task.report("Packing", 0.1)
        began.set()
        assert go.wait(60)
        task.report("Packing", 0.2)
        raise AssertionError("the action went on")

    task = Task("Packing", action)
    assert began.wait(60)
    task.cancel()
    go.set()
    with pytest.raises(StudioError, match="cancelled"):
        task.wait(60)
    seen = task.snapshot()
    assert (seen.state, seen.error, seen.stage) == ("cancelled", None, "Packing")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_a_wait_that_a_signal_broke_off_can_be_taken_up_again():
    goes_on = threading.Event()
    task = Task("Long", lambda task: goes_on.wait(60))
    before = signal.signal(signal.SIGUSR1, lambda *_: 1 / 0)
    try:
        with pytest.raises(ZeroDivisionError):
            threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1)).start()
            task.ended(60)
        assert not task.ended(0)
    finally:
        signal.signal(signal.SIGUSR1, before)
        goes_on.set()
    assert task.wait(60)
