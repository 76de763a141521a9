"""The script that goes before Gradio's."""

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.shell.head import HeadScript

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
    return TestClient(Starlette(routes=routes, middleware=[Middleware(HeadScript, script="let a = 'ö';")]))


def test_the_script_is_the_first_thing_on_the_page(client):
    answer = client.get("/")
    nonce = re.search("'nonce-([^']{20,})'", answer.headers["content-security-policy"])[1]
    assert answer.text == PAGE.replace("<head>", f"<head><script nonce=\"{nonce}\">let a = 'ö';</script>", 1)
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_what_is_no_page_stays_as_it_is(client):
    assert client.get("/headless").text == "<p>nothing"
    assert client.get("/data").json() == {"page": PAGE}
    assert client.get("/parts").text == "part 0\npart 1\npart 2\n"
    assert client.post("/").text == PAGE
    assert client.head("/").content == b""


def test_the_page_of_the_window_has_it():
    from ui.shell.theme import ASSETS, SCRIPTS, launch_options

    (made,) = launch_options()["app_kwargs"]["middleware"]
    for name in SCRIPTS:
        assert (ASSETS / name).read_text(encoding="utf-8") in made.kwargs["script"]
    assert "</script" not in made.kwargs["script"]
