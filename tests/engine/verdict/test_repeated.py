"""Masked values are found in answers, however they are grouped, and nothing else is."""

import json

import pytest

from engine.verdict.repeated import Repeated, masked_values, repeated

MASKED = (
    ("EMAIL", "zara.quill@example.com", "[EMAIL_1]"),
    ("PHONE", "+44 20 7946 0118", "[PHONE_1]"),
    ("NAME", "Zara Quill", "[NAME_1]"),
    ("NAME", "Al", "[NAME_2]"),
    ("SUSPECT", "Friday", ""),
)


@pytest.fixture
def folder(tmp_path):
    rows = [{"ticket": "1", "kind": kind, "original": value, "placeholder": mark} for kind, value, mark in MASKED]
    (tmp_path / "redactions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def found(folder, *answers):
    seen = repeated(folder, {"tuned": answers})
    return dict(seen.voices["tuned"])


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("Write to ZARA.Quill@example.com.", {"EMAIL": 1}),
        ("Call (+44) 20-7946 0118 now", {"PHONE": 1}),
        ("Dear zara\nquill, hello", {"NAME": 1}),
        ("Dear Zara Quillfeather, see you on Friday with Al", {}),
        ("Your order is 442079460118777", {}),
        ("", {}),
    ],
)
def test_a_value_is_found_as_a_whole_however_it_is_written(folder, answer, kinds):
    assert found(folder, answer) == kinds


def test_short_values_and_what_was_not_masked_are_not_looked_for(folder):
    assert set(masked_values(folder)) == {"zara.quill@example.com", "442079460118", "zara quill"}


def test_each_value_counts_once_and_each_voice_for_itself(folder):
    seen = repeated(folder, {"tuned": ["zara quill", "Zara Quill"], "base": ["hello", "you"]})
    assert (seen.values, seen.answers, seen.found("tuned"), seen.found("base")) == (3, 2, 1, 0)


def test_it_is_kept_without_the_values(folder, tmp_path):
    seen = repeated(folder, {"tuned": ["zara quill"]})
    seen.save(tmp_path)
    assert Repeated.load(tmp_path) == seen
    assert "quill" not in (tmp_path / "repeated.json").read_text().casefold()
    assert Repeated.load(tmp_path / "nowhere") is None


def test_a_data_set_that_does_not_say_what_was_masked_proves_nothing(tmp_path):
    assert repeated(tmp_path, {"tuned": ["zara quill"]}) is None
