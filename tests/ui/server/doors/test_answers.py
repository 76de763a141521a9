"""What every answer says to the browser, and what is written on the disk."""

import time

import httpx
import pytest

from tests.ui.server.doors.conftest import bearer

CONFIG = "/config"
"""Tells of all handlers; a stand-in for whatever reads."""
UPLOAD = "/gradio_api/upload"


@pytest.mark.parametrize("path", ["/", CONFIG, "/theme.css", "/nothing", "/gradio_api/heartbeat/x", "/favicon.ico"])
def test_head_is_get_without_its_body(ask, path):
    head = ask("HEAD", path)
    assert head.content == b""
    if "heartbeat" not in path:  # which never ends
        got = ask("GET", path)
        same = {"content-type", "content-length", "cache-control", "x-frame-options"}
        assert head.status_code == got.status_code
        assert {name: head.headers.get(name) for name in same} == {name: got.headers.get(name) for name in same}


@pytest.mark.parametrize("path", ["/", CONFIG, "/theme.css", "/nothing", "/gradio_api/info"])
def test_every_answer_tells_the_browser_to_be_careful(ask, path):
    headers = ask("GET", path).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_a_form_before_the_door_is_sent_with_its_origin(program):
    """With no referrer at all, a browser sends a form with the origin 'null', which is refused."""
    assert httpx.get(program.address, headers={"Accept": "text/html"}).headers["referrer-policy"] == "same-origin"


def test_scripts_of_the_page_bear_a_number_that_differs_each_time(ask):
    numbers = set()
    for _ in range(2):
        answer = ask("GET", "/")
        policy = answer.headers["content-security-policy"]
        [number] = [word[7:-1] for word in policy.split() if word.startswith("'nonce-")]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "'unsafe-inline'" not in scripts
        assert answer.text.count("<script") == answer.text.count(f'<script nonce="{number}"') >= 5
        numbers.add(number)
    assert len(numbers) == 2


def test_what_the_window_writes_is_for_its_owner_alone(program):
    with httpx.Client(base_url=program.address, timeout=60, headers=bearer(program)) as client:
        event = client.post("/gradio_api/call/prepare_sample", json={"data": []}).json()["event_id"]
        assert "complete" in client.get(f"/gradio_api/call/prepare_sample/{event}").text
        sent = client.post(UPLOAD, files={"files": ("export.csv", b"question,answer\n")})
        assert sent.status_code == 200
    end = time.monotonic() + 60
    while not list(program.workspace.glob("datasets/*/name.json")) and time.monotonic() < end:
        time.sleep(0.1)
    found = [program.workspace, *program.workspace.rglob("*")]
    assert {"train.jsonl", "left_out.jsonl", "origin.json", "export.csv"} <= {path.name for path in found}
    assert [path for path in found if path.exists() and path.stat().st_mode & 0o077] == []
