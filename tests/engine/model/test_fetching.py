import threading

import pytest

from engine.errors import Cancelled
from engine.meanwhile import meanwhile
from engine.model.fetching import fetched, told


def test_the_bytes_that_are_here_are_told_while_they_come(tmp_path):
    half, seen = threading.Event(), []

    def report(stage, fraction):
        seen.append((stage, fraction))
        if fraction and fraction >= 0.5:
            half.set()

    def fetch(_):
        (tmp_path / "blobs").mkdir()
        (tmp_path / "blobs" / "weights.incomplete").write_bytes(bytes(b"x" * 100_000))
        assert half.wait(30)
        return "here"

    assert fetched(fetch, tmp_path / "blobs", "a model", 200_000, report) == "here"
    assert seen[0] == ("Fetching a model (0.0 of 0.2 MB)", 0.0)
    assert seen[-1][0] == "Fetching a model (0.1 of 0.2 MB)"


def test_whoever_calls_a_fetch_off_need_not_wait_for_the_network(tmp_path):
    """The fetch hangs until the test lets it go on; then it ends at its next piece, whatever it would have done."""
    network, ended, went_on = threading.Event(), threading.Event(), []

    def fetch(bar):
        try:
            assert network.wait(60)
            with bar(total=10, name="of the hub's library") as progress:
                progress.update(1)
            went_on.append(True)
        finally:
            ended.set()

    reports: list[float] = []

    def report(_, fraction):
        reports.append(fraction)
        if len(reports) > 1:  # the first is before it begins
            raise Cancelled

    with pytest.raises(Cancelled):
        fetched(fetch, tmp_path, "a model", 1, report)
    assert not ended.is_set()
    network.set()
    assert ended.wait(60)
    assert went_on == []


def test_what_a_fetch_raises_is_raised():
    def fail(_):
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        meanwhile(fail, lambda: None, "fetch")


def test_large_models_are_told_in_gigabytes():
    assert told("Qwen3 4B", 1_234_000_000, 8_050_000_000) == "Fetching Qwen3 4B (1.2 of 8.1 GB)"
    assert told("Qwen3 4B", 9_000_000_000, 8_050_000_000) == "Fetching Qwen3 4B (8.1 of 8.1 GB)"
