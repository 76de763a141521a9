"""Clicks arrive in the order in which they were made.

Gradio 6.31 looks in a thread whether whoever asks is logged in (``login_check``) before it puts a click into its queue.
On a busy computer the thread of the second of two clicks can be the first, and what was clicked first stays selected.
"""

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from ui.state import turns

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/gradio_api/queue/join"
LANE = turns.PREFIX + "arrival"


class InOrder:
    """Middleware that lets the clicks of one browser into Gradio's queue one after the other.

    Args:
        app: What takes them.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        self._turns = turns.Turns()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, a click when those before are in the queue, answered or not."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH:
            await self._app(scope, receive, send)
            return
        async with self._turns.of(Headers(scope=scope).get("cookie", ""), LANE):
            await self._app(scope, receive, send)
