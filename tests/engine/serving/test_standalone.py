"""The endpoint without the window, as a person starts it."""

import os
import re
import signal
import socket

import openai
import pytest

from engine.serving.keys import ApiKeys
from tests.engine.chat.lora import make_lora
from tests.engine.serving.conftest import DEADLINE, until
from tests.engine.serving.test_openai_client import chat
from tests.forked import Forked
from tests.program import free_port


@pytest.fixture
def start(tmp_path):
    """Start 'serve' with options; returns its process, port and what it says."""
    running = []

    def begin(*words):
        port, told = free_port(), tmp_path / f"told-{len(running)}"
        command = ["-m", "engine", "serve", "--workspace", tmp_path / "ws", "--port", port, *words]
        process = Forked(command, told, told, os.environ)
        running.append(process)
        return process, port, lambda: told.read_text() if told.exists() else ""

    yield begin
    for process in running:
        process.kill()
        process.wait(30)


def answers(port) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_adapter_from_anywhere_is_served_with_a_key_that_is_shown_once(start, tiny_base, tiny_model, tmp_path):
    lora = make_lora(tiny_base, tmp_path / "shop", seed=1)
    process, port, told = start("--adapter", lora, "--model", tiny_model)
    until(lambda: "Answering at" in told() and answers(port))
    assert f"http://127.0.0.1:{port}/v1 as base, shop" in told()
    secret = re.search(r"tt-\S+", told())[0]
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=secret, timeout=DEADLINE, max_retries=0)
    assert chat(client, "shop", max_tokens=4).choices[0].finish_reason in {"length", "stop"}
    [key] = ApiKeys(tmp_path / "ws").all()
    assert key.used is not None
    assert not list((tmp_path / "ws" / "adapters").iterdir()), "it is served and not brought in"
    ApiKeys(tmp_path / "ws").revoke(key.id)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in {0, 128 + signal.SIGTERM}
    assert "Traceback" not in told()


def test_a_port_that_is_taken_is_told_in_one_sentence(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process, _, told = start("--port", taken.getsockname()[1])
        assert process.wait(120) == 1
    assert "cannot be used" in told()
    assert "Traceback" not in told()
    assert ApiKeys(tmp_path / "ws").all() == [], "no key is made for nothing"
