"""Refusals: an answer that says what happened and what to do, as a calm page for a person, as a line for a program.

A program that asks the endpoint reads it in the form of all that the endpoint says.
"""

from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse

from engine.serving.http.answers import refused
from engine.serving.http.routes import PATH
from engine.serving.refusals import ApiError

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

PAGE = Path(__file__).parents[3] / "assets" / "door.html"
"""A page without a script: it has to work before anybody is let in."""

NOTHING = Markup("")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with none at all, a browser sends a form without its origin
}


def refuse(
    scope: "Scope", status: int, message: str, remedy: str, more: Markup = NOTHING, **headers: str
) -> "Response":
    """Make the answer to a request that is refused.

    Args:
        scope: The request's.
        status: Its HTTP status.
        message: What happened, one sentence.
        remedy: What to do, one sentence.
        more: What a page says beyond it, as HTML: a form, say.
        headers: More headers; '_' stands for '-'.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if scope.get("path", "").startswith(PATH):
        return refused(ApiError(status, message, remedy), named)
    if wants_page(scope):
        body = Markup("<p>{}</p>").format(remedy) + more
        return page(status, message, body, named)
    return PlainTextResponse(f"{message} {remedy}".strip() + "\n", status, named)


def page(status: int, title: str, body: Markup, headers: dict[str, str] | None = None) -> "Response":
    """Make a page."""
    text = _template().substitute(title=escape(title), body=body)
    return HTMLResponse(text, status, HEADERS | (headers or {}))


@cache
def _template() -> Template:
    return Template(PAGE.read_text(encoding="utf-8"))


def wants_page(scope: "Scope") -> bool:
    """Whether whoever asks is a person's browser that opens a page."""
    return "text/html" in Headers(scope=scope).get("accept", "")
