from engine.tickets.privacy.detectors.spans import Covered, Span, without_overlaps


def span(start: int, end: int) -> Span:
    return Span(start, end, "TERM", "x")


def test_of_overlapping_spans_the_longest_stays_and_the_order_is_the_texts() -> None:
    assert without_overlaps([span(5, 9), span(0, 3), span(2, 6)]) == [span(2, 6)]
    assert without_overlaps([span(2, 10), span(0, 3), span(9, 12), span(12, 13)]) == [span(2, 10), span(12, 13)]
    assert without_overlaps([span(4, 6), span(0, 2)]) == [span(0, 2), span(4, 6)]
    assert without_overlaps([span(0, 4), span(0, 4)]) == [span(0, 4)]


def test_covered_knows_its_stretches() -> None:
    covered = Covered([(10, 20), (0, 5)])
    assert [covered.holds(position) for position in (0, 4, 5, 10, 19, 20)] == [True, True, False, True, True, False]
    assert covered.touches(3, 12)
    assert covered.touches(8, 11)
    assert not covered.touches(5, 10)
