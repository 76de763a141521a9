"""Logging in to the program as a person starts it."""

import ssl
import time
from pathlib import Path

import httpx
import pytest

from tests.program import running
from ui.server.doors.tries import ONE

CONFIG = "/config"
DATA = Path(__file__).parent / "data"
BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    file = tmp_path_factory.mktemp("users") / "users"
    file.write_text("anna:right:one\nbö:séçret\n", encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def program(tmp_path_factory, users):
    with running(tmp_path_factory.mktemp("login"), "--auth-file", str(users)) as started:
        yield started


@pytest.fixture
def client(program):
    with httpx.Client(base_url=program.address, timeout=30) as made:
        yield made


def log_in(client, name="anna", password="right:one", **headers):
    return client.post("/login", data={"username": name, "password": password}, headers=headers)


def test_without_a_login_nothing_is_told(client):
    for method, path in (
        ("GET", CONFIG),
        ("GET", "/theme.css"),
        ("GET", "/login"),
        ("GET", "/gradio_api/heartbeat/x"),
        ("GET", "/gradio_api/startup-events"),
        ("POST", "/gradio_api/reset"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/?token=x"),
    ):
        answer = client.request(method, path)
        assert answer.status_code == 401, path
        assert "Log in" in answer.text
    assert '<input id="password"' in client.get("/", headers=BROWSER).text


@pytest.mark.parametrize(("name", "password"), [("anna", "right:one"), ("bö", "séçret")])
def test_who_logs_in_gets_a_cookie_and_the_program_knows_who_it_is(program, client, name, password):
    answer = client.post("/login", data={"username": name, "password": password}, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    for cookie in answer.headers.get_list("set-cookie"):
        assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert client.get("/").status_code == 200
    assert client.get("/gradio_api/user").json() == name
    assert client.get("/login").headers["location"] == "/"
    assert client.get("/logout").status_code == 303
    assert client.get(CONFIG).status_code == 401


def test_programs_log_in_with_each_request_or_as_gradios_client_does(program):
    assert httpx.get(program.address + CONFIG, auth=("anna", "right:one")).status_code == 200
    from gradio_client import Client

    client = Client(program.address, auth=("anna", "right:one"), verbose=False)
    assert "/prepare_sample" in client.view_api(return_format="dict")["named_endpoints"]


def test_a_foreign_page_cannot_try_passwords(client):
    assert log_in(client, Origin="http://127.0.0.1:1").status_code == 403


@pytest.mark.parametrize("body", [b"", b"\xff" * 50_000, b"username=anna", b"username=&password=", b"{}"])
def test_a_form_that_is_none_is_a_wrong_try(tmp_path, client, body):
    assert client.post("/login", content=body, headers=BROWSER).status_code in {401, 429}


def test_users_of_the_environment_over_https(tmp_path):
    pair = ("--ssl-certfile", str(DATA / "localhost.pem"), "--ssl-keyfile", str(DATA / "localhost-key.pem"))
    with running(tmp_path, *pair, TICKET_TUNER_AUTH="anna:right:one") as program:
        trusted = ssl.create_default_context(cafile=DATA / "localhost.pem")
        with httpx.Client(base_url=program.address, verify=trusted, timeout=30) as client:
            assert client.get(CONFIG).status_code == 401
            answer = log_in(client)
            assert all("secure" in cookie.lower() for cookie in answer.headers.get_list("set-cookie"))
            assert client.get(CONFIG).json()["root"].startswith("https://")
        assert f"open at {program.address} " in program.log()
        assert not (program.workspace / "key").exists()


def test_wrong_tries_are_slowed_and_then_stopped_and_the_right_person_still_gets_in(program):
    with (
        httpx.Client(base_url=program.address, timeout=30) as person,
        httpx.Client(base_url=program.address, timeout=30) as guesser,
    ):
        end = time.monotonic() + 60
        while log_in(person).status_code == 429:  # the tests before this one have tried wrongly, from the same address
            assert time.monotonic() < end
            time.sleep(0.1)
        answers = [log_in(guesser, password=f"guess {number}") for number in range(300)]
        answers += [guesser.get(CONFIG, auth=("anna", f"guess {number}")) for number in range(50)]
        codes = [answer.status_code for answer in answers]
        assert codes[: ONE.free] == [401] * ONE.free
        assert codes.count(401) < 20  # what time has let through meanwhile
        assert set(codes) == {401, 429}
        assert int(answers[-1].headers["retry-after"]) > 0
        assert "The next try is possible in" in answers[-1].text
        assert log_in(guesser).status_code == 429  # else a guess would be told to be right
        assert person.get(CONFIG).status_code == 200
        person.get("/logout")
        assert log_in(person).status_code == 200
