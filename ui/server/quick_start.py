"""Imports Gradio in half the time, so that the window is there in seconds.

At each import Gradio 6 parses the sources of its 80 components to keep its own type stubs (.pyi) up to date: an aid for
its developers that takes half of the whole (measured: 1.6 of 3.6 s on two CPU cores). There is no switch for it (6.31:
``ComponentMeta.__new__`` calls ``create_or_modify_pyi`` for every class while Gradio is being imported, before anything
of it could be changed). It leaves a class alone whose file cannot be found, so that is what it is told.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def import_gradio() -> None:
    """Import Gradio without the upkeep of its type stubs."""
    with _no_stubs():
        import gradio  # noqa: F401


@contextmanager
def _no_stubs() -> Iterator[None]:
    find = inspect.getfile

    def getfile(object: Any) -> str:
        if type(object).__name__ == "ComponentMeta":
            raise OSError("no type stub is wanted")
        return find(object)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = find
