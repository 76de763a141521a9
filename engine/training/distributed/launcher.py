"""A run on several GPUs: processes of its own, started by ``accelerate launch`` and looked after from here.

The processes (worker.py) write the run's events; this side reads them, passes on what the program wants (control.py)
and says in words why a process ended. Without a GPU the same processes share the processor, started by what accelerate
itself uses inside, since accelerate launches no several processes without a GPU.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine import interpreter
from engine.errors import DivergedError, ResourceError, RunError, StudioError
from engine.recipe import Recipe
from engine.training.distributed.control import ControlRequest, Failure, forget, read_failure, write_control
from engine.training.memory.modes import most_ranks
from engine.training.runs.checkpoints import newest_sound
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import LogNote
from engine.training.runs.history import History
from engine.workspace import disk_errors, write_json

ROOT = Path(__file__).parents[3]
LOG = "worker.log"
"""What the processes print, in the run's folder."""
CONFIG = ".accelerate.json"
"""accelerate's configuration while it runs, so that a person's own does not come into play."""
UNBROKEN = "expandable_segments:True"
"""torch's allocator without gaps between its blocks: cards that share a run are often nearly full."""
POLL = 0.2
"""Seconds between two looks at the processes."""
TOLD_LINES = 12
"""Lines of the log that go into the program's log when the processes fail without a word."""


def processes_for(recipe: Recipe, emit: Callable[[LogNote], None] = lambda _: None) -> int:
    """Return how many processes are to share a run on this computer: as many as GPUs that the recipe asks for.

    Args:
        recipe: Its gpus, batch_size and accumulation count.
        emit: Told in words where it is fewer than the recipe asks for.
    """
    if recipe.gpus == 1:
        return 1
    import torch

    on_gpu = torch.cuda.is_available()
    there = torch.cuda.device_count() if on_gpu else (os.cpu_count() or 1)
    kind = "GPUs" if on_gpu else "processes on the processor"
    wanted = (there if on_gpu else 1) if recipe.gpus == 0 else recipe.gpus
    count = min(wanted, there)
    if count < wanted:
        emit(
            LogNote(
                f"The recipe asks for {wanted} {kind}; this computer has {there}, so {there} work on it.", "warning"
            )
        )
    rows = recipe.batch_size * recipe.accumulation
    even = most_ranks(rows, count)
    if even < count:
        told = (
            f"A step holds {rows} conversations or rows, which {count} {kind} cannot share evenly: {even} work on it."
        )
        emit(LogNote(f"{told} Make batch size x accumulation a multiple of {count} to use all.", "warning"))
    return even


def command(run: Path, cache: Path, processes: int, resume_step: int, settings: Mapping[str, Any] | None) -> list[str]:
    """Return the command that starts the processes of a run.

    Args:
        run: The run's folder.
        cache: Where fetched models are kept.
        processes: How many.
        resume_step: The checkpoint to go on from, or 0.
        settings: Settings that need less memory, after it ran out.
    """
    import psutil
    import torch

    worker = ["engine.training.distributed.worker", str(run), "--cache", str(cache), "--resume", str(resume_step)]
    worker += ["--program", f"{os.getpid()}:{psutil.Process().create_time()}"]
    if settings:
        worker += ["--settings", json.dumps(settings)]
    if not torch.cuda.is_available():
        options = ["--nnodes", "1", "--nproc_per_node", str(processes), "--rdzv_backend", "c10d"]
        options += ["--rdzv_endpoint", "localhost:0", "--local_addr", "localhost"]
        return [sys.executable, "-m", "torch.distributed.run", *options, "--module", *worker]
    options = ["--config_file", str(run / CONFIG), "--multi_gpu", "--num_processes", str(processes)]
    options += ["--num_machines", "1", "--machine_rank", "0", "--gpu_ids", "all", "--main_process_port", "0"]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    return [sys.executable, "-m", "accelerate.commands.launch", *options, "--module", *worker]


