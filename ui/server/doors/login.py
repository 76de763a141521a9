"""The login: one or several people with a password each.

Stands in for Gradio's own, which answers any number of wrong tries as fast as they come, and leaves half of its
addresses open to whoever has not logged in. Gradio is told who it is (scope["user"]).
"""

import binascii
import hashlib
import hmac
import math
import secrets
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

from ui.server.doors.refusals import refuse, wants_page
from ui.server.doors.start_token import DAYS, cookie_name
from ui.server.doors.tries import Tries, network_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_FORM = 10_000
"""Bytes of a login; a password is shorter."""
MOST = 10_000
"""Sessions, and browsers that are known; the oldest is forgotten first."""

FORM = Markup(
    '<form action="/login" method="post"><label for="username">Name</label>'
    '<input id="username" name="username" autocomplete="username" required autofocus>'
    '<label for="password">Password</label>'
    '<input id="password" name="password" type="password" autocomplete="current-password" required>'
    '<button type="submit">Log in</button></form>'
)


class Login:
    """Middleware that lets those in who have logged in.

    Args:
        app: What answers them.
        users: Passwords by user.
        tries: Counts the wrong ones.
    """

    def __init__(self, app: "ASGIApp", users: dict[str, str], tries: Tries | None = None) -> None:
        self._app = app
        self._users = [(user, _digest(user), _digest(password)) for user, password in users.items()]
        self._tries = tries or Tries()
        self._sessions: dict[str, str] = {}
        self._browsers: dict[str, None] = {}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies, name = cookie_parser(headers.get("cookie", "")), cookie_name(headers)
        session = cookies.get(f"{name}-session", "")
        user = self._sessions.get(session)
        path = scope["path"].rstrip("/")
        if path == "/login" and scope["method"] == "POST":
            answer = await self._log_in(scope, receive, cookies.get(f"{name}-browser", ""), name)
        elif path == "/logout" or (path == "/login" and user is not None):
            if path == "/logout":
                self._sessions.pop(session, None)
            answer = RedirectResponse("/", 303)
        else:
            if user is None and "authorization" in headers:
                user, answer = self._by_header(scope, headers["authorization"])
            elif user is None:
                remedy = "Whoever started it has given you a name and a password."
                answer = _ask(scope, 401, "Log in to open Ticket Tuner.", remedy)
            if user is not None:
                await self._app({**scope, "user": user}, receive, send)
                return
        await answer(scope, receive, send)

    async def _log_in(self, scope: "Scope", receive: "Receive", browser: str, name: str) -> "Response":
        form = parse_qs((await _body(receive)).decode("utf-8", "replace"), keep_blank_values=True)
        user, refusal = self._checked(scope, form.get("username", [""])[0], form.get("password", [""])[0], browser)
        if user is None:
            return refusal
        answer = RedirectResponse("/", 303) if wants_page(scope) else PlainTextResponse(f"Logged in as {user}.\n")
        for kind, kept in (("session", self._remember(self._sessions, user)), ("browser", self._known(browser))):
            answer.set_cookie(
                f"{name}-{kind}",
                kept,
                DAYS * 86_400,
                httponly=True,
                samesite="strict",
                secure=scope.get("scheme") == "https",
            )
        return answer

    def _by_header(self, scope: "Scope", value: str) -> "tuple[str | None, Response]":
        """Programs may send name and password with each request (HTTP Basic)."""
        scheme, _, code = value.partition(" ")
        try:
            name, _, password = b64decode(code, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            name = password = ""
        return self._checked(scope, name if scheme.lower() == "basic" else "", password, "")

    def _checked(self, scope: "Scope", name: str, password: str, browser: str) -> "tuple[str | None, Response]":
        """Return who it is, or the answer that says no."""
        is_known = browser in self._browsers
        who = f"browser {browser}" if is_known else network_of((scope.get("client") or ("",))[0])
        wait = math.ceil(self._tries.wait(who, known=is_known))
        if wait:
            message = "There were too many wrong passwords."
            return None, _ask(scope, 429, message, f"The next try is possible in {_duration(wait)}.", wait)
        user = self._user(name, password)
        if user is None:
            self._tries.failed(who, known=is_known)
            return None, _ask(scope, 401, "The name or the password is not right.", "Try again.")
        self._tries.succeeded(who)
        return user, PlainTextResponse("")

    def _user(self, name: str, password: str) -> str | None:
        """Compare with all users, in the same time whatever is right of it."""
        found, given = None, (_digest(name), _digest(password))
        for user, known, secret in self._users:
            if hmac.compare_digest(known, given[0]) & hmac.compare_digest(secret, given[1]):
                found = user
        return found

    def _known(self, browser: str) -> str:
        if browser in self._browsers:
            return browser
        made = secrets.token_urlsafe(32)
        self._browsers[made] = None
        _forget_oldest(self._browsers)
        return made

    def _remember(self, sessions: dict[str, str], user: str) -> str:
        made = secrets.token_urlsafe(32)
        sessions[made] = user
        _forget_oldest(sessions)
        return made


def _forget_oldest(kept: "dict[str, str] | dict[str, None]") -> None:
    while len(kept) > MOST:
        del kept[next(iter(kept))]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _ask(scope: "Scope", status: int, message: str, remedy: str, wait: int = 0) -> "Response":
    more = {"Retry_After": str(wait)} if wait else {}
    if not wants_page(scope):
        remedy += " A program sends name and password with each request (curl --user NAME)."
    return refuse(scope, status, message, remedy, FORM, **more)


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"


async def _body(receive: "Receive") -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body = (body + message.get("body", b""))[:LONGEST_FORM]
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body
