"""What nobody can look into while it works (network, disk), and nobody has to wait for once it is called off."""

import threading
from collections.abc import Callable
from typing import TypeVar

LOOK = 0.25
"""Seconds between two looks."""

T = TypeVar("T")


class _Unwanted(Exception):
    """Ends the thread of what was called off, at its next piece."""


def meanwhile(action: Callable[[Callable[[], None]], T], look: Callable[[], None], name: str) -> T:
    """Run an action in a thread of its own, and look after it.

    Args:
        action: Gets a function that ends it, by an exception, once nobody wants it any more; called between its pieces.
        look: Called a few times a second; what it raises leaves the action alone, which ends at its next piece.
        name: Of the thread.

    Returns:
        What the action returns.

    Raises:
        BaseException: What ``look`` or the action has raised.
    """
    unwanted, ended = threading.Event(), threading.Event()
    found: list[T] = []
    failed: list[BaseException] = []

    def still_wanted() -> None:
        if unwanted.is_set():
            raise _Unwanted

    def work() -> None:
        try:
            found.append(action(still_wanted))
        except BaseException as error:
            failed.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, name=name, daemon=True).start()
    try:
        while not ended.wait(LOOK):
            look()
    except BaseException:
        unwanted.set()
        raise
    if failed:
        raise failed[0]
    return found[0]
