import pytest

from ui.state.focus import run_beside, run_of

pytestmark = pytest.mark.ui


@pytest.fixture
def two_sets(studio):
    """Two data sets, and two runs over the first."""
    studio.tickets.add("March")
    studio.add_run("Run 1")
    studio.add_run("Run 2")
    return studio


def picked(wired, raised, **data):
    """What is selected after a row has been picked, while March and no run are."""
    told = wired.handler("shell.sidebar.pick")(raised(**data), [], "", "export", "set-2", {}, {})
    names = {state: name for name, state in wired.context.page.values().items()}
    return {names[part]: value for part, value in told.items() if part in names and names[part] != "look"}


def test_a_run_brings_its_data_set(wired, two_sets, raised):
    assert picked(wired, raised, kind="run", id="run-1") == {"run": "run-1", "dataset": "set-1"}


def test_a_run_whose_data_set_is_gone_leaves_the_selected_one(wired, two_sets, raised):
    two_sets.tickets.delete("set-1")
    assert picked(wired, raised, kind="run", id="run-1") == {"run": "run-1"}


def test_an_adapter_brings_its_run_and_their_data_set(wired, two_sets, raised):
    chosen = picked(wired, raised, kind="adapter", id="run:run-1")
    assert chosen["voices"][0] == "run:run-1"
    assert (chosen["run"], chosen["dataset"]) == ("run-1", "set-1")


def test_a_data_set_brings_its_newest_run(wired, two_sets, raised):
    chosen = picked(wired, raised, kind="dataset", id="set-1")
    assert (chosen["dataset"], chosen["run"]) == ("set-1", "run-2")
    assert run_beside(two_sets, "set-1", "run-1") == "run-1", "one that is selected stays"
    assert run_beside(two_sets, "set-2", "run-1") == "run-1", "there is none of its own"


def test_the_run_of_an_adapter():
    for voice in ("run:run-1", "run:run-1@12", "run:run-1+lookup", "run:run-1@12+lookup"):
        assert run_of(voice) == "run-1"
    assert run_of("adapter:a1") == ""
