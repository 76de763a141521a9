"""The endpoint behind the doors: an API key opens it and nothing else, and refusals are in its own form."""

import httpx
import pytest

from engine.serving.keys import ApiKeys
from engine.serving.offers import Offers, OffersFile


@pytest.fixture
def secret(program):
    keys = ApiKeys(program.workspace)
    made, secret = keys.make("doors")
    OffersFile(program.workspace).keep(Offers(True, {"base": "base"}))
    yield secret
    keys.revoke(made.id)
    OffersFile(program.workspace).keep(Offers())


def get(program, path, **headers):
    return httpx.get(f"{program.address}{path}", headers=headers, timeout=60)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_an_api_key_opens_the_endpoint_and_nothing_of_the_window(program, secret):
    listed = get(program, "/v1/models", Authorization=f"Bearer {secret}")
    assert [model["id"] for model in listed.json()["data"]] == ["base"]
    assert listed.headers["cache-control"] == "no-store"
    for path in ("/", "/config", "/gradio_api/info"):
        assert get(program, path, Authorization=f"Bearer {secret}").status_code == 401


def test_the_key_of_the_window_opens_nothing_of_the_endpoint(program, secret):
    assert code(get(program, "/v1/models", Authorization=f"Bearer {program.key}")) == (401, "invalid_api_key")
    assert code(get(program, "/v1/models")) == (401, "invalid_api_key")


def test_it_is_off_until_somebody_switches_it_on(program):
    assert code(get(program, "/v1/models", Authorization="Bearer tt-x")) == (403, "endpoint_off")


@pytest.mark.parametrize("headers", [{"Host": "stranger.example"}, {"Origin": "http://stranger.example"}])
def test_a_page_of_a_stranger_is_refused_in_the_endpoints_form(program, secret, headers):
    answer = get(program, "/v1/models", Authorization=f"Bearer {secret}", **headers)
    assert answer.status_code == 403
    assert "which is not its name" in answer.text or "a page that is not" in answer.text
    assert answer.json()["error"]["type"] == "permission_error"


def test_what_is_not_there_is_told(program, secret):
    assert code(get(program, "/v1/nothing", Authorization=f"Bearer {secret}")) == (404, "not_found")
