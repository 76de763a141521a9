"""What thirty open pages cost a run without a GPU, how long each waits, and what memory stays when they are closed.

    python tests/benchmarks/bench_clients.py [--model FOLDER] [--clients 30] [--turns 3] [--seconds 40]

The program as a person starts it, the sample shop, the preset 'Thorough'. A client asks what a page in a browser asks
(its heartbeat, what goes on, a handler and what follows from it), without a browser: thirty of those would not share
two cores. On those of other people it would cost nothing here, so it runs at the lowest priority: it takes what is left
over, which the waits count as the program's. It opens, then searches, picks a ticket, opens a tab, with one to seven
seconds between. Turn about there are all clients and none; steps that were taken across a change are left out. Before
the run one client does each of these several times: 'core_ms' is the time of a core that the program takes for one,
whatever else the computer does. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from tests.benchmarks.bench_page import steps, wait_for
from tests.program import Program

WORDS = ("parcel", "radio", "battery", "return", "invoice", "manual", "noise", "aerial", "order", "thank")
TABS = ("recipe", "training", "playground", "export")
TIMES = 25
"""How often each thing is done for its time of a core."""


class Page:
    """What an open page asks.

    Args:
        http: Connections to the program.
        config: Gradio's description of the window.
        waited: Takes the seconds of each 'open', 'search', 'pick' and 'tab'.
    """

    def __init__(self, http: httpx.AsyncClient, config: dict[str, Any], waited: dict[str, list[float]]) -> None:
        self._http, self._waited = http, waited
        self._session = secrets.token_hex(6)
        self._handlers = [known for known in config["dependencies"] if known["backend_fn"]]
        self._parts = {
            part["props"]["elem_id"]: part["id"] for part in config["components"] if part["props"].get("elem_id")
        }
        self.tickets: list[str] = []

    async def ask(self, part: str | int | None, event: str, first: Any = None, **raised: Any) -> list[Any]:
        """Call all handlers of an event, and what follows from them, as Gradio's page does; return what was sent."""
        number = self._parts[part] if isinstance(part, str) else part
        sent: list[Any] = []
        for handler in self._handlers:
            if any(name == event and number in (None, of) for of, name in handler["targets"]):
                sent += await self._call(handler, number, first, raised)
        return sent

    async def _call(self, handler: dict[str, Any], trigger: int | None, first: Any, raised: Any) -> list[Any]:
        data = [first if place == 0 else None for place in range(len(handler["inputs"]))]
        body = {"data": data, "fn_index": handler["id"], "session_hash": self._session, "trigger_id": trigger}
        asked = await self._http.post("gradio_api/queue/join", json={**body, "event_data": raised or None})
        output = await self._answer(asked.raise_for_status().json()["event_id"])
        sent = list(output["data"])
        for state in output.get("changed_state_ids") or ():
            await self.ask(state, "change")
        for later in self._handlers:
            if later["trigger_after"] == handler["id"]:
                sent += await self._call(later, None, "tickets", None)
        return sent

    async def _answer(self, event: str) -> dict[str, Any]:
        """Read the stream of a page until a handler has ended."""
        async with self._http.stream("GET", f"gradio_api/queue/data?session_hash={self._session}") as stream:
            async for line in stream.aiter_lines():
                told = json.loads(line[5:]) if line.startswith("data:") else {}
                if told.get("event_id") == event and told.get("msg") == "process_completed":
                    assert told["success"], told
                    return told["output"]
        raise AssertionError("the stream ended")

    @asynccontextmanager
    async def timed(self, name: str) -> AsyncIterator[None]:
        """Measure what a person waits for."""
        began = time.perf_counter()
        yield
        self._waited[name].append(time.perf_counter() - began)

    async def open(self) -> None:
        """Fetch the page, and what it shows first."""
        async with self.timed("open"):
            await self._http.get("")
            sent = await self.ask(None, "load", "")
        shown = "".join(value for value in sent if isinstance(value, str))
        self.tickets = [part.split('"')[0] for part in shown.split('data-ticket="')[1:]]
        assert self.tickets, "the page shows no ticket"

    async def ask_live(self) -> None:
        """Ask what is going on."""
        body = {"run": "", "overlays": [], "marks": {"status-bar": ""}, "looks": 9, "page": self._session}
        (await self._http.post("live", json=body)).raise_for_status()

    async def look_around(self, until: float) -> None:
        """Be used until a time of the clock."""
        chance = random.Random(self._session)
        while time.perf_counter() < until:
            await asyncio.sleep(chance.uniform(1, 7))
            await self.ask_live()
            match chance.choice(("search", "pick", "pick", "tab")):
                case "search":
                    async with self.timed("search"):
                        await self.ask("search", "change", chance.choice(WORDS))
                case "pick":
                    async with self.timed("pick"):
                        await self.ask("conversations", "pick", ticket=chance.choice(self.tickets))
                case _:
                    async with self.timed("tab"):
                        await self.ask(f"tab-{chance.choice(TABS)}", "select")
                    await self.ask("tab-tickets", "select")

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Hold the connection that says that the page is open."""

        async def hold() -> None:
            async with self._http.stream("GET", f"gradio_api/heartbeat/{self._session}") as beats:
                async for _ in beats.aiter_raw():
                    pass

        task = asyncio.create_task(hold())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def crowd(address: str, clients: int, seconds: float, waited: dict[str, list[float]]) -> None:
    """Have so many pages open and used for a while."""
    until = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as http:
        config = (await http.get("config")).json()

        async def visit(number: int) -> None:
            page = Page(http, config, waited)
            await asyncio.sleep(number * min(0.5, seconds / 4 / clients))
            async with page.alive():
                await page.open()
                await page.look_around(until)

        await asyncio.gather(*(visit(number) for number in range(clients)))


def prepare(workspace: Path) -> None:
    """Bring the sample shop in, before the program has the workspace."""
    from engine.studio import Studio
    from engine.workspace import Workspace

    studio = Studio(Workspace(workspace))
    task = studio.tickets.prepare_sample()
    while task.snapshot().state == "running":
        time.sleep(0.05)
    studio.close()


async def core_ms(program: Program) -> dict[str, float]:
    """Measure what each thing that a person does takes of a core, with nobody else about; milliseconds."""
    import psutil

    assert program.process is not None
    process = psutil.Process(program.process.pid)
    async with httpx.AsyncClient(base_url=program.address, timeout=120) as http:
        config = (await http.get("config")).json()
        page = Page(http, config, {"open": []})
        async with page.alive():
            await page.open()
            everything: dict[str, Callable[[], Awaitable[Any]]] = {
                "open": Page(http, config, {"open": []}).open,
                "ask_live": page.ask_live,
                "search": lambda: page.ask("search", "change", random.choice(WORDS)),
                "pick": lambda: page.ask("conversations", "pick", ticket=random.choice(page.tickets)),
                **{f"tab {tab}": partial(page.ask, f"tab-{tab}", "select") for tab in ("tickets", *TABS)},
            }
            return {name: await _each(process, action) for name, action in everything.items()}


async def _each(process: Any, action: Callable[[], Awaitable[Any]]) -> float:
    for _ in range(3):
        await action()
    while await _core_seconds(process, partial(asyncio.sleep, 1)) > 0.05:  # it still counts tokens, say
        pass
    idle = await _core_seconds(process, partial(asyncio.sleep, 2)) / 2
    began = time.perf_counter()

    async def often() -> None:
        for _ in range(TIMES):
            await action()

    took = await _core_seconds(process, often)
    return round(1000 * (took - idle * (time.perf_counter() - began)) / TIMES, 1)


async def _core_seconds(process: Any, action: Callable[[], Awaitable[Any]]) -> float:
    before = sum(process.cpu_times()[:2])
    await action()
    return float(sum(process.cpu_times()[:2]) - before)


async def start(address: str, model: str) -> None:
    """Start the run, as a page does."""
    async with httpx.AsyncClient(base_url=address, timeout=600) as http:
        page = Page(http, (await http.get("config")).json(), {"open": []})
        await page.open()
        await page.ask("presets", "preset", name="thorough")
        if model:
            await page.ask("use-other-model", "click", model)
        await page.ask("start-training", "click")


def megabytes(program: Program) -> float:
    """Return what the program holds in memory, MiB."""
    import psutil

    assert program.process is not None
    return psutil.Process(program.process.pid).memory_info().rss / 2**20


def main() -> None:
    """Train, have pages open and closed, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a folder; the starter model where left out")
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary) / "workspace"
        prepare(workspace)
        program = Program(workspace, "--no-token", anew=True)
        program.start()
        if hasattr(os, "nice"):
            os.nice(19)
        try:
            found: dict[str, Any] = {"core_ms": asyncio.run(core_ms(program))}
            print(found, flush=True)
            if given.turns:
                asyncio.run(start(program.address, given.model))
                wait_for(workspace, 2)
                found |= measure(program, given)
            print(json.dumps(found))
        finally:
            program.end()


