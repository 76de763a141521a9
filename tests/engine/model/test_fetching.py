import threading

import pytest

from engine.model.fetching import told, watched


def test_the_bytes_that_are_here_are_told_while_they_come(tmp_path):
    half, seen = threading.Event(), []

    def report(stage, fraction):
        seen.append((stage, fraction))
        if fraction and fraction >= 0.5:
            half.set()

    with watched(tmp_path / "blobs", "a model", 200_000, report):
        (tmp_path / "blobs").mkdir()
        (tmp_path / "blobs" / "weights.incomplete").write_bytes(bytes(b"x" * 100_000))
        assert half.wait(30)
    assert seen[0] == ("Fetching a model (0.0 of 0.2 MB)", 0.0)
    assert seen[-1][0] == "Fetching a model (0.1 of 0.2 MB)"


def test_whoever_calls_a_fetch_off_is_heard_at_its_end(tmp_path):
    raised = threading.Event()

    def report(stage, fraction):
        if threading.current_thread().name == "fetch":
            raised.set()
            raise RuntimeError("called off")

    with pytest.raises(RuntimeError, match="called off"), watched(tmp_path, "a model", 1, report):
        assert raised.wait(30)


def test_large_models_are_told_in_gigabytes():
    assert told("Qwen3 4B", 1_234_000_000, 8_050_000_000) == "Fetching Qwen3 4B (1.2 of 8.1 GB)"
    assert told("Qwen3 4B", 9_000_000_000, 8_050_000_000) == "Fetching Qwen3 4B (8.1 of 8.1 GB)"
