"""How far transformers is with loading a model, and a way to call it off in the middle.

It shows a bar of its own while it loads; its hook for these bars (transformers.utils.logging.set_tqdm_hook) is one for
the whole process, so the hook looks at which thread asks for a bar.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.task import Report

LOOK = 0.1
"""Seconds between two reports: a model has hundreds of weights, most of which are here in a millisecond."""
_thread = threading.local()


@contextmanager
def told_how_far(stage: str, report: Report) -> Iterator[None]:
    """Report how far this thread's loading is for as long as the context lasts.

    Args:
        stage: What is loaded, in words.
        report: What it raises ends the loading and is raised here.
    """
    from transformers.utils import logging

    logging.set_tqdm_hook(_bar)  # it stays, and does nothing for other threads
    _thread.told = stage, report
    try:
        yield
    finally:
        _thread.told = None


def _bar(factory: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    told = getattr(_thread, "told", None)
    return _Watched(args[0], *told) if told and args else factory(*args, **options)


class _Watched:
    """Stands in for a bar over weights that are loaded one after the other."""

    def __init__(self, items: Iterable[Any], stage: str, report: Report) -> None:
        self._items = list(items)
        self._stage = stage
        self._report = report

    def __iter__(self) -> Iterator[Any]:
        last = 0.0
        for done, item in enumerate(self._items):
            if time.monotonic() - last >= LOOK:
                last = time.monotonic()
                self._report(self._stage, done / len(self._items))
            yield item

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *args, **options: None  # whatever else a bar can be told
