from datetime import UTC, datetime

import pytest

from engine.tickets.dates import day_order, iso, seconds, stamps

JUNE = datetime(2025, 6, 3, 14, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "raw",
    [
        "2025-06-03T14:05:00Z",
        "2025-06-03T16:05:00+02:00",
        "2025-06-03 14:05:00",
        "2025-06-03T14:05:00.000+0000",
        "1748959500",
        "1748959500.0",
        "1748959500000",
        "03.06.2025 14:05",
        "03/06/2025 14:05",
        "6/3/2025 2:05 PM",
        "03/Jun/25 2:05 PM",
        "03-Jun-2025 14:05:00",
        "June 3, 2025 14:05",
        "3. Juni 2025 14:05",
        "3 juin 2025 14:05",
        "Tue, 03 Jun 2025 14:05:00",
        "2025/06/03 14:05",
    ],
)
def test_dates_of_all_help_desks_are_the_same_moment(raw: str) -> None:
    assert seconds(raw) == JUNE


@pytest.mark.parametrize(
    "raw", ["", "yesterday", "99/99/2025", "31.02.2025", "0000-00-00 00:00:00", "12", "x" * 500, "9" * 19 + "9"]
)
def test_what_is_no_date_is_none(raw: str) -> None:
    assert seconds(raw) is None


def test_a_day_above_twelve_decides_between_day_and_month_first() -> None:
    assert seconds("13/06/2025") == seconds("6/13/2025") == datetime(2025, 6, 13, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("raws", "order"),
    [
        (["1/2/2026", "1/13/2026"], "month"),
        (["1/2/2026 1:05 PM"], "month"),
        (["1/2/2026", "13/1/2026"], "day"),
        (["1/2/2026", "11/12/2026 14:05"], "unclear"),
        (["1.2.2026", "2026/01/13", "2026-01-02", ""], "day"),
    ],
)
def test_the_dates_of_one_program_tell_together_what_comes_first(raws: list[str], order: str) -> None:
    assert day_order(raws) == order


def test_a_conversations_dates_are_read_alike() -> None:
    first, second = stamps(["1/12/2026 10:00", "1/13/2026 10:00"])
    assert first is not None
    assert second == first + 24 * 3600
    assert iso("1/12/2026 10:00", month_first=True) == "2026-01-12 10:00:00"
    assert iso("yesterday", month_first=True) == "yesterday"
