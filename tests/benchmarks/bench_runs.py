"""What a long list of long runs costs: a start of the program, a page's look, and a run that trains meanwhile.

    python tests/benchmarks/bench_runs.py [--runs 500] [--steps 100000] [--pages 10] [--turns 8] [--each 40]

All runs but one share one events file (hard links), so that 500 runs of 100,000 steps take 20 MB. The run that trains
is a tiny model on the CPU, whose steps are far quicker than a person's would be; the pages ask what one with the tab
'Training' asks, as often, and are left out turn about. 'ratio' is of the speeds, each of which is that of so many whole
steps; 'core_ratio' of the time of a core that the whole program takes a step, without pages and with, which does not
depend on what else the computer does; 'cores' the part of it that the answers take. Each figure is a median. The last
line is one JSON object.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Checkpointed, Evaluated, Finished, Record, Started, Stepped, to_line
from engine.training.runs.history_reader import CURVE, HistoryReader
from engine.workspace import Workspace
from tests.tiny import make_model, write_data
from ui.shell import live

ROOT = Path(__file__).parents[2]
PIECES = ("status-bar", "run-title", "run-progress", "loss-chart", "run-facts", "run-log", "runs")
CHARTS = ("chart-learning_rate", "chart-grad_norm", "chart-tokens_per_second", "chart-memory_gib")


def main() -> None:
    """Make the runs, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--each", type=int, default=40, help="steps a turn")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        long = write_events(root / "events.jsonl", given.steps)
        found: dict[str, Any] = {"events_mb": round(long.stat().st_size / 1e6, 1)}
        found["read_all_s"] = round(timed(lambda: HistoryReader(long).keep()), 2)
        places = {"one": root / "one", "many": root / "many"}
        for name, place in places.items():
            make_runs(place, 1 if name == "one" else given.runs, long, tickets(root / "data", 20))
        found["first_listing_s"] = {name: median_of(3, lambda p=place: opening(p)) for name, place in places.items()}
        found["look_ms"] = {name: looks(place) for name, place in places.items()}
        for name in ("first_listing_s", "look_ms"):
            print(f"{name}: {found[name]}", flush=True)
        found["training"] = trained(root, places["many"], given)
        print(json.dumps(found))


def write_events(file: Path, steps: int) -> Path:
    """Write the events of a long run, as training writes them: a check and a checkpoint every 100 steps."""
    chance = random.Random(0)
    at = 0.0
    with file.open("w") as out:
        out.write(to_line(Record(at, Started(1_000_000, 135_000_000, steps, 0, 5000, 500, "CPU, 2 threads"))))
        for step in range(1, steps + 1):
            at += 0.5
            loss = 3.0 / (1 + step / 5000) + 0.2 * chance.random()
            event = Stepped(step, step / 1000, loss, 2e-4, chance.random(), 300 + chance.random(), 2.5, at)
            out.write(to_line(Record(at, event)))
            if step % 100 == 0:
                out.write(to_line(Record(at, Evaluated(step, loss + 0.1))) + to_line(Record(at, Checkpointed(step))))
        out.write(to_line(Record(at, Finished(steps, at))))
    return file


def tickets(folder: Path, count: int) -> Path:
    """Return so many tickets to learn from."""
    return folder if folder.exists() else write_data(folder, count)


def make_runs(root: Path, count: int, events: Path, data: Path) -> None:
    """Make finished runs in a workspace, all of the same events."""
    workspace = Workspace(root)
    for number in range(1, count + 1):
        run = RunDirectory.create(workspace, Recipe(), data, f"Run {number}", "Sample shop")
        run.update(state="running")
        for name in (events.name, CURVE):
            os.link(events.with_name(name), run.path / name)
        run.adapter.mkdir()
        (run.adapter / "adapter_model.safetensors").touch()
        run.update(state="finished")


