"""Two adapters over the tiny base, a bank of one's own for every test."""

from pathlib import Path

import pytest

from engine.chat.adapters import AdapterBank
from tests.engine.chat.lora import make_lora


@pytest.fixture(scope="session")
def friendly(tiny_base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lora(tiny_base, tmp_path_factory.mktemp("adapters") / "friendly", seed=1)


@pytest.fixture(scope="session")
def formal(tiny_base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lora(
        tiny_base, tmp_path_factory.mktemp("adapters") / "formal", seed=2, r=4, target_modules=["q_proj", "up_proj"]
    )


@pytest.fixture
def bank(tiny_base) -> AdapterBank:
    return AdapterBank(tiny_base.copy())


@pytest.fixture
def prompt(tiny_base) -> tuple[int, ...]:
    return tuple(tiny_base.chat.prompt([{"role": "user", "content": "how long is the return window"}]))


@pytest.fixture
def long_prompt(tiny_base) -> tuple[int, ...]:
    question = "hello dear customer, where is my parcel please, and can i change my address? " * 2
    return tuple(tiny_base.chat.prompt([{"role": "user", "content": question}]))
