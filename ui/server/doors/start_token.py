"""The start token: on a computer that several people use, only whoever started the program has the key to its window.

The address that the terminal shows carries the token, as Jupyter's does; who opens it gets a cookie and the clean
address. The token is kept in the workspace, in a file that its owner alone can read, so that a page that was open comes
back after a restart, and a second start can open the first's page. Deleting the file makes a new one.

A cookie is sent to every port of the same name: whoever can make the person open a server of theirs on this computer
could read it there. Browsers offer no narrower one for plain http.
"""

import hmac
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse

from engine.errors import StudioError
from engine.workspace import disk_errors, write_atomically
from ui.server.doors.refusals import page, refuse, wants_page

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

FILE = "key"
"""In the workspace."""
DAYS = 30
"""For which a browser keeps the cookie."""

ASK = Markup(
    '<form action="/"><label for="token">Key</label>'
    '<input id="token" name="token" type="password" autocomplete="off" required>'
    '<button type="submit">Open</button></form><p><a href="/">This browser has been here before: try again</a></p>'
)
ON = Markup('<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Go on</a></p>')
_TOKEN = re.compile(r"[\w-]{32,100}")


def kept_token(workspace: Path) -> str:
    """Return the workspace's token; made when there is none, or none that is sound.

    Raises:
        ResourceError: It cannot be read or written.
    """
    file = workspace / FILE
    with disk_errors(file):
        token = file.read_text(encoding="ascii", errors="replace").strip() if file.is_file() else ""
        if not _TOKEN.fullmatch(token):
            token = secrets.token_urlsafe(32)
            write_atomically(file, token + "\n")
        file.chmod(0o600)
    return token


def with_token(address: str, token: str) -> str:
    """The address that lets a browser in."""
    return f"{address}/?{urlencode({'token': token})}"


class StartToken:
    """Middleware that lets those in who have the token.

    Args:
        app: What answers them.
        token: The token.
    """

    def __init__(self, app: "ASGIApp", token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise StudioError("The key of the window is too short.", "Delete it, and start again.")
        self._app = app
        self._token = token

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookie = cookie_name(headers)
        shown = parse_qs(scope["query_string"].decode("latin-1")).get("token", []) if scope["path"] == "/" else []
        if shown and self._right(shown[0]):
            await self._let_in(scope, headers, cookie)(scope, receive, send)
        elif self._right(cookie_parser(headers.get("cookie", "")).get(cookie, "")) or self._right(_bearer(headers)):
            await self._app(scope, receive, send)
        else:
            await _how_to_get_in(scope, bool(shown))(scope, receive, send)

    def _right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token.encode())

    def _let_in(self, scope: "Scope", headers: Headers, cookie: str) -> "Response":
        """Hand out the cookie and lead to the clean address.

        After a link on another site a browser withholds the cookie from a redirect, so that a page leads on instead.
        """
        if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
            answer: Response = RedirectResponse("/", 303)
        else:
            answer = page(200, "Ticket Tuner opens", ON)
        secure = scope.get("scheme") == "https"
        answer.set_cookie(cookie, self._token, DAYS * 86_400, httponly=True, samesite="strict", secure=secure)
        return answer


def cookie_name(headers: Headers) -> str:
    """The cookie's name; with the port, since cookies know none, and there may be a window on each."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"ticket-tuner-{port}" if port.isdigit() else "ticket-tuner"


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _how_to_get_in(scope: "Scope", tried: bool) -> "Response":
    message = "This key is not the right one." if tried else "This window opens with a key."
    place = f"it also is the workspace's file '{FILE}'"
    remedy = (
        f"Open the address that the terminal shows where Ticket Tuner was started. It ends with the key; {place}."
        if wants_page(scope)
        else f"Send 'Authorization: Bearer KEY'. The key ends the address that the terminal shows; {place}."
    )
    return refuse(scope, 401, message, remedy, ASK, WWW_Authenticate="Bearer")
