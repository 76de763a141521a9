"""From a thread into an event loop: of what a thread makes, always the newest, since each holds all that came before.

So a client that reads slowly holds up nobody, and nothing piles up for it.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def newest(made: Iterator[T], stop: Callable[[], None]) -> AsyncGenerator[T, None]:
    """Let a thread of its own go through an iterator, and yield what it makes.

    Args:
        made: Where each value holds those before. It is gone through to its end, which it comes to soon after ``stop``.
        stop: Called when nobody waits any more.

    Raises:
        Exception: What the iterator raised.
    """
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    last: list[T] = []
    ended: list[Exception | None] = []

    def put(value: T) -> None:
        last[:] = [value]
        changed.set()

    def end(error: Exception | None) -> None:
        ended.append(error)
        changed.set()

    def work() -> None:
        error: Exception | None = None
        try:
            for value in made:
                with suppress(RuntimeError):  # the loop has been closed; the iterator is told to stop
                    loop.call_soon_threadsafe(put, value)
        except Exception as raised:
            error = raised
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(end, error)

    threading.Thread(target=work, name="answer", daemon=True).start()
    try:
        while True:
            await changed.wait()
            changed.clear()
            while last:
                yield last.pop()
            if ended:
                if ended[0] is not None:
                    raise ended[0]
                return
    finally:
        stop()
