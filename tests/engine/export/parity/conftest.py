"""Exports of a run over the tiny model, whose adapter changes every word, and what the playground answers with it."""

import shutil
from pathlib import Path

import pytest

from engine.export.parity.prompts import questions
from engine.export.parity.reference import Reference, reference
from engine.workspace import Workspace
from tests.engine.export.conftest import export, finished_run
from tests.tiny import write_data


@pytest.fixture(scope="package")
def certified_run(tmp_path_factory, tiny_base):
    """A finished run with four held-out tickets."""
    home = tmp_path_factory.mktemp("certified")
    return finished_run(Workspace(home / "workspace"), write_data(home / "data"), tiny_base)


@pytest.fixture(scope="package")
def asked(certified_run, tiny_base) -> Reference:
    """What the playground answers."""
    return reference(tiny_base, certified_run.adapter, questions(certified_run.data, ""))


@pytest.fixture(scope="package")
def exports(certified_run, tmp_path_factory) -> dict[str, Path]:
    """Format -> its folder; tests copy them."""
    home = tmp_path_factory.mktemp("exports")
    made = {}
    for name in ("adapter", "merged"):
        (home / name).mkdir()
        made[name] = export(certified_run, home / name, name)
    return made


@pytest.fixture
def adapter(exports, tmp_path) -> Path:
    """An exported adapter of one's own."""
    return Path(shutil.copytree(exports["adapter"], tmp_path / "adapter"))


@pytest.fixture
def merged(exports, tmp_path) -> Path:
    """An exported whole model of one's own."""
    return Path(shutil.copytree(exports["merged"], tmp_path / "merged"))
