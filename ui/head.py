"""The window's script at the top of the page, before Gradio's own.

What Gradio's ``head`` names is put on the page by its own scripts, when the page has been seen already: too late to
begin in the right colours, and to keep a clock of theirs from running for ever (assets/window.js).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARK = b"<head>"


class HeadScript:
    """Middleware that writes a script into each HTML page that is asked for.

    Args:
        app: What answers.
        script: JavaScript, without a tag around it.
    """

    def __init__(self, app: "ASGIApp", script: str) -> None:
        self._app = app
        self._tag = f"<script>{script}</script>".encode()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer, or pass on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def written(message: "Message") -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message  # waits for the body, which makes it longer
                return
            if message["type"] == "http.response.body" and start is not None:
                body = message.get("body", b"")
                page = body.replace(MARK, MARK + self._tag, 1)
                await send(_longer(start, len(page) - len(body)))
                start, message = None, {**message, "body": page}
            await send(message)

        await self._app(scope, receive, written)


def _is_page(start: "Message") -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def _longer(start: "Message", by: int) -> "Message":
    headers = [
        (name, str(int(value) + by).encode() if name.lower() == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return {**start, "headers": headers}
