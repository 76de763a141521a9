"""An endpoint over a tiny model, put up by uvicorn, and the official client of OpenAI that asks it."""

import threading
import time
from collections.abc import Iterator

import openai
import pytest
import uvicorn

from engine.serving.endpoint import Endpoint
from engine.serving.http.routes import routes
from engine.serving.requests import Limits
from engine.studio import Studio
from engine.workspace import Workspace
from tests.engine.chat.lora import make_lora
from tests.program import free_port

DEADLINE = 120.0


@pytest.fixture(scope="package")
def studio(tiny_base, tiny_model, tmp_path_factory) -> Iterator[Studio]:
    """A workspace with two adapters over the tiny model, all of it offered."""
    folder = tmp_path_factory.mktemp("served")
    made = Studio(Workspace(folder / "workspace"))
    for seed, name in enumerate(("Friendly", "Formal"), start=1):
        made.adapters.bring_in(make_lora(tiny_base, folder / name, seed=seed), name, str(tiny_model))
    made.endpoint.switch(True)
    yield made
    made.close()


class Served:
    """A running server.

    Args:
        endpoint: What it answers with.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, port = endpoint, free_port()
        self.address = f"http://127.0.0.1:{port}/v1"
        config = uvicorn.Config(routes(endpoint), port=port, log_level="warning", timeout_graceful_shutdown=5)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def client(self, secret: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.address, api_key=secret, max_retries=0, timeout=DEADLINE)

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)


def until(look) -> None:
    """Wait until something is so."""
    end = time.monotonic() + DEADLINE
    while not look():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="package")
def secret(studio) -> str:
    return studio.endpoint.keys.make("tests")[1]


@pytest.fixture(scope="package")
def served(studio) -> Iterator[Served]:
    made = Served(studio.endpoint.endpoint)
    yield made
    made.end()


@pytest.fixture
def client(served, secret) -> openai.OpenAI:
    return served.client(secret)


class Watched:
    """The playground, of which a test decides when each answer may go on after its first words.

    Args:
        playground: Who really answers.
        pause: Called after the second token of every answer.
    """

    def __init__(self, playground, pause) -> None:
        self._playground, self._pause = playground, pause
        self.should_stop = None
        self.last = None
        self.over = threading.Event()

    def voices(self):
        return self._playground.voices()

    def instruction(self, voices):
        return self._playground.instruction(voices)

    def ask(self, voices, conversations, sampling, *told):
        should_stop = told[3]
        return self._watched(self._playground.ask(voices, conversations, sampling, *told), should_stop)

    def _watched(self, frames, should_stop):
        self.should_stop, paused = should_stop, False
        try:
            for frame in frames:
                self.last = frame.answers[0]
                yield frame
                if not paused and self.last.tokens >= 2:
                    paused = True
                    self._pause()
        finally:
            self.over.set()


@pytest.fixture
def put_up(studio):
    """Put up an endpoint over the playground as a test watches it; returns the server and the watched playground."""
    running: list[Served] = []

    def put(pause, limits: Limits | None = None):
        watched = Watched(studio.playground, pause)
        served = studio.endpoint
        endpoint = Endpoint(watched, served.offers, served.keys, served.privacy, limits)
        running.append(Served(endpoint))
        return running[-1], watched

    yield put
    for one in running:
        one.end()
