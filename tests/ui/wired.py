"""A window that is built once, over the engine in memory of the test that runs; its handlers can be called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from tests.ui.fake_studio import FakeStudio
from ui.services import Studio
from ui.state.page import first_page


class StandIn:
    """Passes on what the window asks of the studio, or of one of its services, to that of the test that runs.

    Handlers keep what they were wired with, be it a service or one of its methods; so both are looked up when called.
    """

    def __init__(self, now: Callable[[], Any]) -> None:
        self._now = now

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._now(), name)
        if type(found).__module__.startswith("tests.ui.fake_"):
            return StandIn(lambda: getattr(self._now(), name))
        if callable(found):
            return lambda *values, **named: getattr(self._now(), name)(*values, **named)
        return found


class Wired:
    """A built window: its handlers by 'module.name', called with plain values."""

    def __init__(self, studio: FakeStudio, folder: Path) -> None:
        from ui.layout import build_window

        self.studio: Studio = studio
        self.app, self.context = build_window(cast(Studio, StandIn(lambda: self.studio)), folder)

    def begin(self, studio: Studio) -> None:
        """Begin a test with a studio of its own, and nothing that the test before has left."""
        self.studio = studio
        self.context.tasks.forget_others("", "")
        self.context.conversations._by_session.clear()
        self.context.asking._asked.clear()

    def functions(self) -> list[Any]:
        """All that Gradio can be asked to call."""
        return list(self.app.fns.values())

    def handler(self, name: str) -> Callable[..., Any]:
        """The handler that is called 'recipe.tab.start', say: what is called start in ui/recipe/tab.py."""
        module, _, wanted = name.rpartition(".")
        if wanted == "show":
            return cast(Callable[..., Any], import_module(f"ui.{module}").redraw(self.context)[0])
        for known in self.functions():
            inner = handler_of(known)
            if inner is not None and inner.__module__ == f"ui.{module}" and inner.__name__ == wanted:
                return inner
        raise AssertionError(f"no handler is called {name}")

    def drawn(self, name: str, **selected: Any) -> Any:
        """What a handler answers a page that has this tab open ('open') and has selected this, and nothing else."""
        wanted, page = self.handler(name), self.context.page
        [known] = [known for known in self.functions() if handler_of(known) is wanted]
        values = {**first_page(), "open": "", **selected}
        given = {state._id: values[field] for field, state in {**page.values(), "open": page.open}.items()}
        return wanted(*(given.get(part._id, part.value) for part in known.inputs))

    def component(self, elem_id: str) -> Any:
        """The component with an elem_id."""
        return next(block for block in self.app.blocks.values() if getattr(block, "elem_id", None) == elem_id)


def handler_of(known: Any) -> Callable[..., Any] | None:
    """The handler as it is written, without what is put around it; None where there is only JavaScript."""
    return cast("Callable[..., Any] | None", getattr(known.fn, "__wrapped__", known.fn))
