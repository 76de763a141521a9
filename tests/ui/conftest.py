"""A window over the engine in memory: built once, with a studio of its own for each test."""

from pathlib import Path

import pytest

from tests.ui.fake_studio import FakeStudio
from tests.ui.wired import Wired


class Raised:
    """What a handler gets of a button with data-do."""

    def __init__(self, **data: str) -> None:
        self._data = data
        self.target = None


@pytest.fixture
def studio(tmp_path: Path) -> FakeStudio:
    return FakeStudio(tmp_path)


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Wired:
    folder = tmp_path_factory.mktemp("window")
    return Wired(FakeStudio(folder), folder / "downloads")


@pytest.fixture
def wired(window: Wired, studio: FakeStudio) -> Wired:
    window.begin(studio)
    return window


@pytest.fixture
def raised() -> type[Raised]:
    return Raised
