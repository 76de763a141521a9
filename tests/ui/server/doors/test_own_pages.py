"""Real requests of strangers: under other names, and of other pages."""

import socket

import pytest

from ui.server.doors.own_pages import Names

CONFIG = "/config"
"""Tells of all handlers; a stand-in for whatever reads."""
UPLOAD = "/gradio_api/upload"
ELSEWHERE = ["http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1", "null", "http://localhost.evil.example"]


def uploads(program):
    """What a stranger has brought in."""
    return list((program.workspace / "cache" / "window").rglob("strangers.csv"))


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
    files = {"files": ("strangers.csv", b"question,answer\n")}
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


def test_on_another_address_its_own_addresses_and_names_are_taken_and_no_other_name():
    own = socket.gethostname().lower()
    for host in ("0.0.0.0", "::"):
        names = Names.of(host)
        for asked in ("192.0.2.7:7860", "[2001:db8::1]:7860", "localhost", f"{own}:7860", f"{own}.local", "127.0.0.1"):
            assert names.hold(asked), asked
        for asked in ("evil.example", "192.0.2.7.evil.example", "0x7f.1.evil", "", "[::1", "a b"):
            assert not names.hold(asked), asked
    one = Names.of("192.0.2.7")
    assert one.hold("192.0.2.7:7860")
    assert not one.hold("192.0.2.8:7860")
    assert not Names.of("127.0.0.1").hold("192.0.2.7")
    assert not Names.of("127.0.0.1").hold("0.0.0.0")
