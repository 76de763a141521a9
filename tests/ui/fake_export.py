"""What the window knows of exports, in memory: formats, what was made, and the model hub."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import TicketsError
from engine.export.records import Brought, Choices, Command, Made, Offer, PackingOffer, Proof, Sending, Sent
from engine.studio import Voice
from engine.task import Task
from engine.tickets.importing.hub_listing import FetchedData, HubData, Part
from tests.ui.fake_tickets import HOSTILE

if TYPE_CHECKING:
    from tests.ui.fake_studio import FakeStudio


class FakeHub:
    """As :class:`engine.services.hub.HubService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def plan_of(self, run: str, format_: str) -> Task[Sending]:
        self.studio.calls.append(("plan_of", run, format_))
        return Task("Looking", lambda _: Sending((("README.md", 4000),), ("train.jsonl",)))

    def send_of(self, run: str, format_: str, repository: str, token: str = "", *, private: bool = True) -> Task[Sent]:
        self.studio.calls.append(("send_of", run, format_, repository, token, private))
        return Task("Sending", lambda _: Sent(repository, f"https://hub/{repository}", "0" * 40, private, ()))


class FakeHubData:
    """As :class:`engine.services.hub_data.HubDataService`; knows one data set, of two parts."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio

    def look_up(self, text: str, token: str = "") -> Task[tuple[HubData, Part]]:
        self.studio.calls.append(("look up", text, token))
        parts = (Part("train", (("a.csv", 3_000_000),)), Part("test", (("b.csv", 1_000), ("c.csv", 1_000))))
        found = HubData("shop/talks", "c0ffee", f"cc-by-4.0 {HOSTILE}", parts)

        def action(task: Task[tuple[HubData, Part]]) -> tuple[HubData, Part]:
            if text != found.id:
                raise TicketsError(f"The hub has no data set '{text}' that everybody may see.", "Check the spelling.")
            return found, found.part("")

        return Task("Asking the model hub", action)

    def fetch(self, found: HubData, part: str = "", token: str = "") -> Task[FetchedData]:
        self.studio.calls.append(("fetch", found.id, part, token))

        def action(task: Task[FetchedData]) -> FetchedData:
            while not self.studio.go.wait(0.01):
                task.report("Fetching shop/talks (1.0 of 3.0 MB)", 0.33)
            chosen = found.part(part)
            return FetchedData(tuple(Path("/hub") / name for name, _ in chosen.files), found.record(chosen))

        return Task("Fetching", action)


class FakeImporting:
    """As :class:`engine.services.importing.ImportService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.verdict = "passed"

    def bring_in(
        self, source: str, name: str = "", base: str = "", *, revision: str = "", sha256: str = ""
    ) -> Task[Brought]:
        self.studio.calls.append(("import", source, name, base))
        label = name or Path(source).stem

        def action(task: Task[Brought]) -> Brought:
            task.report("Trying it", 0.5)
            time.sleep(self.studio.task_pause)
            kept = self.studio.adapters.kept
            if source.endswith("-merged"):
                identifier = f"model:m{len(kept) + 1}"
                kept[identifier] = Voice(identifier, label, source, None)
                return Brought(identifier, label, None)
            identifier = self.studio.adapters.bring_in(Path(source), label, base)
            return Brought(identifier, label, Proof(self.verdict, f"It has {self.verdict}."))

        return Task("Bringing it in", action)


class FakeExport:
    """As :class:`engine.services.export.ExportService`."""

    def __init__(self, studio: FakeStudio) -> None:
        self.studio = studio
        self.exports: dict[tuple[str, str], Made] = {}
        self.proofs: dict[str, Proof] = {}

    def card(self, run: str) -> str:
        known = self.studio.run_infos.get(run)
        title = known.status.name if known else run
        table = "| | before | after |\n|---|---|---|\n| held-out loss | 3.00 | 0.74 |"
        return f"---\nlibrary_name: peft\n---\n# {title}\n\nLearnt from **54 conversations**.\n\n{table}\n"

    def usage(self, run: str) -> str:
        self.studio.calls.append(("usage", run))
        return '## How to use it\n\n1. Unpack it.\n\n```python\nprint("hello")\n```\n'

    def size(self, run: str) -> int:
        return 19_600_000

    def tickets(self, run: str) -> tuple[int, int]:
        return 54, 40_000

    def bundle(self, run: str, out: Path | None = None, with_tickets: bool = False) -> Task[Path]:
        self.studio.calls.append(("export_adapter", run, out, with_tickets))
        return self._zip(out or self.studio.root / "adapter.zip")

    def offers(self, run: str) -> tuple[Offer, ...]:
        if not run.startswith("adapter:"):
            self.studio.runs.info(run)
        purpose = "Base and adapter in one ordinary 16-bit model."
        merged = self.exports.get((run, "merged"))
        whole = Offer(
            "merged", "Whole model", purpose, "transformers", 271 * 10**6, 271 * 10**6, 10**10, "", (), merged
        )
        packings = (PackingOffer("q8_0", 10**8), PackingOffer("f16", 2 * 10**8))
        gguf = Offer("gguf", "GGUF", "For llama.cpp.", "llama.cpp", 10**8, 10**8, 10**10, "", packings, None)
        other = Offer("ollama", "Ollama", "For Ollama.", "Ollama", None, 0, 10**10, "Gemma 9 is not known.", (), None)
        return whole, gguf, other

    def commands(self, run: str, place: Path) -> tuple[Command, ...]:
        return (Command("transformers", f"python -m zipfile -e {place} .", "Prints an answer."),)

    def make(self, run: str, format_: str, out: Path | None = None, choices: Choices | None = None) -> Task[Path]:
        self.studio.calls.append(("export", run, format_, choices))
        folder = self.studio.root / f"shop-{format_}"

        def action(task: Task[Path]) -> Path:
            task.report("Merging", 0.5)
            time.sleep(self.studio.task_pause)
            folder.mkdir(exist_ok=True)
            told = Command("vLLM", f"vllm serve {folder}", "An endpoint.")
            self.exports[(run, format_)] = Made(folder, 271 * 10**6, 0.0, "", "", (told,), False)
            return folder

        return Task("Exporting: Whole model", action)

    def made(self, run: str, format_: str) -> Made:
        return self.exports[(run, format_)]

    def proof(self, run: str, format_: str) -> Proof | None:
        return self.proofs.get(format_)

    def packed(self, run: str, format_: str, out: Path) -> Task[Path]:
        self.studio.calls.append(("export_packed", run, format_, out))
        return self._zip(out)

    def _zip(self, target: Path) -> Task[Path]:
        def action(task: Task[Path]) -> Path:
            task.report("Packing", 0.5)
            time.sleep(self.studio.task_pause)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"PK\x05\x06" + bytes(18))
            return target

        return Task("Packing the adapter", action)
