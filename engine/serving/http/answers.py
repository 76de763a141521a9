"""An answer on its way to a client: in one piece, or as server-sent events while it is written.

A connection that is closed ends the answer, whose place is free at the next step.
"""

from collections.abc import Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio
import orjson
from starlette.responses import Response

from engine.serving.http.newest import newest
from engine.serving.refusals import ApiError, refusal_of
from engine.serving.replies import Reply

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from engine.serving.endpoint import Answering

END = b"data: [DONE]\n\n"
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def refused(error: ApiError, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """Make the answer to a request that is refused."""
    headers = {**headers, **({"Retry-After": str(error.wait)} if error.wait else {})}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return told(error.body(), error.status, headers)


def told(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Make an answer of JSON."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


class AnswerResponse(Response):
    """The answer to a request that has been taken.

    Args:
        answering: The request.
    """

    def __init__(self, answering: "Answering") -> None:
        super().__init__()
        self._answering = answering
        self._reply = Reply(answering.request)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer, for as long as somebody listens."""
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch)
            if self._answering.request.stream:
                await self._send_pieces(scope, receive, send)
            else:
                await self._send_whole(scope, receive, send)
            group.cancel_scope.cancel()

    async def _send_whole(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        answer = None
        try:
            async with aclosing(newest(self._answering.answers(), self._answering.stop)) as answers:
                async for newer in answers:
                    answer = newer
            assert answer is not None
            response = told(self._reply.whole(answer, self._answering.masked))
        except Exception as error:
            response = refused(refusal_of(error))
        await response(scope, receive, send)

    async def _send_pieces(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send pieces; the status is not sent before the first word, so that what goes wrong until then has its own."""
        begun = False
        try:
            async with aclosing(newest(self._answering.answers(), self._answering.stop)) as answers:
                async for answer in answers:
                    if not begun and (answer.tokens or answer.done):
                        begun = True
                        await send({"type": "http.response.start", "status": 200, "headers": _raw(EVENTS)})
                        await _send_event(send, self._reply.first(answer))
                    if begun:
                        await _send_event(send, self._reply.next(answer, self._answering.masked))
                    if answer.done and self._answering.request.usage:
                        await _send_event(send, self._reply.count(answer))
        except Exception as error:
            refusal = refusal_of(error)
            if not begun:
                await refused(refusal)(scope, receive, send)
                return
            await _send_event(send, refusal.body())
        else:
            await send({"type": "http.response.body", "body": END, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _send_event(send: "Send", value: dict[str, Any] | None) -> None:
    if value is not None:
        body = b"data: " + orjson.dumps(value) + b"\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": True})


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
