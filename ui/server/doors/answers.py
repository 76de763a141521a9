"""What every answer tells the browser: how far it may be used. And HEAD is answered as GET is, without the body."""

from typing import TYPE_CHECKING, Any

import anyio
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For whatever is no page of ours: should a browser show it as one all the same, it can do nothing."""
KEPT = ("/assets/", "/static/", "/svelte/", "/favicon.ico")
"""Gradio's own files, which a browser may keep; anything else may hold text of tickets."""


class Answers:
    """Middleware that writes the headers, and answers HEAD.

    Args:
        app: What answers.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def written(message: "Message") -> None:
            if message["type"] == "http.response.start":
                _write_headers(message, scope["path"])
            await send(message)

        if scope["method"] == "HEAD":
            await _without_body(self._app, {**scope, "method": "GET"}, receive, written)
        else:
            await self._app(scope, receive, written)


def _write_headers(start: "Message", path: str) -> None:
    """Add the headers, and take away leave for other origins: Gradio gives it to every port of this computer."""
    headers = MutableHeaders(scope=start)
    for name in [name for name in headers if name.startswith("access-control-")]:
        del headers[name]
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", POLICY)
    if not path.startswith(KEPT):
        headers["Cache-Control"] = "no-store"


async def _without_body(app: "ASGIApp", scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Ask as GET would, and end as soon as the head of the answer is known: a stream would never end by itself."""
    head: list[Any] = []
    begun = anyio.Event()

    async def headed(message: "Message") -> None:
        if message["type"] == "http.response.start":
            head.append(message)
            begun.set()

    async def ask() -> None:
        try:
            await app(scope, receive, headed)
        finally:
            begun.set()

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await begun.wait()
        group.cancel_scope.cancel()
    if head:
        await send(head[0])
        await send({"type": "http.response.body", "body": b""})
