from ui.charts import MOST_POINTS, Series, thin_out


def test_a_long_series_is_thinned_out_and_keeps_its_ends_and_its_spike():
    points = [(float(n), 1.0) for n in range(10_000)]
    points[4321] = (4321.0, 9.0)
    kept = thin_out(points)
    assert len(kept) <= MOST_POINTS
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert (4321.0, 9.0) in kept
    assert kept == sorted(kept)


def test_a_short_series_stays_as_it_is():
    points = ((1.0, 2.0), (2.0, 1.5))
    assert Series("training", "train", points).plain()["points"] == [[1.0, 2.0], [2.0, 1.5]]
