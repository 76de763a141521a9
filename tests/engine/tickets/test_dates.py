from datetime import UTC, datetime

import pytest

from engine.tickets.dates import seconds

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
