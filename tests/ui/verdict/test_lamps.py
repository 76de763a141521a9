"""The lamps: each rings where its figure says so, is calm where all is well, and dark where nothing is known."""

from dataclasses import replace

import pytest

from engine.training.forgetting.alarm import ALLOWED, INSTRUCTIONS
from engine.training.runs.events import GeneralChecked
from engine.verdict.intervals import Interval
from engine.verdict.repeated import Repeated
from tests.ui.fake_verdict import made_certificate, made_verdict
from ui.verdict.lamps import CALM, DARK, RINGS, SOME, forgetting, inventions, lamps, private_data

BEFORE = GeneralChecked(0, 3.0, 2.0)


def inventing(mean, low, high):
    """A verdict whose tuned model invents so much more than the base."""
    verdict = made_verdict("r", "Run")
    differences = {**verdict.differences, "base": {"inventions": Interval(mean, low, high, 0.1, 19, 12)}}
    return replace(verdict, differences=differences)


def test_inventions_ring_where_they_are_clearly_more_than_the_bases():
    assert inventions(inventing(0.5, 0.2, 0.8)).light == RINGS
    assert inventions(inventing(0.5, -0.2, 1.2)).light == SOME
    assert inventions(inventing(-0.5, -0.8, -0.2)).light == SOME
    assert "by the base model" in inventions(inventing(0.5, 0.2, 0.8)).told
    verdict = made_verdict("r", "Run")
    none = {"inventions": Interval(0.0, 0.0, 0.0, 0.0, 19, 12)}
    assert inventions(replace(verdict, figures=dict.fromkeys(verdict.figures, none))).light == CALM
    bare = replace(verdict, figures={voice: {} for voice in verdict.figures})
    assert inventions(bare).light == DARK


@pytest.mark.parametrize(
    ("checks", "step", "light"),
    [
        ((BEFORE, GeneralChecked(10, 3.1, 2.5)), None, CALM),
        ((BEFORE, GeneralChecked(10, 3.1, 2.5), GeneralChecked(20, 6.0, 2.5)), 20, RINGS),
        ((BEFORE, GeneralChecked(10, 3.1, 2.5), GeneralChecked(20, 6.0, 2.5)), 10, CALM),  # the kept checkpoint
        ((BEFORE,), None, DARK),
        ((), None, DARK),
    ],
)
def test_forgetting_rings_with_the_alarm_of_the_weights_that_are_kept(checks, step, light):
    assert forgetting(checks, step).light == light


@pytest.mark.parametrize(
    ("held", "certificate", "light"),
    [
        (None, None, DARK),
        ((0, 0), None, CALM),
        ((1, 1), None, CALM),  # what the base says as well is chance
        ((2, 1), None, RINGS),
        ((0, 0), made_certificate(), CALM),
        ((0, 0), made_certificate(out=3), RINGS),
        (None, made_certificate(fired=1), DARK),
    ],
)
def test_private_data_rings_where_it_comes_out(held, certificate, light):
    voices = dict(zip(("run:r", "base"), ({"EMAIL": count} for count in held), strict=True)) if held else {}
    assert private_data(Repeated(40, 19, voices) if held else None, certificate).light == light


def test_all_three_are_shown_with_sign_and_figure():
    shown = lamps(made_verdict("r", "Run"), (BEFORE, GeneralChecked(10, 3.1, 2.5)), 10, None, None)
    assert shown.count("<li>") == 3 == shown.count("<svg")
    assert f"+0.50 nats a token on {INSTRUCTIONS}; {ALLOWED[INSTRUCTIONS]:g} are allowed." in shown
