"""The routes of the endpoint, and what each passes: a key, a body of a sound size, a request that makes sense.

GET  /v1/models              what is offered
GET  /v1/models/{name}
POST /v1/chat/completions    an answer to a conversation
POST /v1/completions         the continuation of a text
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from engine.errors import StudioError
from engine.serving.http.answers import AnswerResponse, refused, told
from engine.serving.refusals import ApiError, refusal_of
from engine.serving.requests import AnswerRequest, Limits, chat_request, text_request

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from engine.serving.endpoint import Endpoint, OfferedModel
    from engine.serving.keys import ApiKey

PATH = "/v1/"
"""Begins the path of everything here."""

Read = Callable[[object, Limits], AnswerRequest]


def routes(endpoint: "Endpoint") -> Starlette:
    """Make the ASGI app of an endpoint."""

    async def models(request: "Request") -> "Response":
        await _admitted(endpoint, request)
        offered = await to_thread.run_sync(endpoint.models)
        return told({"object": "list", "data": [_described(model) for model in offered]})

    async def model(request: "Request") -> "Response":
        await _admitted(endpoint, request)
        return told(_described(await to_thread.run_sync(endpoint.model, request.path_params["name"])))

    def answers(read: Read) -> "Callable[[Request], Awaitable[Response]]":
        async def answer(request: "Request") -> "Response":
            key = await _admitted(endpoint, request)
            asked = read(_parsed(await _body(request, endpoint.limits.body)), endpoint.limits)
            return AnswerResponse(await to_thread.run_sync(endpoint.begin, asked, key))

        return answer

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/v1/chat/completions", answers(chat_request), methods=["POST"]),
            Route("/v1/completions", answers(text_request), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _unknown, StudioError: _failed, Exception: _failed},
    )


async def _admitted(endpoint: "Endpoint", request: "Request") -> "ApiKey":
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return await to_thread.run_sync(endpoint.admit, secret.strip() if scheme.lower() == "bearer" else "")


async def _body(request: "Request", most: int) -> bytes:
    """Read a body; of one that is too large all is read and nothing kept, for a client listens once it has sent all."""
    body, size = b"", 0
    async for piece in request.stream():
        size += len(piece)
        body = body + piece if size <= most else b""
    if size > most:
        raise ApiError(
            413,
            f"The request has {size:,} bytes, and at most {most:,} are taken.",
            "Send a shorter conversation.",
            code="request_too_large",
        )
    return body


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise ApiError(400, f"The body is no JSON: {error}.", "Mend it.", code="invalid_json") from error


def _described(model: "OfferedModel") -> dict[str, Any]:
    described = {"id": model.name, "object": "model", "created": 0, "owned_by": "ticket-tuner"}
    return {**described, "metadata": {"label": model.voice.label, "base": model.voice.model or None}}


async def _unknown(request: "Request", error: Exception) -> "Response":
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return refused(ApiError(405, f"{request.url.path} is not asked with {request.method}.", code="wrong_method"))
    return refused(ApiError(404, f"There is nothing at {request.url.path[:80]}.", _WHAT_THERE_IS, code="not_found"))


async def _failed(_: "Request", error: Exception) -> "Response":
    return refused(refusal_of(error))


_WHAT_THERE_IS = "There are /v1/models, /v1/chat/completions and /v1/completions."
