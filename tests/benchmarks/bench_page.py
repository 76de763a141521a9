"""What an open page costs a run without a GPU: tokens a second with the page open and with none, turn about.

    python tests/benchmarks/bench_page.py [--model FOLDER] [--turns 4] [--seconds 40]

The program as a person starts it, a Chromium, the sample shop, the preset 'Thorough', which has steps enough. Each turn
the page shows the tab 'Training' for so long and then nothing; steps that were taken across a change are left out.
Chromium's share of a core is that of its processes. The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.conftest import open_window
from tests.program import Program

WORD = "chrom"
"""In the names of the browser's processes."""


def core_seconds() -> float:
    """Seconds of a core that the browser has used so far."""
    import psutil

    used = 0.0
    for process in psutil.process_iter(["name"]):
        try:
            if WORD in (process.info["name"] or ""):
                times = process.cpu_times()
                used += times.user + times.system
        except psutil.Error:
            continue
    return used


def steps(workspace: Path) -> list[float]:
    """Return the speed of every step of the run so far, in tokens a second."""
    from engine.training.runs.directory import RunDirectory

    [folder] = workspace.glob("runs/*")
    return [step.tokens_per_second for step in RunDirectory(folder).history.read().steps]


def wait_for(workspace: Path, count: int) -> None:
    """Wait until so many steps have been taken."""
    end = time.monotonic() + 900
    while not list(workspace.glob("runs/*/events.jsonl")) or len(steps(workspace)) < count:
        if time.monotonic() > end:
            raise SystemExit("the run does not come on")
        time.sleep(0.5)


def watch(workspace: Path, seconds: float) -> tuple[list[float], float]:
    """Return the speeds of the steps that were taken whole in the next seconds, and the browser's share of a core."""
    wait_for(workspace, len(steps(workspace)) + 1)
    before, used, began = len(steps(workspace)), core_seconds(), time.perf_counter()
    time.sleep(seconds)
    share = (core_seconds() - used) / (time.perf_counter() - began)
    return steps(workspace)[before:], share


def main() -> None:
    """Train, look and look away, and print."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import FLAGS, find

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a folder; the starter model where left out")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=40)
    given = parser.parse_args()
    path = find()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        program = Program(Path(temporary) / "workspace", anew=True)
        program.start()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            found = measure(browser, program, given)
        finally:
            browser.close()
            program.end()
    print(json.dumps(found))


def measure(browser: Any, program: Program, given: argparse.Namespace) -> dict[str, Any]:
    """Start a run in a page and watch it, with the page and without."""
    from playwright.sync_api import expect

    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    open_window(page, program)
    page.locator("#try-sample").click()
    page.locator("#to-recipe").click()
    page.locator("[data-key=preset-thorough]").click()
    if given.model:  # or the starter model, which is fetched first: minutes
        page.locator("#other-model textarea, #other-model input").first.fill(given.model)
        page.locator("#use-other-model").click()
        expect(page.locator("#models")).to_contain_text(Path(given.model).name)
    page.locator("#start-training").click()
    wait_for(program.workspace, 1)
    speeds: dict[str, list[float]] = {"open": [], "none": []}
    shares: dict[str, list[float]] = {"open": [], "none": []}
    for turn in range(given.turns):
        for name in ("open", "none"):
            if name == "open":
                open_window(page, program)
            else:
                page.goto("about:blank")
            seen, share = watch(program.workspace, given.seconds)
            speeds[name] += seen
            shares[name].append(share)
            print(f"{turn + 1} {name}: {[round(speed) for speed in seen]} tokens/s, browser {share:.2f}", flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    return {
        "tokens_per_second": {name: round(value, 1) for name, value in medians.items()},
        "ratio": round(medians["open"] / medians["none"], 3),
        "browser_cores": {name: round(statistics.median(values), 2) for name, values in shares.items()},
    }


if __name__ == "__main__":
    main()
