"""Risk against coverage: the best covered tickets first."""

import pytest

from engine.verdict.records import JudgedTicket
from engine.verdict.risk import risk


def ticket(number, coverage, **scores):
    return JudgedTicket(str(number), "a", "b", {"tuned": scores}, coverage=coverage)


def test_the_strangest_are_passed_on_first():
    tickets = [ticket(n, n / 10, chrf=10.0 * n, **({"inventions": 1.0} if n < 5 else {})) for n in range(10)]
    rows = risk(tickets, "tuned", ("chrf", "inventions"))
    assert [(row.share, row.count, row.least) for row in rows] == [
        (1, 10, 0),
        (0.9, 9, 0.1),
        (0.75, 8, 0.2),
        (0.5, 5, 0.5),
    ]
    assert [row.means["chrf"] for row in rows] == [45.0, 50.0, 55.0, 70.0]
    assert rows[0].means["inventions"] == 1.0 and "inventions" not in rows[-1].means


@pytest.mark.parametrize(
    "tickets", [[], [ticket(n, 0.5, chrf=1.0) for n in range(7)], [ticket(n, None) for n in range(9)]]
)
def test_few_tickets_and_verdicts_of_an_earlier_version_show_nothing(tickets):
    assert risk(tickets, "tuned", ("chrf",)) == []
