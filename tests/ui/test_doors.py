"""Real requests against the program as a person starts it: who is let in, and what every answer says."""

import time

import httpx
import pytest

from tests.program import Program

CONFIG = "/config"
"""Tells of all handlers; a stand-in for whatever reads."""
UPLOAD = "/gradio_api/upload"
ELSEWHERE = ["http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1", "null", "http://localhost.evil.example"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made = Program(tmp_path_factory.mktemp("doors") / "workspace", "--allow-host", "desk.example")
    made.start()
    yield made
    made.end()
    assert not made.complaints()


@pytest.fixture
def ask(program):
    """Ask with headers; returns the answer."""
    with httpx.Client(base_url=program.address, timeout=30) as client:
        yield lambda method, path, headers=None, **more: client.request(method, path, headers=headers or {}, **more)


def uploads(program):
    """Files that have come in so far."""
    return [file for file in (program.workspace / "cache" / "window").rglob("*") if file.is_file()]


def test_a_name_that_is_not_ours_is_refused_in_words(program, ask):
    for host in (
        "evil.example",
        f"evil.example:{program.port}",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
    ):
        for method, path in (("GET", "/"), ("GET", CONFIG), ("POST", UPLOAD), ("POST", "/gradio_api/queue/join")):
            answer = ask(method, path, {"Host": host})
            assert answer.status_code == 403, (host, path)
            assert "not its name" in answer.text
            assert "--allow-host" in answer.text


@pytest.mark.parametrize("host", ["localhost", "[::1]:7860", "127.0.0.1:9", "LOCALHOST:7860", "desk.example"])
def test_our_names_are_taken_whatever_the_port_since_a_tunnel_may_have_another(ask, host):
    assert ask("GET", CONFIG, {"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_another_page_can_neither_read_nor_change_nor_upload(program, ask, origin):
    files = {"files": ("export.csv", b"question,answer\n")}
    for method, path, more in (
        ("GET", CONFIG, {}),
        ("POST", "/gradio_api/queue/join", {"json": {}}),
        ("POST", "/gradio_api/call/prepare_sample", {"json": {"data": []}}),
        ("POST", UPLOAD, {"files": files}),
        ("OPTIONS", CONFIG, {}),
    ):
        answer = ask(method, path, {"Origin": origin, "Access-Control-Request-Method": "POST"}, **more)
        assert answer.status_code == 403, path
        assert "page that is not Ticket Tuner's" in answer.text
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert uploads(program) == []


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Referer": "http://127.0.0.1:1/page"},
        {"Referer": "http://evil.example/"},
    ],
)
def test_a_browser_that_tells_of_another_page_otherwise_is_believed(ask, told):
    assert ask("GET", CONFIG, told).status_code == 403


def test_a_link_to_the_first_page_may_be_followed_but_not_framed(ask):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask("GET", "/", link).status_code == 200
    assert ask("GET", "/", {**link, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert ask("POST", "/", link).status_code == 403


def test_our_own_page_is_served_and_so_is_a_program_without_an_origin(program, ask):
    own = {"Origin": program.address, "Sec-Fetch-Site": "same-origin", "Referer": f"{program.address}/"}
    assert ask("GET", CONFIG, own).status_code == 200
    assert ask("GET", CONFIG).status_code == 200


def test_a_person_who_is_refused_sees_a_page(ask):
    answer = ask("GET", "/", {"Host": "<b>evil</b>", "Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "<b>evil" not in answer.text
    assert "&lt;b&gt;evil" in answer.text
    assert "<script" not in answer.text


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


def test_what_the_window_writes_is_for_its_owner_alone(program):
    with httpx.Client(base_url=program.address, timeout=60) as client:
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
