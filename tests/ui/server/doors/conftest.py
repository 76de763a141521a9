"""The program as a person starts it, and a way to ask it as a program does that has the key."""

import httpx
import pytest

from tests.program import running


def bearer(program):
    """What a program sends that has the key."""
    return {"Authorization": f"Bearer {program.key}"}


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    with running(tmp_path_factory.mktemp("doors"), "--allow-host", "desk.example") as started:
        yield started


@pytest.fixture
def ask(program):
    """Ask with headers; returns the answer."""
    with httpx.Client(base_url=program.address, timeout=30, headers=bearer(program)) as client:
        yield lambda method, path, headers=None, **more: client.request(method, path, headers=headers or {}, **more)
