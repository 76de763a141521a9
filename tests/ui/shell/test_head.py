"""The scripts that go before Gradio's."""

import re
from pathlib import Path

import gradio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.shell.head import SCRIPTS, HeadScripts
from ui.shell.theme import ASSETS, launch_options

PAGE = "<!doctype html><html><head><title>Ä</title></head><body>About the &lt;head&gt; <head></body></html>"


async def _in_parts():
    for number in range(3):
        yield f"part {number}\n"


@pytest.fixture
def client():
    routes = [
        Route("/", lambda _: HTMLResponse(PAGE), methods=["GET", "POST"]),
        Route("/headless", lambda _: HTMLResponse("<p>nothing")),
        Route("/data", lambda _: JSONResponse({"page": PAGE})),
        Route("/parts", lambda _: StreamingResponse(_in_parts(), media_type="text/event-stream")),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(HeadScripts)]))


def test_the_scripts_are_the_first_thing_on_the_page_and_bear_its_number(client):
    answer = client.get("/")
    nonce = re.search("'nonce-([^']{20,})'", answer.headers["content-security-policy"])[1]
    scripts = SCRIPTS.decode().replace("<script", f'<script nonce="{nonce}"')
    assert answer.text == PAGE.replace("<head>", f"<head>{scripts}", 1)
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_what_is_no_page_stays_as_it_is(client):
    assert client.get("/headless").text == "<p>nothing"
    assert client.get("/data").json() == {"page": PAGE}
    assert client.get("/parts").text == "part 0\npart 1\npart 2\n"
    assert client.post("/").text == PAGE
    assert client.head("/").content == b""


def test_every_script_that_the_page_names_is_there():
    named = re.findall(r'src="\./(window/[^"]+)"', SCRIPTS.decode())
    assert len(named) == 2
    for file in named:
        assert (ASSETS / file).is_file()
    assert launch_options()["app_kwargs"]["middleware"][0].cls is HeadScripts


def test_gradio_still_has_the_clock_that_is_slowed():
    """When this fails, Gradio has mended it, and assets/window/clock.js can go."""
    clock = re.compile(r"\(\) ?=> ?\{[^{}]*performance\.now\(\) ?-[^{}]*/ ?1e3[^{}]*\}")
    scripts = (Path(gradio.__file__).parent / "templates" / "frontend" / "assets").glob("statustracker-*.js")
    assert any(clock.search(script.read_text(encoding="utf-8")) for script in scripts)
