"""Coverage: questions on what was learnt have more of it than those on what nobody asked before."""

import pytest

from engine.tickets.dataset.files import COVERAGE, TRAIN
from engine.tickets.lookup.building import build_index, index_of
from engine.tickets.lookup.coverage import coverage_of, runs_of
from engine.tickets.lookup.index import OutdatedError
from engine.tickets.lookup.question import Question
from tests.tiny import stored

TOPICS = {
    "refund": ("When is my refund for order {} paid back?", "Refunds are paid back within five working days."),
    "parcel": ("Where does parcel {} stay so long?", "The carrier brings parcels on Tuesday and on Friday."),
    "battery": ("How long do I charge the battery of radio {}?", "Charge the battery for five hours before first use."),
}


@pytest.fixture
def home(tmp_path):
    """A training side of three topics, eight tickets each."""
    rows = [
        stored(f"{topic}-{n}", [{"role": "user", "content": asked.format(n)}, {"role": "assistant", "content": told}])
        for topic, (asked, told) in TOPICS.items()
        for n in range(8)
    ]
    (tmp_path / TRAIN).write_bytes(b"".join(row.line() for row in rows))
    build_index(tmp_path)
    return tmp_path


def test_what_nobody_asked_before_has_less_coverage_than_what_was_learnt(home):
    coverage = coverage_of(index_of(home))
    usual = [coverage.of(Question((f"Is the refund of my order paying out, number {n}?",))) for n in range(3)]
    strange = [
        coverage.of(Question((text,)))
        for text in ("Do you hire students in summer?", "My invoice names the wrong company.", "Gibt es Gutscheine?")
    ]
    assert min(usual) > max(strange) and max(strange) < 0.05


def test_agreement_of_answers_counts_beside_nearness_of_questions(home, tmp_path_factory):
    """The same questions, answered by anything: then near tickets say little."""
    other = tmp_path_factory.mktemp("disagreeing")
    lines = (home / TRAIN).read_bytes().splitlines(keepends=True)
    for n, line in enumerate(lines):
        for _, told in TOPICS.values():
            line = line.replace(told.encode(), f"alpha{n} beta{n} gamma{n} delta{n}".encode())
        lines[n] = line
    (other / TRAIN).write_bytes(b"".join(lines))
    build_index(other)
    asked = Question(("When is my refund paid back?",))
    assert coverage_of(index_of(other)).support(asked) < 0.2 * coverage_of(index_of(home)).support(asked)


def test_it_is_kept_beside_the_tickets_for_their_owner_and_made_again_when_they_change(home):
    first = coverage_of(index_of(home))
    file = home / COVERAGE
    assert file.stat().st_mode & 0o777 == 0o600
    stamp = file.stat().st_mtime_ns
    assert coverage_of(index_of(home)).supports == first.supports and file.stat().st_mtime_ns == stamp
    assert b"refund" not in file.read_bytes()
    lines = (home / TRAIN).read_bytes().splitlines(keepends=True)
    (home / TRAIN).write_bytes(b"".join(lines[:16]))
    with pytest.raises(OutdatedError):
        first.of(Question(("When is my refund paid back?",)))
    assert len(coverage_of(index_of(home)).supports) == 16
    file.write_bytes(b"damaged")
    assert len(coverage_of(index_of(home)).supports) == 16


def test_placeholders_and_short_words_are_no_letters():
    assert list(runs_of(["[EMAIL_1] to me"])) == []
    assert set(runs_of(["Paid"])) == {"<pai", "paid", "aid>", "<paid", "paid>"}
