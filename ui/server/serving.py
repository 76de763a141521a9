"""The window's server: Gradio's app behind the doors, in a thread of its own.

``Blocks.launch`` is not used: it asks its own address whether it is there, without a key, and puts its leave for other
origins around whatever it is given; and its start looks for a port by itself.
"""

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import uvicorn

from engine.errors import ResourceError
from engine.serving.http.cutting_off import GRACE, run_until_told_to_end

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from ui.server.blocks import WindowBlocks
    from ui.server.doors.entry import Entry

STARTING = 30.0
"""Seconds after which a server that is not there yet is given up."""


def served(app: "WindowBlocks", knows_users: bool, **looks: Any) -> "tuple[ASGIApp, Callable[[], None]]":
    """Return Gradio's app as ASGI, without sharing and without a look-up outside, and what ends its open streams.

    Args:
        app: The window.
        knows_users: Whether a door says who asks (scope["user"]); handlers get it as ``request.username``.
        looks: What :func:`ui.shell.theme.launch_options` returns.
    """
    from fastapi import FastAPI
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from ui.server.arrival import InOrder
    from ui.server.unknown import answer_in_words
    from ui.shell.theme import ASSETS

    frame = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    frame.add_middleware(InOrder)
    frame.mount("/window", StaticFiles(directory=ASSETS / "window"))
    if app.live is not None:
        frame.add_route("/live", app.live, methods=["POST"])
    gr.mount_gradio_app(
        frame,
        app,
        path="/",
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        auth_dependency=_user if knows_users else None,
        **looks,
    )
    [inner] = [route.app for route in frame.routes if isinstance(route, Mount) and isinstance(route.app, gr.routes.App)]
    answer_in_words(inner)

    def end_streams() -> None:
        inner.stop_event.set()
        app.close(verbose=False)

    return frame, end_streams


def _user(request: "Request") -> str | None:
    return request.scope.get("user")


class _Uvicorn(uvicorn.Server):
    """uvicorn that ends open streams before it waits for their end, in the thread whose event loop they wait in."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


class Server:
    """uvicorn in a thread.

    Args:
        app: What answers.
        end_streams: Ends what would never end by itself.
        entry: Where to listen.
    """

    def __init__(self, app: "ASGIApp", end_streams: Callable[[], None], entry: "Entry") -> None:
        certificate, key = entry.certificate or (None, None)
        config = uvicorn.Config(
            app,
            host=entry.host,
            port=entry.port,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Uvicorn(config, end_streams)
        self._thread = threading.Thread(target=run_until_told_to_end, args=(self._server,), name="window", daemon=True)

    def start(self) -> None:
        """Start, and wait until it answers.

        Raises:
            ResourceError: It cannot listen there.
        """
        self._thread.start()
        end = time.monotonic() + STARTING
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                where = f"{self._server.config.host} port {self._server.config.port}"
                raise ResourceError(f"The window cannot be opened on {where}.", "Choose another --port.")
            time.sleep(0.005)

    def close(self) -> None:
        """End; open streams end at once, answers under way after two seconds."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
