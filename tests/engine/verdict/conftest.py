"""Made-up shops, each with a run over the tiny model."""

import json
import shutil
from pathlib import Path

import pytest

from engine.recipe import Recipe
from engine.studio import Studio
from engine.tickets.dataset.files import CUSTOMERS
from engine.tickets.dataset.provenance import Origin
from engine.training.runs.directory import RunDirectory
from engine.workspace import Workspace
from tests.engine.chat.lora import make_lora


def row(number, asked, told, tags=()):
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
    return {"ticket": str(number), "messages": said, "key": f"{number + 1:016x}", "tags": list(tags)}


def write_shop(folder: Path, learnt, heldout, customers=None) -> Path:
    """Write pairs of question and answer as a data set."""
    folder.mkdir(parents=True)
    for name, talks, first in (("train", learnt, 1), ("heldout", heldout, 1001)):
        lines = [json.dumps(row(number, *talk)) + "\n" for number, talk in enumerate(talks, first)]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    if customers:
        (folder / CUSTOMERS).write_text(json.dumps(customers))
    Origin().save(folder)
    return folder


@pytest.fixture
def studio(tmp_path, tiny_base):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def random_adapter(tiny_base, tmp_path_factory) -> Path:
    """An adapter that has learnt nothing from anybody."""
    return make_lora(tiny_base, tmp_path_factory.mktemp("adapters") / "random", seed=1)


@pytest.fixture
def finished(studio, tmp_path, tiny_model, random_adapter):
    """Make a run that has ended with an adapter; return its id."""

    def making(learnt, heldout, customers=None, adapter=random_adapter, name="run", **changes):
        data = write_shop(tmp_path / f"data of {name}", learnt, heldout, customers)
        run = RunDirectory.create(studio.workspace, Recipe(model=str(tiny_model), **changes), data, name)
        shutil.copytree(adapter, run.adapter)
        for state in ("preparing", "running", "finished"):
            run.update(state=state)
        return run.id

    return making