def timed(action: Any) -> float:
    """Return how many seconds it takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def median_of(times: int, measure: Any) -> float:
    """Return the median of several measurements."""
    return round(statistics.median(measure() for _ in range(times)), 4)


def opening(root: Path) -> float:
    """Return the seconds that the first listing takes, in a program of its own."""
    code = (
        "import sys, time; from pathlib import Path; from engine.studio import Studio\n"
        "from engine.workspace import Workspace\n"
        "studio = Studio(Workspace(Path(sys.argv[1])))\n"
        "began = time.perf_counter(); runs = studio.runs.all()\n"
        "assert all(run.history.best for run in runs)\n"
        "print(time.perf_counter() - began)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


class Page:
    """An open page, without its browser: what it asks, and what it has been told."""

    def __init__(self, studio: Studio, run: str) -> None:
        self.studio, self.run = studio, run
        self.marks = dict.fromkeys((*PIECES, *CHARTS), "")
        self.count = 100

    def look(self) -> float:
        """Ask once; return the seconds to the next question."""
        self.count += 1
        asked = {"run": self.run, "overlays": [], "marks": self.marks, "looks": self.count}
        told = live.answer(self.studio, asked)
        self.marks |= told["marks"]
        return float(told["wait"])


def looks(root: Path) -> dict[str, float]:
    """Return how many ms a page's look takes: the first, and each one when nothing is new."""
    studio = Studio(Workspace(root))
    page = Page(studio, studio.runs.all()[0].id)
    first = timed(page.look)
    page.look()
    times = sorted(timed(page.look) for _ in range(200))
    studio.close()
    return {"first": round(1000 * first, 1), "median": round(1000 * times[100], 2), "p95": round(1000 * times[190], 2)}


def trained(root: Path, many: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Train while pages look and while none does, turn about; return the speeds and their ratio."""
    studio = Studio(Workspace(many))
    data = tickets(root / "many tickets", 2000)
    recipe = Recipe(
        model=str(make_model(root / "model")),
        max_steps=1_000_000,
        epochs=100.0,
        batch_size=4,
        accumulation=1,
        max_length=64,
        eval_steps=500,
        patience=0,
    )
    run = RunDirectory.create(studio.workspace, recipe, data, "trains", "Sample shop")
    identifier = run.id
    studio.runs.queue.add(studio.runs.get(identifier))
    try:
        return measured(studio, identifier, given)
    finally:
        studio.close()


def measured(studio: Studio, run: str, given: argparse.Namespace) -> dict[str, Any]:
    """See :func:`trained`."""
    speeds: dict[str, list[float]] = {"pages": [], "none": []}
    cores: dict[str, list[float]] = {"pages": [], "none": []}
    events = studio.runs.get(run).events_file
    wait_for(events, 50)
    took: list[tuple[float, float]] = []
    watched = 0.0
    for turn in range(given.turns):
        for name in ("pages", "none"):
            stop = threading.Event()
            threads = [
                threading.Thread(target=keep_looking, args=(Page(studio, run), stop, took, number / given.pages))
                for number in range(given.pages if name == "pages" else 0)
            ]
            for thread in threads:
                thread.start()
            seconds, used = time_of(events, given.each)
            watched += seconds if threads else 0.0
            stop.set()
            for thread in threads:
                thread.join()
            speeds[name].append(given.each / seconds)
            cores[name].append(used / given.each)
            print(
                f"{turn + 1} {name}: {speeds[name][-1]:.2f} steps/s, {cores[name][-1]:.3f} s of a core each", flush=True
            )
    waited = sorted(seconds for seconds, _ in took)
    return {
        "steps_per_second": {name: round(statistics.median(values), 2) for name, values in speeds.items()},
        "ratio": median_ratio(speeds["pages"], speeds["none"]),
        "core_ratio": median_ratio(cores["none"], cores["pages"]),
        "cores": round(sum(used for _, used in took) / watched, 4),
        "look_ms": {
            "median": round(1000 * waited[len(waited) // 2], 1),
            "p95": round(1000 * waited[int(len(waited) * 0.95)], 1),
        },
    }


def median_ratio(ones: list[float], others: list[float]) -> float:
    """Return the median ratio of two measurements that were taken one after the other."""
    return round(statistics.median(one / other for one, other in zip(ones, others, strict=True)), 3)


def time_of(events: Path, steps: int) -> tuple[float, float]:
    """Wait for so many whole steps; return their seconds, and those of a core that the program took."""
    wait_for(events, count_of(events) + 1)
    first, began, used = count_of(events), time.perf_counter(), time.process_time()
    wait_for(events, first + steps)
    return time.perf_counter() - began, time.process_time() - used


def keep_looking(page: Page, stop: threading.Event, took: list[tuple[float, float]], late: float) -> None:
    """Ask as a page does until it is closed, and note the seconds and those of a core; pages begin one by one."""
    stop.wait(late * 4)
    while not stop.is_set():
        began, used = time.perf_counter(), time.thread_time()
        wait = page.look()
        took.append((time.perf_counter() - began, time.thread_time() - used))
        stop.wait(wait)


def count_of(events: Path) -> int:
    """Return how many lines there are."""
    return events.read_bytes().count(b"\n")


def wait_for(events: Path, count: int) -> None:
    """Wait until so many events have been told."""
    end = time.monotonic() + 900
    while not events.exists() or count_of(events) < count:
        if time.monotonic() > end:
            raise SystemExit("the run does not come on")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
