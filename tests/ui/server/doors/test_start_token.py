"""Who has the key, and how one gets in."""

import httpx
import pytest

from tests.program import Program
from tests.ui.server.doors.conftest import bearer
from ui.server.doors.start_token import kept_token

CONFIG = "/config"
"""Tells of all handlers; a stand-in for whatever reads."""
UPLOAD = "/gradio_api/upload"


def test_without_the_key_nothing_is_told_and_nothing_is_done(program):
    with httpx.Client(base_url=program.address, timeout=30) as client:
        for method, path in (
            ("GET", "/"),
            ("HEAD", "/"),
            ("GET", CONFIG),
            ("GET", "/theme.css"),
            ("GET", "/manifest.json"),
            ("GET", "/gradio_api/startup-events"),
            ("GET", "/gradio_api/heartbeat/x"),
            ("GET", f"{CONFIG}?token={program.key}"),
            ("POST", f"/?token={program.key}x"),
            ("POST", "/gradio_api/queue/join"),
            ("POST", "/gradio_api/reset"),
            ("POST", UPLOAD),
        ):
            answer = client.request(method, path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "set-cookie" not in answer.headers
            if method != "HEAD":
                assert "Authorization: Bearer KEY" in answer.text
                assert program.key not in answer.text
        for key in ("x", program.key[:-1], program.key + "x", program.key.swapcase(), "ü" * 43):
            wrong = {"Authorization": f"Bearer {key}".encode()}
            assert client.get(CONFIG, headers=wrong).status_code == 401
            assert client.get("/", params={"token": key}, headers={"Accept": "text/html"}).status_code == 401


def test_a_person_without_the_key_sees_how_to_get_in(program):
    answer = httpx.get(program.address, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "the address that the terminal shows" in answer.text
    assert '<input id="token"' in answer.text
    assert "<script" not in answer.text


def test_the_address_with_the_key_gives_a_cookie_and_leads_to_the_clean_one(program):
    with httpx.Client(base_url=program.address, timeout=30) as client:
        answer = client.get(program.entrance)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"ticket-tuner-{program.port}=")
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        assert client.get("/").status_code == 200
        assert client.get(CONFIG).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    led = httpx.get(program.entrance, headers=link)  # a browser withholds the new cookie from a redirect here
    assert led.status_code == 200
    assert 'content="0;url=/"' in led.text
    assert "set-cookie" in led.headers


def test_gradios_own_client_works_with_the_key(program):
    from gradio_client import Client

    client = Client(program.address, headers=bearer(program), verbose=False)
    assert "/prepare_sample" in client.view_api(return_format="dict")["named_endpoints"]


def test_the_key_is_the_owners_alone_stays_the_same_and_is_shown_with_the_address(program):
    file = program.workspace / "key"
    before = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(before.strip()) >= 43
    assert program.entrance in program.log()
    with httpx.stream("GET", f"{program.address}/gradio_api/heartbeat/x", headers=bearer(program)) as open_page:
        assert "ALIVE" in next(open_page.iter_text())
        program.end()
    assert not program.complaints()
    program.start()
    assert file.read_text() == before


@pytest.mark.parametrize("damaged", ["", "short", "x" * 40 + " ü", "a\nb" * 20])
def test_a_damaged_key_is_made_anew(tmp_path, damaged):
    (tmp_path / "key").write_text(damaged)
    token = kept_token(tmp_path)
    assert len(token) >= 43
    assert kept_token(tmp_path) == token


def test_without_a_token_on_request_everybody_gets_in(tmp_path):
    program = Program(tmp_path / "workspace", "--no-token")
    program.start()
    try:
        assert httpx.get(program.address + CONFIG).status_code == 200
        assert httpx.get(program.address + CONFIG, headers={"Host": "evil.example"}).status_code == 403
        assert not (program.workspace / "key").exists()
    finally:
        program.end()
