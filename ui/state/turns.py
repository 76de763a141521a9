"""Turns: what one person sets off happens in the order of the clicks; two people never wait for each other.

A handler reads a selection, and sets it. Side by side, the slower would undo what the faster did: a preset and then a
model, chosen within a second while the computer is busy, and the model was gone. So does a drawing that is late: it
would show the ticket that was picked before. Whoever waits for a turn takes no thread.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

PREFIX = "in turn: "
"""Begins the ``concurrency_id`` of handlers that take turns; what follows is the name of their lane."""

PAGE = "page"
"""The lane of all that changes or shows what a page has selected."""


class Turns:
    """A queue a person and lane; one that nobody waits in is not there."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def of(self, person: str | None, slot: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Args:
            person: Whose click it is, as Gradio's session hash; None takes no turn.
            slot: The handler's ``concurrency_id``; one without :data:`PREFIX` takes no turn.
        """
        if person is None or not slot.startswith(PREFIX):
            yield
            return
        lock = self._locks.setdefault((person, slot), asyncio.Lock())
        async with lock:
            yield
