"""Other programs, a help desk say: they ask the endpoint, and show an API key in place of the window's own.

What begins with /v1/ goes there and nowhere else, so that an API key opens nothing of the window, and the window's key
nothing of the endpoint.
"""

from typing import TYPE_CHECKING

from engine.serving.http.routes import PATH

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Programs:
    """Middleware that passes to the endpoint what is meant for it.

    Args:
        app: What answers everything else.
        endpoint: Looks at the API key itself.
    """

    def __init__(self, app: "ASGIApp", endpoint: "ASGIApp") -> None:
        self._app, self._endpoint = app, endpoint

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on."""
        meant = scope["type"] == "http" and scope["path"].startswith(PATH)
        await (self._endpoint if meant else self._app)(scope, receive, send)
