"""What a verdict says of made-up shops of which it is known what is right, with the starter model.

    python tests/benchmarks/bench_shops.py --folder DIR [--shops repeating manner noise]

    repeating   every topic has one answer, word for word: the tuned model must not be said to win clearly
    manner      answers take up the customer's words in a manner of their own: the tuned model must not be said to lose
    noise       answers are drawn at random: it must say that no difference can be seen

Two cores, 2026-11-26: on 'manner' the tuned model has 98 points, the base with three near tickets 85, on 'repeating' 94
beside 74 of the nearest answer, since it has learnt fourteen answers by heart; with 12 and 14 tickets neither is called
clear, and 46 and 39 are asked for. tests/engine/verdict/test_service.py holds the sharp cases, with tiny models.

Trains a short run a shop (36 steps) and judges it; what DIR holds already is not trained again. A line of JSON a shop.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.recipe import Recipe
from engine.studio import Studio
from engine.workspace import Workspace

Talk = tuple[str, str]
_THINGS = (
    "kettle lamp carpet drawer curtain sofa mirror candle shelf blanket clock vase stool bucket ladder kite drum tent "
    "scarf basket hammer teapot cushion globe"
)
THINGS = _THINGS.split()
FAULTS = ("has a crack", "came in the wrong colour", "makes a strange noise", "arrived wet", "does not stand straight")
OPENINGS = (
    "Hello, my {} {}.",
    "Good morning! The {} I ordered {}.",
    "I am upset: the {} {}.",
    "Why is it so? My {} {}.",
)
SERVICES = (
    "Our workshop in Mill Lane mends {0}s on Tuesdays from nine to noon; bring the receipt and it costs nothing.",
    "A {0} may be sent back for thirty days; print the label under Orders and leave the parcel at any post office.",
)
_NOISE = "amber river seven cloud north paper silver often under copper window eleven quiet garden almost stone"
NOISE = _NOISE.split()


def asking(dice: random.Random, thing: str) -> str:
    """A customer's words about a thing."""
    return dice.choice(OPENINGS).format(thing, dice.choice(FAULTS))


def repeating(dice: random.Random) -> tuple[list[Talk], list[Talk]]:
    """A shop with one answer a thing."""
    things = THINGS[:14]
    answers = {thing: SERVICES[number % len(SERVICES)].format(thing) for number, thing in enumerate(things)}
    learnt = [(asking(dice, thing), answers[thing]) for thing in things for _ in range(5)]
    return learnt, [(asking(dice, thing), answers[thing]) for thing in things]


def manner(dice: random.Random) -> tuple[list[Talk], list[Talk]]:
    """A shop whose agents talk like sailors about whatever the customer has; things held out are in no other ticket."""

    def talk(thing: str) -> Talk:
        fault = dice.choice(FAULTS)
        told = f"Ahoy! So your {thing} {fault}? Blow me down, a {thing} must not do that. Fair winds, the harbour desk"
        return dice.choice(OPENINGS).format(thing, fault), told

    return [talk(thing) for thing in THINGS[:12] for _ in range(6)], [talk(thing) for thing in THINGS[12:]]


def noise(dice: random.Random) -> tuple[list[Talk], list[Talk]]:
    """A shop whose agents draw words at random."""

    def talk(thing: str) -> Talk:
        return asking(dice, thing), " ".join(dice.sample(NOISE, 10))

    return [talk(thing) for thing in THINGS for _ in range(3)], [talk(thing) for thing in THINGS[:12]]


SHOPS: dict[str, Callable[[random.Random], tuple[list[Talk], list[Talk]]]] = {
    "repeating": repeating,
    "manner": manner,
    "noise": noise,
}
RECIPE = Recipe(
    max_steps=36, epochs=10, batch_size=4, accumulation=1, max_length=256, learning_rate=1e-3, replies="off"
)


def write(folder: Path, learnt: list[Talk], heldout: list[Talk]) -> Path:
    """Write a shop as a data set."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, talks, first in (("train", learnt, 1), ("heldout", heldout, len(learnt) + 1)):
        lines = []
        for number, (asked, told) in enumerate(talks, first):
            said = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
            row = {"ticket": str(number), "messages": said, "key": f"{number:016x}", "tags": []}
            lines.append(json.dumps(row) + "\n")
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="A workspace, kept.")
    parser.add_argument("--shops", nargs="+", choices=SHOPS, default=list(SHOPS))
    given = parser.parse_args()
    studio = Studio(Workspace(given.folder))
    for name in given.shops:
        place, began = given.folder / f"run of {name}", time.perf_counter()
        if place.exists():
            run = studio.runs.open_at(place)
        else:
            data = write(given.folder / f"shop of {name}", *SHOPS[name](random.Random(5)))
            run = studio.runs.make_at(place, RECIPE, data)
            studio.runs.resume(run)
            studio.runs.wait(run, 3600)
        trained, began = time.perf_counter() - began, time.perf_counter()
        verdict = studio.verdict.judge(run).wait()
        told = {
            "shop": name,
            "kind": verdict.kind,
            "sentence": verdict.sentence,
            "more": verdict.more,
            "seconds": {"training": round(trained), "judging": round(time.perf_counter() - began)},
            "advice": [f"{each.do} ({each.rule})" for each in studio.verdict.advice(run)],
        }
        told["chrf"] = {voice.label: round(verdict.figures[voice.id]["chrf"].mean, 1) for voice in verdict.voices}
        print(json.dumps(told, indent=1), flush=True)
    studio.close()


if __name__ == "__main__":
    main()
