"""The yardstick for hostile text, held against work whose growth is known."""

import pytest

from tests.engine.tickets.importing import hostile


def test_work_in_proportion_is_told_from_work_with_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "MOMENT", 0.0)

    def square(text: str) -> None:
        for _ in range(len(text) // 50):
            text.count("zz")

    def straight(text: str) -> None:
        for _ in range(2000):
            text.count("zz")

    assert not hostile.grows_in_proportion(square, "ab")
    assert hostile.grows_in_proportion(straight, "ab")
