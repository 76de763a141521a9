from dataclasses import replace

import pytest

from engine.damage import Damaged
from tests.ui.fake_studio import FakeStudio
from tests.ui.fake_tickets import HOSTILE
from ui.shell.lists import MOST, sidebar

pytestmark = pytest.mark.ui


def drawn(studio, dataset="", run="", chosen=()):
    return sidebar(studio.tickets.all(), studio.runs.all(), studio.playground.voices(), dataset, run, chosen)


def marked(shown):
    """Ids of the rows that stand out."""
    return [
        row.partition('data-id="')[2].partition('"')[0] for row in shown.split("<li")[1:] if "side-row selected" in row
    ]


def test_the_selected_rows_are_marked_and_names_are_escaped(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run(HOSTILE)
    shown = sidebar(
        studio.tickets.all(), studio.runs.all(), studio.playground.voices(), "set-1", "run-1", ["run:run-1"]
    )
    assert shown.count('aria-current="true"') == 3
    assert "<img" not in shown


def test_a_run_in_progress_cannot_be_deleted(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run("Run 1", "running", 5)
    assert "data-fixed" in sidebar([], studio.runs.all(), [], "", "", [])


def test_empty_lists_say_what_to_do():
    shown = sidebar([], [], [], "", "", [])
    assert "Drop an export" in shown
    assert "A finished run puts one here" in shown


def test_what_cannot_be_read_is_named_with_the_reason_and_can_be_deleted(tmp_path):
    seen = Damaged(tmp_path / "adapters" / HOSTILE, "It holds <no> adapter.")
    shown = sidebar([], [], [], "", "", [], [seen])
    assert "It holds &lt;no&gt; adapter." in shown
    assert 'data-do="delete" data-kind="damaged"' in shown
    assert "<img" not in shown
    assert "Cannot be read" not in sidebar([], [], [], "", "", [])


def test_what_belongs_together_stands_out_and_nothing_else(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.tickets.add("March")
    first, second = studio.add_run("Run 1"), studio.add_run("Run 2")
    assert marked(drawn(studio, "set-1", first, ["run:run-2"])) == ["set-1", first, f"run:{first}"]
    assert marked(drawn(studio, "set-2", first)) == ["set-2"], "the run has learnt from another data set"
    info = studio.run_infos[second]
    studio.run_infos[second] = replace(info, status=replace(info.status, dataset="deleted"))
    assert marked(drawn(studio, "set-2", second)) == ["set-2", second, f"run:{second}"]


def test_an_adapter_in_the_playground_says_so(tmp_path):
    studio = FakeStudio(tmp_path)
    studio.add_run("Run 1")
    assert "in the playground" not in drawn(studio, "set-1", "run-1")
    assert "in the playground" in drawn(studio, "set-1", "run-1", ["run:run-1"])


def test_five_hundred_runs_are_cut_to_the_newest_and_what_is_selected(tmp_path):
    studio = FakeStudio(tmp_path)
    for number in range(500):
        studio.add_run(f"Run {number}", "running" if number == 3 else "finished", 2, 2)
    shown = drawn(studio, "set-1", "run-1", ["run:run-9"])
    assert len(shown) < 60_000
    for kind in ("run", "adapter"):
        assert shown.count(f'<li class="side-row" data-kind="{kind}"') in (MOST, MOST + 1)
        assert f'data-palette="{kind}"' in shown
    assert {"run-1", "run:run-1"} <= set(marked(shown))
    assert 'data-id="run-4"' in shown, "it is in progress"
    assert 'data-id="run:run-9"' in shown, "it answers in the playground"
    assert "Show all 500" in shown
    assert "Show all" not in drawn(FakeStudio(tmp_path), "set-1")
