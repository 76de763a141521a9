"""The window's app as it is served: what it answers to a question that no page of it asks."""

import gradio as gr
import pytest
from starlette.testclient import TestClient

from ui.events import bind
from ui.server.blocks import WindowBlocks
from ui.server.serving import served

pytestmark = pytest.mark.ui
BODY = {"data": [], "session_hash": "page-1", "trigger_id": None}


@pytest.fixture(scope="module")
def client():
    app = WindowBlocks(analytics_enabled=False)
    with app:
        bind(gr.Button().click, str, [], [gr.HTML()])
    frame, end_streams = served(app, knows_users=False)
    with TestClient(frame, raise_server_exceptions=True) as asks:
        yield asks
    end_streams()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("queue/join", {**BODY, "fn_index": 99_999}),
        ("queue/join", {**BODY, "fn_index": -1}),
        ("run/predict", {**BODY, "fn_index": 99_999}),
        ("run/nothing", BODY),
        ("api/nothing", BODY),
        ("call/nothing", {"data": []}),
        ("component_server", {"component_id": 99_999, "fn_name": "x", "session_hash": "page-1", "data": None}),
    ],
)
def test_what_is_not_there_is_told_in_words(client, path, body):
    answer = client.post(f"/gradio_api/{path}", json=body)
    assert answer.status_code == 404
    assert answer.text.startswith("The program has nothing of that name or number. Load the page again.")


def test_what_is_there_is_answered(client):
    assert client.post("/gradio_api/queue/join", json={**BODY, "fn_index": 1, "data": [None]}).status_code == 200
