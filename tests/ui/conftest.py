"""A window over the engine in memory, and a way to call its handlers as the page does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui.fake_studio import FakeStudio
from ui.state.page import first_page


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
        """The handler that is called 'recipe.tab.start', say: what is called start in ui/recipe/tab.py."""
        module, _, wanted = name.rpartition(".")
        if wanted == "show":
            return self._drawings()[module.removesuffix(".tab")].show
        for known in self.functions():
            inner = _inner(known)
            if inner is not None and inner.__module__ == f"ui.{module}" and inner.__name__ == wanted:
                return inner
        raise AssertionError(f"no handler is called {name}")

    def drawn(self, name: str, **selected: Any) -> dict[Any, Any]:
        """What a handler answers a page that has this tab open ('open') and has selected this, and nothing else."""
        [known] = [known for known in self.functions() if _inner(known) is self.handler(name)]
        page = _enclosed(self.handler("shell.stage.begin"))["here"]
        values = {**first_page(), "open": "", **selected}
        given = {state._id: values[field] for field, state in {**page.values(), "open": page.open}.items()}
        return _inner(known)(*(given.get(part._id, part.value) for part in known.inputs))

    def _drawings(self) -> dict[str, Any]:
        """Tab -> how it is drawn whole."""
        return _enclosed(_enclosed(self.handler("shell.stage.begin"))["begun"].show)["chosen"]

    def component(self, elem_id: str) -> Any:
        """The component with an elem_id."""
        return next(block for block in self.app.blocks.values() if getattr(block, "elem_id", None) == elem_id)


def _inner(known: Any) -> Any:
    """The handler as it is written, without what is put around it."""
    return getattr(known.fn, "__wrapped__", known.fn)


def _enclosed(handler: Callable[..., Any]) -> dict[str, Any]:
    """What a handler knows of the function that it was made in."""
    cells = zip(handler.__code__.co_freevars, handler.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}


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
