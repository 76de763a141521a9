import time
from datetime import datetime

import pytest

from ui import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (35, "35 s"),
        (60, "1 min"),
        (95, "1½ min"),
        (240, "4 min"),
        (2100, "35 min"),
        (4800, "1 h 20 min"),
        (7200, "2 h"),
    ],
)
def test_a_length_of_time_is_written_as_people_say_it(seconds, text):
    assert words.duration(seconds) == text


def test_a_time_left_that_is_unknown_is_empty():
    assert words.left(None) == ""
    assert words.left(360) == "about 6 min left"


def test_counts_have_separators_and_the_right_number():
    assert words.count(1, "ticket") == "1 ticket"
    assert words.count(1204, "ticket") == "1,204 tickets"
    assert words.count(2, "match", "matches") == "2 matches"


def test_moments_are_told_from_today():
    now = datetime(2026, 5, 4, 18, 0).timestamp()
    assert words.when(datetime(2026, 5, 4, 14, 2).timestamp(), now) == "today 14:02"
    assert words.when(datetime(2026, 5, 3, 9, 10).timestamp(), now) == "yesterday 9:10"
    assert words.when(datetime(2026, 1, 12).timestamp(), now) == "12 Jan"
    assert words.when(datetime(2024, 1, 12).timestamp(), now) == "12 Jan 2024"
    assert words.when_prepared(time.time()).startswith("prepared today")


@pytest.mark.parametrize(
    ("share", "text"), [(0.036, "3.6 %"), (0.0004, "0.04 %"), (0.5, "50 %"), (0, "0 %"), (0.04, "4 %")]
)
def test_a_small_share_is_not_rounded_to_nothing(share, text):
    assert words.percent(share) == text


def test_sizes_have_a_unit():
    assert words.file_size(22) == "22 bytes"
    assert words.file_size(1_500) == "1.5 KB"
    assert words.file_size(19_600_000) == "20 MB"
    assert words.file_size(2_000_000_000) == "2.0 GB"
    assert words.gigabytes(9.14) == "9.1 GB"
    assert words.parameters(4_884_480) == "4.9 million"


def test_a_low_loss_keeps_its_digits():
    assert words.loss(1.4159) == "1.42"
    assert words.loss(0.0123) == "0.012"
