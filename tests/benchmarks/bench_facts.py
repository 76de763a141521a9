"""Facts with and without look-up: what each voice states of the sample shop's facts, and what it invents.

    python tests/benchmarks/bench_facts.py --folder DIR [--seeds 1 2] [--tokens 120] [--set NAME=VALUE]

For each seed an adapter is trained plain and one with look-up (Quick look, the starter model); then all are asked the
held-out tickets, beside the base, with and without look-up, greedily, and so is the nearest answer, which no model
writes. Without seeds nothing is trained. A voice states a fact when its answer has the words that the shop's answers
put it in; it invents when a number in its answer stands neither in the question, nor in what the agent really wrote,
nor in a ticket that it was shown. What DIR holds already is not trained again, so that a run that was cut off goes on.
The last line is one JSON object.
"""

import argparse
import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.chat.heldout import HeldOutTicket
from engine.chat.records import LOOKUP, NEAREST, Answer, Sampling
from engine.presets import presets
from engine.studio import Studio
from engine.workspace import Workspace
from tests.engine.tickets.test_sample_shop import FACTS

PRESET = "quick"
TOGETHER = 4
"""Voices that answer in one batch."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def facts_in(text: str) -> set[str]:
    """Return the facts of the sample shop that a text states."""
    return {fact for fact, words in FACTS.items() if re.search(words, text)}


def invented(answer: Answer, ticket: HeldOutTicket) -> bool:
    """Say whether an answer holds a number from nowhere."""
    shown = [turn["content"] for near in answer.lookup.tickets for turn in near.turns] if answer.lookup else []
    known = " ".join([ticket.answer, *(message["content"] for message in ticket.messages), *shown])
    return bool(set(_NUMBER.findall(answer.text)) - set(_NUMBER.findall(known)))


def trained(studio: Studio, dataset: str, seed: int, lookup: bool, values: dict[str, str]) -> tuple[str, str]:
    """Return the name and the voice of an adapter, trained now where it is not there yet."""
    name = f"{'with look-up' if lookup else 'plain'}, seed {seed}"
    known = {run.status.name: run.id for run in studio.runs.all() if run.has_adapter}
    if name not in known:
        recipe = replace(presets()[PRESET].recipe.with_text(values), seed=seed, lookup=lookup)
        began = time.perf_counter()
        run = studio.runs.start(recipe, dataset, name)
        studio.runs.queue.wait(run, None)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        known[name] = run
    return name, f"run:{known[name]}"


def asked(studio: Studio, voices: dict[str, str], dataset: str, tokens: int) -> dict[str, dict[str, int]]:
    """Ask all held-out tickets of all voices, and count.

    Args:
        studio: With a data set of the sample shop.
        voices: Name -> id.
        dataset: That data set.
        tokens: The longest answer.
    """
    tickets = studio.playground.heldout_tickets(list(voices.values()), dataset)
    counts = {name: {"facts": 0, "invented": 0, "ended": 0, "looked up": 0, "of": 0} for name in voices}
    sampling = Sampling(temperature=0.0, max_new_tokens=tokens)
    for number, ticket in enumerate(tickets, 1):
        print(f"ticket {number} of {len(tickets)}", file=sys.stderr)
        for first in range(0, len(voices), TOGETHER):
            some = list(voices.items())[first : first + TOGETHER]
            heard = [list(ticket.messages)] * len(some)
            for frame in studio.playground.ask(
                [voice for _, voice in some], heard, sampling, "", dataset, ticket.ticket
            ):
                answers = frame.answers
            for (name, _), answer in zip(some, answers, strict=True):
                seen = counts[name]
                seen["of"] += 1
                seen["facts"] += bool(facts_in(answer.text) & facts_in(ticket.answer))
                seen["invented"] += invented(answer, ticket)
                seen["ended"] += answer.stopped_by == "end"
                seen["looked up"] += bool(answer.lookup and answer.lookup.used)
    return counts


def main() -> None:
    """Train, ask and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--folder", type=Path, required=True, help="A workspace, kept.")
    arguments.add_argument("--seeds", type=int, nargs="*", default=[])
    arguments.add_argument("--tokens", type=int, default=120, help="Of the longest answer.")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Any setting of the runs.")
    given = arguments.parse_args()
    values: dict[str, str] = dict(text.split("=", 1) for text in given.set)
    studio = Studio(Workspace(given.folder))
    sets = studio.tickets.all()
    dataset = sets[0].id if sets else studio.tickets.prepare_sample().wait(600)
    adapters = [trained(studio, dataset, seed, lookup, values) for seed in given.seeds for lookup in (False, True)]
    voices = {"base": "base", "base, with look-up": f"base{LOOKUP}", "nearest answer": NEAREST}
    for name, voice in adapters:
        voices[name] = voice
        if name.startswith("plain"):
            voices[f"{name}, with look-up"] = f"{voice}{LOOKUP}"
    result: dict[str, Any] = asked(studio, voices, dataset, given.tokens)
    studio.close()
    for name, seen in result.items():
        print(f"{name:34} " + "  ".join(f"{what} {count}" for what, count in seen.items()))
    print(json.dumps({**result, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
