"""Risk against coverage: the best covered tickets first."""

import pytest

from engine.verdict.records import JudgedTicket
from engine.verdict.risk import risk


def ticket(number, coverage, topic="", **scores):
    return JudgedTicket(
        str(number), f"customer {number}", topic or f"topic {number}", {"tuned": scores}, coverage=coverage
    )


def test_the_strangest_are_passed_on_first():
    tickets = [ticket(n, n / 10, chrf=10.0 * n, **({"inventions": 1.0} if n < 5 else {})) for n in range(10)]
    rows = risk(tickets, "tuned", ("chrf", "inventions"))
    assert [(row.share, row.count, row.least) for row in rows] == [
        (1, 10, 0),
        (0.9, 9, 0.1),
        (0.75, 8, 0.2),
        (0.5, 5, 0.5),
    ]
    assert [row.means["chrf"].mean for row in rows] == [45.0, 50.0, 55.0, 70.0]
    assert rows[0].means["inventions"].mean == 1.0 and "inventions" not in rows[-1].means


def test_tickets_of_one_topic_make_a_wider_range_than_as_many_on_topics_of_their_own():
    """Four topics of five tickets that all do alike tell as much as four tickets, not as twenty."""
    apart, together = (
        risk([ticket(n, n / 20, topic=topic(n), chrf=20.0 * (n % 4)) for n in range(20)], "tuned", ("chrf",))
        for topic in (lambda n: f"topic {n}", lambda n: f"topic {n % 4}")
    )
    for row, wider in zip(apart, together, strict=True):
        one, other = row.means["chrf"], wider.means["chrf"]
        assert one.mean == other.mean and (one.groups, other.groups) == (row.count, 4)
        assert other.high - other.low > 1.9 * (one.high - one.low)


@pytest.mark.parametrize(
    "tickets", [[], [ticket(n, 0.5, chrf=1.0) for n in range(7)], [ticket(n, None) for n in range(9)]]
)
def test_few_tickets_and_verdicts_of_an_earlier_version_show_nothing(tickets):
    assert risk(tickets, "tuned", ("chrf",)) == []
