"""Runs of several people: who has started one is shown, and what changes somebody else's is asked twice."""

import time
from types import SimpleNamespace

import pytest

from engine.errors import StudioError
from tests.ui.handlers import by_id, calls
from ui.state.ownership import AGAIN, Asking, name_of
from ui.state.page import first_draft
from ui.training.runs_table import runs_table

pytestmark = pytest.mark.ui
ANNA, BO = (SimpleNamespace(username=name) for name in ("anna", "bo"))


@pytest.fixture
def run(wired, studio):
    """A run that anna has started."""
    wired.handler("recipe.tab.start")(first_draft(), "set-1", "Spring", request=ANNA)
    return "run-1"


def test_a_run_says_who_has_started_it(wired, studio, run):
    assert studio.runs.info(run).status.started_by == "anna"
    shown = by_id(wired.handler("training.tab.show")(run, []))
    assert "started by anna" in shown["run-title"]
    assert ", by anna</td>" in runs_table(studio.runs.all(), run, [], time.time())


def test_without_a_login_nobody_is_named_and_nothing_is_asked(wired, studio):
    wired.handler("recipe.tab.start")(first_draft(), "set-1", "Spring")
    assert "by " not in by_id(wired.handler("training.tab.show")("run-1", []))["run-title"]
    asking = Asking(studio)
    asking.check(name_of(None), "stop it", "run-1")
    asking.check("bo", "stop it", "run-1")  # started before people had to log in


@pytest.mark.parametrize("person", [ANNA, None])
def test_ones_own_run_is_changed_at_once(studio, run, person):
    Asking(studio).check(name_of(person), "stop it", run)


def test_somebody_elses_run_is_changed_when_it_is_asked_a_second_time(studio, run):
    clock = SimpleNamespace(now=0.0)
    asking = Asking(studio, lambda: clock.now)

    def ask(action="stop it", person="bo"):
        asking.check(person, action, run)

    with pytest.raises(StudioError, match="'Spring' was started by anna") as caught:
        ask()
    assert "to stop it all the same" in caught.value.remedy
    for other in ({"action": "delete it"}, {"person": "cy"}):  # another action, another person: asked anew
        with pytest.raises(StudioError, match="started by anna"):
            ask(**other)
    ask()
    with pytest.raises(StudioError, match="started by anna"):
        ask()
    clock.now += AGAIN
    with pytest.raises(StudioError, match="started by anna"):
        ask()


@pytest.mark.parametrize("action", ["pause", "stop"])
def test_the_buttons_ask(wired, studio, run, action):
    [known] = [one for one in wired.functions() if one.api_name == action]
    with pytest.raises(StudioError, match="started by anna"):
        known.fn.__wrapped__(run, [], request=BO)
    assert not calls(studio, action)
    known.fn.__wrapped__(run, [], request=BO)
    assert calls(studio, action) == [(action, run)]


def test_the_menu_asks(wired, studio, raised, run):
    event = raised(kind="run", id=run, name="Summer")
    rename, delete = wired.handler("shell.sidebar.rename"), wired.handler("shell.sidebar.delete")
    for handler in (rename, delete):
        with pytest.raises(StudioError, match="started by anna"):
            handler(event, "set-1", run, [], request=BO)
    assert [info.status.name for info in studio.runs.all()] == ["Spring"]
    rename(event, "set-1", run, [], request=BO)
    assert [info.status.name for info in studio.runs.all()] == ["Summer"]
    delete(event, "set-1", run, [], request=BO)
    assert studio.runs.all() == []


def test_gradio_hands_the_person_to_the_handlers(wired):
    """By the annotation, through the wrapper that turns failures into words."""
    from gradio.helpers import special_args

    [stop] = [one for one in wired.functions() if one.api_name == "stop"]
    inputs, *_ = special_args(stop.fn, ["run-1", []], request=ANNA)
    assert inputs == ["run-1", [], ANNA]
