"""Work that tells its stages while it goes on, as a generator: how they are shown or told, and what comes of it."""

from collections.abc import Callable, Generator
from typing import TypeVar

Stage = TypeVar("Stage")
Shown = TypeVar("Shown")
Result = TypeVar("Result")


def result_of(stages: Generator[Stage, None, Result], tell: Callable[[Stage], object] = lambda _: None) -> Result:
    """Wait for the end of some work, and return what comes of it.

    Args:
        stages: The work.
        tell: Called with each stage.
    """
    while True:
        try:
            tell(next(stages))
        except StopIteration as ended:
            result: Result = ended.value
            return result


def shown_as(stages: Generator[Stage, None, Result], show: Callable[[Stage], Shown]) -> Generator[Shown, None, Result]:
    """Show the stages of some work as something else, and return what comes of it."""
    while True:
        try:
            stage = next(stages)
        except StopIteration as ended:
            result: Result = ended.value
            return result
        yield show(stage)
