"""A question for something that the window does not have: answered with 404, in words.

Gradio looks handlers and components up by number, and a number that is not there became a KeyError: status 500, and a
traceback in the log. A page that is older than the program may ask so, and whoever tries what comes through.
"""

from typing import TYPE_CHECKING, Generic, TypeVar

from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from gradio.routes import App
    from starlette.requests import Request

Part = TypeVar("Part")
WORDS = "The program has nothing of that name or number. Load the page again.\n"


class UnknownPartError(KeyError):
    """There is no such handler or component."""


class Numbered(dict[int, Part], Generic[Part]):
    """Handlers or components by number; one that is not there is an error of its own."""

    def __missing__(self, number: int) -> Part:
        """Raise an UnknownPartError."""
        raise UnknownPartError(number)


def answer_in_words(app: "App") -> None:
    """Let Gradio's app answer such a question with 404."""
    from gradio.route_utils import FnIndexInferError

    async def told(_: "Request", __: Exception) -> PlainTextResponse:
        return PlainTextResponse(WORDS, 404)

    for kind in (UnknownPartError, FnIndexInferError):
        app.add_exception_handler(kind, told)
