"""The window's scripts at the top of the page, before Gradio's own, and which scripts may run there at all.

The page is Gradio's template, which offers no place for either: what ``head`` names is put on the page by Gradio's own
scripts, when the page has been seen already: too late to begin in the right colours, and to keep a clock of theirs from
running for ever (assets/window/). And the number that lets the template's own scripts run has to stand in each of them.
So the page is written into as it is sent.

The page's content security policy lets those scripts run that come from here, and those in the page that bear a number
which differs each time (nonce); a script that came in with the text of a ticket has none. Gradio makes functions of
text ('unsafe-eval') and gives its components styles of their own ('unsafe-inline').
"""

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARK = b"<head>"
SCRIPTS = b'<script src="./window/theme.js"></script><script type="module" src="./window/main.js"></script>'
"""The first one the page waits for; modules run in the order in which they stand there."""

SCRIPT = b"<script"
MANIFEST = b'<link rel="manifest" href="/manifest.json" />'
"""Asked for without the key, and of no use: the window is not installed as an app."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)


class HeadScripts:
    """Middleware that writes the scripts into each HTML page that is asked for, and the policy into its headers.

    Args:
        app: What answers.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

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
                body, nonce = message.get("body", b""), secrets.token_urlsafe(16)
                page = body.replace(MANIFEST, b"", 1).replace(MARK, MARK + SCRIPTS, 1)
                page = page.replace(SCRIPT, SCRIPT + f' nonce="{nonce}"'.encode())
                await send(_headed(start, len(page) - len(body), nonce))
                start, message = None, {**message, "body": page}
            await send(message)

        await self._app(scope, receive, written)


def _is_page(start: "Message") -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def _headed(start: "Message", longer: int, nonce: str) -> "Message":
    headers = [
        (name, str(int(value) + longer).encode() if name.lower() == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return {**start, "headers": [*headers, (b"content-security-policy", POLICY.format(nonce=nonce).encode())]}
