"""What open pages ask every few seconds, past Gradio, of the real program."""

import httpx
import pytest

from tests.ui.server.doors.conftest import bearer

QUESTION = {"run": "", "overlays": [], "marks": {"status-bar": ""}, "looks": 3, "page": "a page"}


def test_a_page_is_told_what_it_does_not_have(program):
    first = httpx.post(f"{program.address}/live", json=QUESTION, headers=bearer(program)).json()
    assert "status-bar" in first["values"]
    assert first["begun"] is False
    again = httpx.post(
        f"{program.address}/live", json={**QUESTION, "marks": first["marks"]}, headers=bearer(program)
    ).json()
    assert again["program"] == first["program"]
    assert again["version"] == first["version"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"page": 1}', b'{"page": "x", "marks": 3}', b'{"page": "x", "y": "' + b"z" * 200_000],
)
def test_what_no_page_asks_is_refused(program, body):
    assert httpx.post(f"{program.address}/live", content=body, headers=bearer(program)).status_code == 400


def test_it_lies_behind_the_doors(program):
    assert httpx.post(f"{program.address}/live", json=QUESTION).status_code == 401
    foreign = {**bearer(program), "Origin": "http://evil.example"}
    assert httpx.post(f"{program.address}/live", json=QUESTION, headers=foreign).status_code == 403


def test_the_windows_scripts_come_from_here_as_scripts_and_lie_behind_the_doors_too(program):
    address = f"{program.address}/window/main.js"
    answer = httpx.get(address, headers=bearer(program))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) in {
        (200, "text/javascript"),
        (200, "application/javascript"),
    }
    assert httpx.get(address).status_code == 401
    assert httpx.get(f"{program.address}/window/../style.css", headers=bearer(program)).status_code == 404
