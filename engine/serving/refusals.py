"""Refusals of the endpoint: one sentence, and the status and the code by which a client tells what to do about it.

    400  the request cannot be answered as it is, or is too long for the model
    401  there is no key, or none of ours
    403  the endpoint is switched off
    404  there is no such model, or no such path
    413  the request is larger than is taken
    429  too many are being answered already
    500  the model cannot answer
    503  not now: memory, or a run that needs another base model

The codes are those of OpenAI where it has one (https://platform.openai.com/docs/guides/error-codes).
"""

import logging
from typing import Any

from engine.chat.context import TooLongError
from engine.errors import ModelError, ResourceError, RunError, StudioError

log = logging.getLogger(__name__)

TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiError(StudioError):
    """A request that is refused.

    Args:
        status: HTTP status.
        message: As in :class:`engine.errors.StudioError`.
        remedy: As in :class:`engine.errors.StudioError`.
        param: The field of the request at fault, if one is.
        code: What a program tells it by.
        wait: Seconds after which to try again; 0 where that would not help.
    """

    def __init__(
        self, status: int, message: str, remedy: str = "", *, param: str | None = None, code: str = "", wait: int = 0
    ) -> None:
        super().__init__(message, remedy)
        self.status, self.param, self.code, self.wait = status, param, code, wait

    def body(self) -> dict[str, Any]:
        """The refusal as clients of OpenAI read it."""
        kind = TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code or None}}


def refusal_of(error: Exception) -> ApiError:
    """Put what went wrong while an answer was made into the form of the endpoint."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, TooLongError):
        return ApiError(400, error.message, error.remedy, param="messages", code="context_length_exceeded")
    if isinstance(error, RunError | ResourceError):
        return ApiError(503, error.message, error.remedy, code="not_now", wait=10)
    if isinstance(error, StudioError):
        return ApiError(500 if isinstance(error, ModelError) else 400, error.message, error.remedy)
    log.error("an answer of the endpoint failed", exc_info=error)
    return ApiError(500, f"Something unexpected happened ({type(error).__name__}).", "The details are in the log.")
