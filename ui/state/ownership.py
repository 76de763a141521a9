"""Whose a run is, where several people log in: what changes somebody else's run is asked twice."""

import time
from collections.abc import Callable

import gradio as gr

from engine.errors import StudioError
from ui.services import Studio

AGAIN = 60.0
"""Seconds within which an action has to be repeated to be meant."""


def name_of(request: gr.Request | None) -> str:
    """The person who has logged in; empty where nobody does."""
    return (request.username if request else None) or ""


class Asking:
    """Lets an action on another person's run through when it comes a second time.

    Args:
        studio: Knows the runs.
        clock: Seconds, ever growing.
    """

    def __init__(self, studio: Studio, clock: Callable[[], float] = time.monotonic) -> None:
        self._studio = studio
        self._clock = clock
        self._asked: dict[tuple[str, str, str], float] = {}

    def check(self, person: str, action: str, run: str) -> None:
        """Let ``person`` do something to a run.

        Args:
            person: Who wants it, as from :func:`name_of`.
            action: In words, such as 'stop it'.
            run: The run's id.

        Raises:
            StudioError: It is somebody else's, and this is the first time; says whose.
        """
        if not person:
            return
        status = self._studio.runs.info(run).status
        if status.started_by in {"", person}:
            return
        now, wanted = self._clock(), (person, action, run)
        self._asked = {known: at for known, at in self._asked.items() if now - at < AGAIN}
        if self._asked.pop(wanted, None) is None:
            self._asked[wanted] = now
            raise StudioError(
                f"'{status.name}' was started by {status.started_by}.",
                f"Ask {status.started_by}; or do the same once more within a minute to {action} all the same.",
            )
