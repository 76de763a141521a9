"""Time from `python app.py` to a page that can be used, in a Chromium that is already open.

    python tests/benchmarks/bench_start.py [--starts 4]

Every start has an empty workspace and an empty profile. Wanted: at most 8 s on two cores, without torch imported. The
last line is one JSON object.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def start(browser: object, port: int) -> tuple[float, float, bool]:
    """Return the seconds until the port answers and until the page can be used, and whether torch was loaded."""
    with tempfile.TemporaryDirectory() as workspace:
        command = [sys.executable, "app.py", "--no-browser", "--port", str(port), "--workspace", workspace]
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            while not answers(port):
                if process.poll() is not None or time.perf_counter() - began > 60:
                    raise SystemExit("the program does not answer")
                time.sleep(0.02)
            listening = time.perf_counter() - began
            page = browser.new_context().new_page()  # type: ignore[attr-defined]
            key = (Path(workspace) / "key").read_text().strip()
            page.goto(f"http://127.0.0.1:{port}/?token={key}")
            page.wait_for_selector("html[data-ready]", state="attached")
            page.wait_for_selector("#try-sample", state="visible")
            usable = time.perf_counter() - began
            torch = "libtorch" in Path(f"/proc/{process.pid}/maps").read_text()
            page.context.close()
        finally:
            process.terminate()
            process.wait()
    return listening, usable, torch


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Start the program some times and print the median."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import FLAGS, find

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=4)
    given = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        seen = [start(browser, port) for _ in range(given.starts)]
        browser.close()
    for listening, usable, torch in seen:
        print(f"answers after {listening:.1f} s, usable after {usable:.1f} s{', torch was loaded' if torch else ''}")
    print(json.dumps({"usable_seconds": round(statistics.median(row[1] for row in seen), 2), "torch": seen[-1][2]}))


if __name__ == "__main__":
    main()
