"""The time that is left of a run."""

from engine.training.runs.events import Started, Stepped
from engine.training.runs.history import History
from engine.training.runs.progress import seconds_left


def history(*steps: int, of: int) -> History:
    """Steps of ten seconds each."""
    told = tuple(Stepped(step, 0.0, 2.0, 1e-3, 1.0, 100.0, 1.0, 10.0 * step) for step in steps)
    return History(started=Started(1, 2, of, 0, 4, 1, "cpu"), steps=told)


def test_it_is_the_pace_times_the_steps_left():
    assert seconds_left(history(1, 2, 3, of=8)) == 50.0


def test_after_the_last_step_nothing_is_promised():
    """The check and the saving that are left took half a minute where 'about 1 s left' was said."""
    assert seconds_left(history(6, 7, 8, of=8)) is None
