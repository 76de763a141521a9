import threading

import pytest

from engine.errors import StudioError
from engine.task import Task
from ui.task_registry import TaskRegistry, counting


def test_a_second_task_of_one_purpose_is_refused_while_the_first_runs():
    tasks, go = TaskRegistry(), threading.Event()
    tasks.start("prepare", lambda: Task("Reading", lambda task: go.wait(60)))
    with pytest.raises(StudioError, match="still under way"):
        tasks.start("prepare", lambda: Task("Reading", lambda task: None))
    go.set()


def test_a_finished_task_is_kept_and_a_failed_one_begins_again():
    tasks = TaskRegistry()
    begun: list[int] = []

    def fails(task):
        begun.append(1)
        raise StudioError("No.")

    def begin():
        made = Task("Counting", fails if not begun else lambda task: 7)
        assert made.ended(10)
        return made

    assert tasks.ensure("count", begin).state == "failed"
    assert tasks.ensure("count", begin).result == 7
    assert tasks.ensure("count", lambda: pytest.fail("begun again")).result == 7


def test_cancel_reaches_the_task():
    tasks, ended = TaskRegistry(), threading.Event()

    def action(task):
        while not task.cancelled:
            ended.wait(0.01)
        ended.set()
        raise StudioError("Stopped.")

    tasks.start("export", lambda: Task("Packing", action))
    tasks.cancel("export")
    assert ended.wait(60)
    tasks.cancel("nothing")
    assert tasks.seen("nothing") is None


def test_a_count_belongs_to_its_data_set_model_and_instruction():
    assert counting("a", "m", "") != counting("a", "m", "Be kind.")
    assert counting("a", "m", "") != counting("b", "m", "")
