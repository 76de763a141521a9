"""The table of runs under the chart."""

import re

import pytest

from ui.training import runs_table as views

pytestmark = pytest.mark.ui


def rows(table):
    """The names in its rows."""
    return re.findall(r'data-key="run-[^"]+">([^<]+)<', table)


def test_a_long_list_is_cut_to_the_newest_those_in_progress_and_those_on_the_chart(studio):
    busy = studio.add_run("busy", "running")
    shown, overlay = studio.add_run("shown"), studio.add_run("overlay")
    for number in range(1, 61):
        studio.add_run(f"run {number}")
    table = str(views.runs_table(studio.runs.all(), shown, [overlay], 0.0))
    newest = [f"run {number}" for number in range(60, 10, -1)]
    assert rows(table) == [*newest, "overlay", "shown", "busy"]
    assert "10 older runs are in the list at the left" in table
    assert busy in table


def test_a_list_that_fits_is_shown_whole_and_says_nothing_of_others(studio):
    for number in range(views.MOST):
        studio.add_run(f"run {number}")
    table = str(views.runs_table(studio.runs.all(), "", [], 0.0))
    assert len(rows(table)) == views.MOST
    assert "older" not in table
    studio.add_run("one more")
    assert "One older run is in the list" in str(views.runs_table(studio.runs.all(), "", [], 0.0))


def test_a_row_is_drawn_anew_when_its_run_is_renamed_or_shown(studio):
    run = studio.add_run("before")
    table = str(views.runs_table(studio.runs.all(), "", [], 0.0))
    studio.runs.rename(run, "after")
    assert rows(views.runs_table(studio.runs.all(), "", [], 0.0)) == ["after"]
    assert 'class="selected"' not in table
    assert 'class="selected"' in str(views.runs_table(studio.runs.all(), run, [], 0.0))