def environment(processes: int) -> dict[str, str]:
    """Return the environment of the processes: the program's, with the processor's cores shared out."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shared = {
        "OMP_NUM_THREADS": str(max(1, cores // processes)),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    if sys.platform == "linux":
        shared["PYTORCH_CUDA_ALLOC_CONF"] = os.environ.get("PYTORCH_CUDA_ALLOC_CONF", UNBROKEN)
        # what goes over the processor stays here, whatever the network calls this computer
        shared["GLOO_SOCKET_IFNAME"] = os.environ.get("GLOO_SOCKET_IFNAME", "lo")
    on_cpu = {} if torch.cuda.is_available() else {"ACCELERATE_USE_CPU": "true", "USE_LIBUV": "0"}
    return {**interpreter.environment(), **shared, **on_cpu}


def train_together(
    run: RunDirectory,
    processes: int,
    cache: Path,
    requested: Callable[[], ControlRequest],
    seen: Callable[[History], None],
    wait: Callable[[float], Any] = time.sleep,
) -> bool:
    """Train a run in processes of its own, from its newest sound checkpoint, and look after them until they end.

    Args:
        run: The run.
        processes: How many share it.
        cache: Where fetched models are kept.
        requested: Asked again and again what the program wants.
        seen: Given the history whenever it has grown, from the start of this training on.
        wait: Waits for so many seconds, or less.

    Returns:
        Whether it was stopped, not finished.

    Raises:
        StudioError: Why a process ended before its time.
    """
    settings: dict[str, Any] | None = None
    try:
        while True:
            step = newest_sound(run.checkpoints)
            forget(run.path)
            launched = _Launch(run, command(run.path, cache, processes, step, settings), environment(processes))
            ended = launched.look_after(requested, seen, wait)
            if ended is not None:
                return ended
            failure = read_failure(run.path)
            if failure is None or failure.settings is None:
                raise _in_words(failure, run.path / LOG)
            settings = failure.settings
            _say_how(run, failure, newest_sound(run.checkpoints))
    finally:
        forget(run.path)
        (run.path / CONFIG).unlink(missing_ok=True)


def _say_how(run: RunDirectory, failure: Failure, step: int) -> None:
    rows = failure.settings["micro_batch"] if failure.settings else 0
    at_a_time = "one row" if rows == 1 else f"{rows} rows"
    where = f"from step {step}" if step else "from the beginning"
    text = f"Memory ran out in process {failure.rank + 1}; all go on {where} with settings that need less"
    run.emit(LogNote(f"{text} ({at_a_time} at a time on each). What is learnt stays the same.", "warning"))


class _Launch:
    """One life of the processes."""

    def __init__(self, run: RunDirectory, words: list[str], environment: dict[str, str]) -> None:
        self._run = run
        self._before = run.history.read().started
        write_json(run.path / CONFIG, {"compute_environment": "LOCAL_MACHINE", "distributed_type": "MULTI_GPU"})
        with disk_errors(run.path), (run.path / LOG).open("ab") as log:
            self._process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl+C in the terminal is the program's to deal with
            )

    def look_after(
        self, requested: Callable[[], ControlRequest], seen: Callable[[History], None], wait: Callable[[float], Any]
    ) -> bool | None:
        """Wait for the end; return whether it was a stop, None for a failure."""
        told, history = ControlRequest(), self._run.history.read()
        try:
            while (code := self._process.poll()) is None:
                if (wanted := requested()) != told:
                    write_control(self._run.path, wanted)
                    told = wanted
                history = self._tell(history, seen)
                if told.stopped and history.started is self._before:
                    return True  # nothing has been learnt that a checkpoint would have to keep
                wait(POLL)
        finally:
            end(self._process)
        history = self._tell(history, seen)
        return None if code else history.finished is None

    def _tell(self, known: History, seen: Callable[[History], None]) -> History:
        history = self._run.history.read()
        if history is not known and history.started is not self._before:
            seen(history)
        return history


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and those that it started, at once."""
    import psutil

    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if process.poll() is None:
        process.kill()
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def _in_words(failure: Failure | None, log: Path) -> StudioError:
    """Say why the processes ended."""
    if failure is not None and failure.lower_rate is not None:
        return DivergedError(failure.message, failure.remedy, failure.lower_rate)
    if failure is not None:
        return RunError(failure.message, failure.remedy)
    text = log.read_text(encoding="utf-8", errors="replace")[-20_000:] if log.exists() else ""
    signals = re.findall(r"Signal (\d+) \((\w+)\)", text)
    if signals:
        return ResourceError(
            f"A training process was ended from outside ({signals[-1][1]}). Checkpoints made so far are kept.",
            "Often the computer ran out of memory; close other programs, then press Resume.",
        )
    last = " ".join(line for line in text.splitlines()[-TOLD_LINES:] if "Error" in line)[-200:]
    return RunError(
        f"The training processes ended without a word ({last or 'nothing in their log'}).",
        f"The details are in {log}; Resume goes on from the last checkpoint.",
    )
