"""A whole verdict over a model of a known shape with random weights, on this machine's device.

    python tests/benchmarks/bench_verdict_shape.py --shape 7b

Two models and two with look-up, and the nearest answer beside them, sit 200 held-out tickets of a made-up shop and
read what its agents wrote. No token ends a random model's answer, so that each has all the tokens that a verdict allows
it, and the tokenizer knows few words, so that prompts have several times the tokens that they would have: a trained
model takes less time. On a GPU the limit is 2 minutes. Making the weights is told apart. Each line is one JSON object.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_shops import Talk, write
from tests.benchmarks.shapes import SHAPES, random_base

LEARNT = 800
WORDS = (
    "order parcel lamp chair invoice refund courier address delivery warranty voucher password screen cable battery "
    "please thank return label window account payment tracking colour spare kettle drawer morning evening monday"
)
SYLLABLES = "lor den mak tis gru pol fen zar bim"
"""Ends of the words of a topic, by which near tickets are found."""
ASKED, TOLD = 24, 30
"""Words of a question, and of an answer: about 150 and 200 letters, as a help desk's."""


def tell(stage: str, **figures: Any) -> None:
    """Print a line at once."""
    print(json.dumps({"stage": stage, **figures}), flush=True)


def _text(dice: random.Random, about: list[str], size: int) -> str:
    """Return so many words, one in three of them about the topic."""
    return " ".join(dice.choice(about) if dice.random() < 0.33 else dice.choice(WORDS.split()) for _ in range(size))


def talks(dice: random.Random, count: int) -> list[Talk]:
    """Return so many tickets; those of a topic share words, so that near ones are found for most questions."""
    made = []
    for number in range(count):
        about = [f"{chr(97 + number % 26)}{chr(97 + number % 7)}{syllable}" for syllable in SYLLABLES.split()]
        made.append((_text(dice, about, ASKED), _text(dice, about, TOLD)))
    return made


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--tickets", type=int, default=200)
    given = parser.parse_args()
    began = time.perf_counter()

    import torch

    from engine.model import base as bases
    from engine.recipe import Recipe
    from engine.studio import Studio
    from engine.training.runs.directory import RunDirectory
    from engine.workspace import Workspace
    from tests.engine.chat.lora import make_lora

    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base = random_base(given.shape, root / "model")
        bases.load_base = lambda *_, **__: base  # it has no checkpoint to be loaded from
        adapter = make_lora(base, root / "adapter", seed=1, r=16, std=0.02)
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        tell("model made", seconds=round(time.perf_counter() - began, 1), shape=given.shape, device=device)
        studio = Studio(Workspace(root / "workspace"))
        dice = random.Random(0)
        data = write(root / "data", talks(dice, LEARNT), talks(dice, given.tickets))
        run = RunDirectory.create(studio.workspace, Recipe(model=str(root / "model")), data, "Random")
        shutil.copytree(adapter, run.adapter)
        for state in ("preparing", "running", "finished"):
            run.update(state=state)
        began = told = time.perf_counter()
        task, reading = studio.verdict.judge(run.id), 0.0
        while not task.ended(0.2):
            seen, now = task.snapshot(), time.perf_counter()
            if not reading and seen.stage.startswith("Reading the agents"):
                reading = now
            if now - told > 5:
                told = now
                tell(seen.stage, seconds=round(now - began, 1), share=round(seen.fraction or 0.0, 3))
        found, ended = task.wait(), time.perf_counter()
        said = [answer for _, answers in studio.verdict.answers(run.id).values() for answer in answers.values()]
        tokens = sum(answer.tokens for answer in said)
        studio.close()
        tell(
            "judged",
            seconds=round(ended - began, 1),
            answering=round((reading or ended) - began, 1),
            tickets=len(found.tickets),
            voices=len(found.voices),
            tokens=tokens,
            tokens_a_second=round(tokens / ((reading or ended) - began)),
            longest=found.longest,
            looked_up=sum(bool(answer.near) for answer in said),
            memory_gib=round(torch.cuda.max_memory_allocated() / 2**30, 1) if torch.cuda.is_available() else None,
        )


if __name__ == "__main__":
    main()
