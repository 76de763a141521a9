"""The invented shop, prepared once."""

import shutil
from pathlib import Path

import pytest

from tests.engine.tickets.lookup.shop import prepared


@pytest.fixture(scope="session")
def prepared_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of the talks; only to be read."""
    return prepared(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def folder(prepared_shop: Path, tmp_path: Path) -> Path:
    """The same, to be changed; its index is as current as there."""
    return Path(shutil.copytree(prepared_shop, tmp_path / "set"))
