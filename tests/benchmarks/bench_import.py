"""Time and memory of preparing 100,000 Zendesk tickets, made by varying those of the sample shop, or of an export.

    python tests/benchmarks/bench_import.py [--like EXPORT.ndjson] [--tickets 100000] [--workers N] [--compare]

Every ticket gets its own id, date, customer and a few words, so that few are duplicates. The target is 120 s and
1.5 GB on two cores. Memory is the highest sum over this process and its workers. The last line is one JSON object; it
names the slowest stage.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from engine.tickets import sandbox
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.preparing.report import Progress

SAMPLE = Path(__file__).parents[2] / "assets" / "sample_tickets.ndjson"
WORDS = (
    *("router", "invoice", "parcel", "battery", "screen", "cable", "password", "export", "filter", "folder", "account"),
    *(
        "server",
        "calendar",
        "update",
        "printer",
        "driver",
        "signal",
        "firmware",
        "licence",
        "refund",
        "window",
        "backup",
    ),
)
STAGES = ("reading", "cleaning", "masking", "sketching", "duplicates and split", "writing", "quality report")


def varied(count: int, like: Path) -> Iterator[dict[str, Any]]:
    """Yield tickets that share their shape with those of an export and have, to a third, other words."""
    real = [json.loads(line) for line in like.read_text(encoding="utf-8").splitlines()]
    dice = random.Random(1)
    began = datetime(2024, 1, 1)
    for number in range(1, count + 1):
        ticket = json.loads(json.dumps(dice.choice(real)))
        asker, customer = ticket["requester_id"], 500_000 + number // 2
        ticket.update(
            id=number, requester_id=customer, created_at=(began + timedelta(minutes=number)).isoformat() + "Z"
        )
        ticket["subject"] += f" {dice.choice(WORDS)} {number}"
        for comment in ticket["comments"]:
            if comment["author_id"] == asker:
                comment["author_id"] = customer
            for key in ("body", "html_body"):
                pieces = comment[key].split(" ")
                comment[key] = " ".join(
                    dice.choice(WORDS) if len(p) > 3 and p.isalpha() and dice.random() < 0.33 else p for p in pieces
                )
        yield ticket


def watch(peak: list[int], done: threading.Event) -> None:
    """Remember the highest memory of this process and its children, in bytes."""
    own = psutil.Process()
    while not done.wait(0.25):
        total = 0
        for process in (own, *own.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total)


def compared(export: Path, folder: Path, options: PrepareOptions) -> dict[str, float]:
    """What reading in a process of its own costs: time and processors' time beside reading in this one, median of 3."""
    ratios: list[tuple[float, float]] = []
    for number in range(3):
        taken = []
        for apart in (False, True):
            began, busy = time.perf_counter(), sum(os.times()[:4])
            prepare([export], folder / f"{number}-{apart}", options, builder=sandbox.build if apart else None)
            taken.append((time.perf_counter() - began, sum(os.times()[:4]) - busy))
        ratios.append((taken[1][0] / taken[0][0], taken[1][1] / taken[0][1]))
    return {"apart_seconds_ratio": median(r[0] for r in ratios), "apart_cpu_ratio": median(r[1] for r in ratios)}


def main() -> None:
    """Make the export, prepare it, print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--like", type=Path, default=SAMPLE, help="Zendesk's JSON lines; the sample shop if not given."
    )
    arguments.add_argument("--tickets", type=int, default=100_000)
    arguments.add_argument("--workers", type=int, default=None)
    arguments.add_argument("--compare", action="store_true", help="In this process, too, in turns: the median ratio.")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export = Path(folder) / "tickets.json"
        with export.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(ticket) + "\n" for ticket in varied(given.tickets, given.like))
        peak, done = [0], threading.Event()
        watcher = threading.Thread(target=watch, args=(peak, done))
        watcher.start()
        began = time.perf_counter()

        told = [""]

        def show(progress: Progress) -> None:
            share = f" {10 * (10 * progress.done // progress.total)} %" if progress.total else ""
            stage = progress.stage.split(":")[0] + share
            if stage != told[0]:
                told[0] = stage
                print(f"{time.perf_counter() - began:5.0f} s  {stage}", file=sys.stderr)

        options = PrepareOptions(workers=given.workers)
        try:
            report = prepare([export], Path(folder) / "out", options, show, builder=sandbox.build)
        finally:
            done.set()
            watcher.join()
        seconds = time.perf_counter() - began
        stages = {name: report.stages.get(name, 0.0) for name in STAGES}
        for name, taken in stages.items():
            print(f"{name:24} {taken:8.1f} s")
        result = {
            "tickets": report.tickets_read,
            "kept": report.conversations_kept,
            "megabytes": round(export.stat().st_size / 1e6),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "seconds": round(seconds, 1),
            "peak_megabytes": round(peak[0] / 1e6),
            "slowest": max(stages, key=stages.__getitem__),
            **(compared(export, Path(folder), options) if given.compare else {}),
            "load": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
