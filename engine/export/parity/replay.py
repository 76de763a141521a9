"""Let an export answer in a fresh process, through the tool it is meant for.

The process runs one of the scripts in tools/ and nothing of this program: no import of ours, no state of ours, no
setting of ours can make an export look better there than it is elsewhere.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.errors import ModelError, ResourceError
from engine.export.parity.compare import Replayed
from engine.export.parity.reference import Answered, Reference
from engine.scratch import scratch

TOOLS = Path(__file__).with_name("tools")
LOOK = 0.1
"""Seconds between two looks at how far it is."""
FREE = {True: 2, False: 1}
"""Answers for which an export is left to itself: so many of those that the playground ended by itself, and of the
others, the shortest of each. Token by token costs a second a word where 4-bit weights are unpacked by the processor."""
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
_MEMORY = ("OutOfMemoryError", "out of memory", "can't allocate memory", "MemoryError", "std::bad_alloc")


@dataclass(frozen=True, slots=True)
class Job:
    """How an export is to be loaded."""

    tool: str
    """A script in tools/, without its ending."""
    settings: Mapping[str, Any]
    """What the script takes beside the questions and how the playground computed."""
    words: str
    """The tool, for a person."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What an export answered."""

    answers: tuple[Replayed, ...]
    """One for each answer of the reference."""
    stop_ids: tuple[int, ...]
    """Tokens that end an answer there, in ascending order."""
    versions: Mapping[str, str]
    """Of the tool."""
    rounded: tuple[Replayed, ...] = ()
    """What it answers to the first questions once its own weights are rounded to 8 bit, as q8_0 does; empty where the
    tool cannot do that."""


def replay(
    job: Job,
    reference: Reference,
    parent: Path,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Replay:
    """Let an export answer what the playground has answered.

    Args:
        job: How it is loaded.
        reference: The playground's answers.
        parent: Where a scratch folder may be made.
        progress: Called ten times a second with how many conversations are done, and how many there are; raises
            Cancelled, which ends the process.

    Raises:
        ModelError: The tool cannot load the export.
        ResourceError: It ran out of memory.
        Cancelled: ``progress`` said so.
    """
    with scratch(parent, "parity") as folder:
        work, result = folder / "job.json", folder / "result.json"
        write_job(work, job, reference)
        said = _run([str(TOOLS / f"{job.tool}.py"), str(work), str(result)], len(reference.answers), progress)
        if not result.is_file():
            raise _explained(said)
        return read_result(result)


def write_job(file: Path, job: Job, reference: Reference) -> None:
    """Write what a script in tools/ is to do."""
    how = {
        "compute_type": reference.compute_type,
        "device": _device(reference.device),
        "stop_ids": list(reference.stop_ids),
    }
    file.write_text(json.dumps({**job.settings, **how, "asked": _asked(reference)}), encoding="utf-8")


def _device(wanted: str) -> str:
    """The device that the playground computed on; the processor where there is none of its kind."""
    import torch

    return wanted if wanted == "cpu" or torch.cuda.is_available() else "cpu"


def _asked(reference: Reference) -> list[dict[str, Any]]:
    free = {id(answer) for answer in _free(reference.answers)}
    return [
        {
            "turns": list(answer.turns),
            "opening": reference.opening,
            "prompt": list(answer.prompt),
            "tokens": list(answer.tokens),
            "likely": [list(place) for place in answer.likely],
            "free": id(answer) in free,
        }
        for answer in reference.answers
    ]


def _free(answers: Sequence[Answered]) -> list[Answered]:
    shortest = sorted(answers, key=lambda answer: len(answer.tokens))
    return [answer for kind, most in FREE.items() for answer in [one for one in shortest if one.ended is kind][:most]]


def _run(arguments: Sequence[str], total: int, progress: Callable[[int, int], None]) -> str:
    """Run a script to its end and return what it said on stderr, the last 20 lines of it."""
    process = subprocess.Popen(
        [sys.executable, "-I", *arguments],
        stdin=subprocess.PIPE,  # closed with this process, even where that is killed: then the script ends too
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | _QUIET,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    told: list[str] = []
    said: list[str] = []
    listeners = [
        threading.Thread(target=_listen, args=(stream, lines), daemon=True)
        for stream, lines in ((process.stdout, told), (process.stderr, said))
    ]
    for listener in listeners:
        listener.start()
    try:
        while process.poll() is None:
            progress(_done(told, total), total)
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK)
    finally:
        _end(process)
        process.stdin.close()
        for listener in listeners:
            listener.join()
    return "".join(said[-20:])


def _listen(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line)


def _done(told: Sequence[str], total: int) -> int:
    """How many conversations a script says are done."""
    numbers = [int(line) for line in told[-3:] if line.strip().isdigit()]
    return min(max(numbers, default=0), total)


def _end(process: "subprocess.Popen[str]") -> None:
    """End it with whatever it has started, where it still runs."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _explained(said: str) -> ModelError | ResourceError:
    if any(word in said for word in _MEMORY):
        return ResourceError(
            "There is not enough memory to load the export beside the base model.",
            "Close other programs, or check the export later: python -m engine verify PATH.",
        )
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it ended without a word")
    return ModelError(f"The export cannot be loaded by its own tool: {last[:300]}", "Export it again.")


def read_result(file: Path) -> Replay:
    """Read what a script in tools/ has found out."""
    values = json.loads(file.read_text(encoding="utf-8"))
    return Replay(
        answers=tuple(_replayed(each) for each in values["replayed"]),
        stop_ids=tuple(values["stop_ids"]),
        versions=dict(values["versions"]),
        rounded=tuple(_replayed(each) for each in values["rounded"]),
    )


def _replayed(values: Mapping[str, Any]) -> Replayed:
    return Replayed(
        prompt=tuple(values["prompt"]),
        choices=tuple(values["choices"]),
        logprobs=tuple(tuple(place) for place in values["logprobs"]),
        free=None if values["free"] is None else tuple(values["free"]),
    )
