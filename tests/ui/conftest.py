"""A window over the engine in memory, and a way to call its handlers as the page does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui.fake_studio import FakeStudio


class Wired:
    """A built window: its handlers by 'module.name', called with plain values."""

    def __init__(self, studio: FakeStudio, folder: Path) -> None:
        from ui.layout import build_app

        self.studio = studio
        self.app = build_app(studio, folder)  # type: ignore[arg-type]

    def functions(self) -> list[Any]:
        """All that Gradio can be asked to call."""
        return list(self.app.fns.values())

    def handler(self, name: str) -> Callable[..., Any]:
        """The handler that is called 'recipe_tab.start', say."""
        module, _, wanted = name.partition(".")
        for known in self.functions():
            inner = getattr(known.fn, "__wrapped__", known.fn)
            if inner is not None and inner.__module__ == f"ui.{module}" and inner.__name__ == wanted:
                return inner
        raise AssertionError(f"no handler is called {name}")

    def component(self, elem_id: str) -> Any:
        """The component with an elem_id."""
        return next(block for block in self.app.blocks.values() if getattr(block, "elem_id", None) == elem_id)


class Raised:
    """What a handler gets of a button with data-do."""

    def __init__(self, **data: str) -> None:
        self._data = data
        self.target = None


@pytest.fixture
def studio(tmp_path: Path) -> FakeStudio:
    return FakeStudio(tmp_path)


@pytest.fixture
def wired(studio: FakeStudio, tmp_path: Path) -> Wired:
    return Wired(studio, tmp_path / "downloads")


@pytest.fixture
def raised() -> type[Raised]:
    return Raised
