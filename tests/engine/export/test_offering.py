"""What the window says of a format before it is made."""

import pytest

from engine.base_holder import BaseHolder
from engine.export.offering import offer
from engine.export.registry import FORMATS
from engine.export.source import ExportSource
from tests.engine.export.conftest import export


@pytest.mark.parametrize("key", FORMATS)
def test_the_size_that_is_told_is_about_the_size_that_comes(key, run, tmp_path):
    told = offer(ExportSource.of_run(run, BaseHolder(tmp_path), tmp_path), FORMATS[key])
    (tmp_path / "it").mkdir()
    made = export(run, tmp_path / "it", key)
    taken = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
    assert told.size is not None
    assert 0.6 * taken < told.size < 2 * taken + 2**21, "a tiny model is little more than its header"
    assert [packing.key for packing in told.packings] == list(FORMATS[key].quantisations)
    assert not told.packings or told.packings[0].size == told.size
