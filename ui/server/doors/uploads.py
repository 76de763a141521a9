"""Uploads: how much may come in at once, and what is said when it is too much or there is no room for it.

Gradio writes what comes in into a folder of its own, answers a full disk with HTTP 500, and leaves the half file there,
so that the disk stays full.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from engine.workspace import explain_disk_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/gradio_api/upload"
MOST_FILES = 1000
"""Files at a time; Gradio's own limit for one request."""
GIGABYTE = 10**9
SPARE = 200 * 10**6
"""Bytes that stay free on the disk: a run writes its checkpoints there."""

PACK = "Pack them into one .zip, or prepare them without the window: python -m engine prepare."


class Uploads:
    """Middleware that watches over uploads.

    Args:
        app: What takes them.
        folder: Where Gradio puts them (GRADIO_TEMP_DIR).
        gigabytes: The largest upload, in units of 10**9 bytes.
    """

    def __init__(self, app: "ASGIApp", folder: Path, gigabytes: float) -> None:
        self._app = app
        self._folder = folder
        self._most = int(gigabytes * GIGABYTE)
        self._under_way = 0

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Take an upload, or refuse it in words."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].rstrip("/") != PATH:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        refusal = self._refusal(int(announced) if announced.isdecimal() and len(announced) < 20 else 0)
        if refusal:
            await _refuse_and_swallow(refusal, receive, send)
            return
        self._under_way += 1
        try:
            refusal, answer = await self._take(scope, receive)
        finally:
            self._under_way -= 1
            self._sweep()
        if refusal:
            await _refuse_and_swallow(refusal, receive, send)
        for message in answer:
            await send(message)

    def _refusal(self, size: int) -> PlainTextResponse | None:
        if size > self._most:
            return self._too_large(size)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # somebody may have emptied the cache
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            return PlainTextResponse(str(explain_disk_error(error, self._folder)), 507)
        if size > free - SPARE:
            return PlainTextResponse(
                f"The disk has {_size(max(0, free - SPARE))} to spare, and the upload has {_size(size)}. "
                "Free some space, or start with --workspace on a larger disk.",
                507,
            )
        return None

    def _too_large(self, size: int) -> PlainTextResponse:
        return PlainTextResponse(
            f"The upload has {_size(size)}, and at most {_size(self._most)} are taken at once. "
            "Pack it as .gz or .zip, start with a larger --max-upload, or prepare it without the window: "
            "python -m engine prepare.",
            413,
        )

    async def _take(self, scope: "Scope", receive: "Receive") -> "tuple[PlainTextResponse | None, list[Message]]":
        """Pass an upload on; return why it was refused, or the answer."""
        came, held = 0, list["Message"]()

        async def counted() -> "Message":
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooMuch
            return message

        async def hold(message: "Message") -> None:
            held.append(message)

        try:
            await self._app(scope, counted, hold)
        except _TooMuch:
            return self._too_large(came), []
        except ClientDisconnect:  # nobody is there to be told
            return None, []
        except OSError as error:
            return PlainTextResponse(str(explain_disk_error(error, self._folder)), 507), []
        if held and b"Too many files" in held[-1].get("body", b""):
            return PlainTextResponse(f"More than {MOST_FILES:,} files are not taken at once. {PACK}", 413), []
        return None, held

    def _sweep(self) -> None:
        """Remove what broken uploads have left: whole ones have been moved into folders of their own."""
        if self._under_way:
            return
        for entry in self._folder.glob("tmp*"):
            if entry.is_file():
                entry.unlink(missing_ok=True)


def _size(size: int) -> str:
    return f"{size / GIGABYTE:,.1f} GB" if size >= GIGABYTE else f"{size / 10**6:,.1f} MB"


class _TooMuch(Exception):
    """More has come in than is taken."""


async def _refuse_and_swallow(answer: PlainTextResponse, receive: "Receive", send: "Send") -> None:
    """Answer, and read on: a browser looks at the answer once it has sent everything, and not if it is cut off."""
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            break
    await send({"type": "http.response.body", "body": b""})
