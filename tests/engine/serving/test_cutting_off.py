"""What the log says of a server that ends while somebody asks."""

import asyncio
import logging
import threading

import httpx
import pytest
import uvicorn

from engine.serving.http.cutting_off import run_until_told_to_end
from tests.program import free_port


class Slow:
    """An app whose one answer takes until it is let go, or fails."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/fault":
            raise ValueError("a fault")
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            if scope["path"] == "/told-otherwise":
                raise RuntimeError("Caught handled exception") from cancelled
            raise


SETTINGS = {"log_config": None, "lifespan": "off", "timeout_graceful_shutdown": 0}


@pytest.mark.parametrize("path", ["/", "/told-otherwise"])
def test_an_answer_that_is_cut_off_is_no_fault(caplog, path):
    slow, port = Slow(), free_port()
    server = uvicorn.Server(uvicorn.Config(slow, port=port, **SETTINGS))
    runs = threading.Thread(target=run_until_told_to_end, args=(server,), daemon=True)
    runs.start()
    asks = threading.Thread(target=_ask, args=(f"http://127.0.0.1:{port}{path}",), daemon=True)
    asks.start()
    assert slow.asked.wait(30)
    server.should_exit = True
    runs.join(30)
    asks.join(30)
    assert not runs.is_alive() and not asks.is_alive()
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_fault_is_told(caplog):
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(Slow(), port=port, **SETTINGS))
    runs = threading.Thread(target=run_until_told_to_end, args=(server,), daemon=True)
    runs.start()
    _ask(f"http://127.0.0.1:{port}/fault")
    server.should_exit = True
    runs.join(30)
    assert ["a fault" in str(record.exc_info) for record in caplog.records if record.levelno > logging.INFO] == [True]


def _ask(address: str) -> None:
    """Ask until somebody listens, and then wait for whatever comes."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=20), timeout=60) as client:
        try:
            client.get(address)
        except httpx.RemoteProtocolError:
            return