def measure(program: Program, given: argparse.Namespace) -> dict[str, Any]:
    """Watch the run with clients and without, turn about."""
    speeds: dict[str, list[float]] = {"clients": [], "alone": []}
    waited: dict[str, list[float]] = {name: [] for name in ("open", "search", "pick", "tab")}
    for turn in range(given.turns):
        for name in speeds:
            before, began, own = len(steps(program.workspace)), time.perf_counter(), time.process_time()
            if name == "clients":
                asyncio.run(crowd(program.address, given.clients, given.seconds, waited))
            else:
                time.sleep(given.seconds)
            seen = steps(program.workspace)[before + 1 :]
            speeds[name] += seen
            told = f"{len(seen)} steps, {statistics.median(seen):.0f} tokens/s" if seen else "no step"
            took = time.perf_counter() - began
            share = (time.process_time() - own) / took
            print(
                f"{turn + 1} {name}: {took:.0f} s, {told}, {megabytes(program):.0f} MiB, pages {share:.2f} of a core",
                flush=True,
            )
    medians = {name: statistics.median(values or [float("nan")]) for name, values in speeds.items()}
    waits = {name: values for name, values in waited.items() if len(values) > 1}
    return {
        "tokens_per_second": {name: round(value, 1) for name, value in medians.items()},
        "ratio": round(medians["clients"] / medians["alone"], 3),
        "p50_seconds": {name: round(statistics.median(values), 2) for name, values in waits.items()},
        "p95_seconds": {name: round(statistics.quantiles(values, n=20)[-1], 2) for name, values in waits.items()},
        "asked": {name: len(values) for name, values in waited.items()},
    }


if __name__ == "__main__":
    main()
