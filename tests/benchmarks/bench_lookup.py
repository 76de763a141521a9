"""Look-up: how often the nearest ticket holds the fact; what the index and a search cost.

    python tests/benchmarks/bench_lookup.py [--tickets 100000]

The facts are those of the sample shop (assets/sample_shop.md); each of its held-out tickets has one, and so have most
of those that are learnt from, each of which is looked up among all the others. Beside a checkout with the real tickets,
the threshold that they get is told as well. The last line is one JSON object.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.files import LOOKUP
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.library import SAMPLE
from engine.tickets.lookup.building import index_of
from engine.tickets.lookup.index import TicketIndex
from engine.tickets.lookup.question import customers_in, of_ticket
from engine.tickets.lookup.ranking import nearest
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from tests.benchmarks.bench_import import varied
from tests.engine.tickets.test_sample_shop import FACTS

TICKETS = Path(__file__).parents[3] / "shared" / "tickets" / "zendesk_tickets.ndjson"
SEARCHES = 200


def facts_in(entry: StoredConversation) -> set[str]:
    """Return the facts of the sample shop that a conversation's answers state."""
    said = "\n".join(message.content for message in entry.messages if message.role == "assistant")
    return {fact for fact, words in FACTS.items() if re.search(words, said)}


def found_facts(index: TicketIndex, folder: Path, entries: list[StoredConversation]) -> dict[str, int]:
    """Count for how many tickets with a fact the nearest one states it, and one of the three nearest."""
    customers = customers_in(folder)
    with_facts = [entry for entry in entries if facts_in(entry)]
    found = [(facts_in(entry), nearest(index, of_ticket(entry, customers))) for entry in with_facts]
    return {
        "tickets": len(with_facts),
        "in the nearest": sum(bool(near and facts & facts_in(near[0].entry)) for facts, near in found),
        "in the three nearest": sum(any(facts & facts_in(one.entry) for one in near) for facts, near in found),
    }


def sample(folder: Path) -> dict[str, Any]:
    """Measure the ranking on the sample shop."""
    prepare([SAMPLE], folder)
    index, data = index_of(folder), DataSet(folder)
    return {
        "held out": found_facts(index, folder, data.conversations("heldout")),
        "each against all others": found_facts(index, folder, data.conversations("train")),
        "threshold": index.threshold,
        "why": index.why,
    }


def large(folder: Path, tickets: int) -> dict[str, Any]:
    """Measure the index's share of preparing many tickets, its size and a search."""
    export = folder / "tickets.json"
    with export.open("w", encoding="utf-8") as stream:
        like = TICKETS if TICKETS.exists() else SAMPLE
        stream.writelines(json.dumps(ticket) + "\n" for ticket in varied(tickets, like))
    began = time.perf_counter()
    report = prepare([export], folder / "set", PrepareOptions())
    taken = time.perf_counter() - began
    made = report.stages["look-up"]
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # where nothing has been made, all that is new counts
        opened = fresh.submit(searched, folder / "set").result()
    return {
        "prepared in seconds": round(taken, 1),
        "of that the index": made,
        "times without it": round(taken / (taken - made), 3),
        "megabytes on the disk": round((folder / "set" / LOOKUP).stat().st_size / 1e6, 1),
        **opened,
    }


def searched(folder: Path) -> dict[str, Any]:
    """Open the index of a data set and search it: what that takes, in a process that has done nothing else."""
    import bm25s  # noqa: F401  # the library is not the index

    data, customers, process = DataSet(folder), customers_in(folder), psutil.Process()
    before, began = process.memory_info().rss, time.perf_counter()
    index = index_of(folder)
    opened = time.perf_counter() - began
    taken = process.memory_info().rss - before
    asked = [of_ticket(entry, customers) for entry in data.conversations("heldout")[:SEARCHES]]
    milliseconds = []
    for question in asked:
        began = time.perf_counter()
        nearest(index, question)
        milliseconds.append(1000 * (time.perf_counter() - began))
    found: dict[str, Any] = {
        "tickets": len(index),
        "opened in seconds": round(opened, 2),
        "megabytes in memory": round(taken / 1e6),
    }
    if milliseconds:
        found["search in ms, median"] = round(median(milliseconds), 2)
        found["search in ms, of 20 the slowest"] = round(sorted(milliseconds)[int(0.95 * len(milliseconds))], 2)
    return found


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tickets", type=int, default=100_000, help="Of the large set; 0 does without.")
    given = arguments.parse_args()
    result: dict[str, Any] = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        result["sample shop"] = sample(Path(folder) / "sample")
        if TICKETS.exists():
            prepare([TICKETS], Path(folder) / "real")
            index = index_of(Path(folder) / "real")
            result["real tickets"] = {"tickets": len(index), "threshold": index.threshold, "why": index.why}
        if given.tickets:
            result["large"] = large(Path(folder), given.tickets)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
