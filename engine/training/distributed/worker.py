"""One of the processes that train a run together: ``python -m engine.training.distributed.worker RUN --cache DIR``.

It is started once a GPU by ``accelerate launch`` (launcher.py builds the command; on several computers a person does,
see the README). It meets the others, loads the base onto its own GPU and calls the same run_training as the program
does. The first process tells the events; what the program wants, it reads from the control file and tells the others,
so that all of them pause and stop at the same step.

A process ends when one above it does: kill -9 of the program leaves no GPU in use.
"""

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import DivergedError, RunError
from engine.hardware import device_report
from engine.recipe import Recipe
from engine.training.distributed import process_group
from engine.training.distributed.control import ControlRequest, Failure, forget, read_control, write_failure
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Emit, Event, LogNote, Paused
from engine.workspace import keep_to_owner

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.training.memory.modes import Settings

log = logging.getLogger(__name__)

HEARTBEAT = 0.5
"""Seconds between two looks at the control file during a pause; no process waits longer for another."""
WATCH = 1.0
"""Seconds between two looks at whether the program is still there."""
GO, PAUSE, STOP = range(3)


class StepControl:
    """Pause and stop between two steps: every process does what rank 0 has read.

    Args:
        folder: The run's.
        emit: Told when a pause begins and ends.
    """

    def __init__(self, folder: Path, emit: Emit) -> None:
        self._folder = folder
        self._emit = emit

    def is_paused(self) -> bool:
        """Whether the next question will be answered after a pause; all ask it together."""
        return self._wanted() == PAUSE

    def should_stop(self) -> bool:
        """Hold while paused; return whether to end. All ask it together, after each step."""
        wanted = self._wanted()
        if wanted != PAUSE:
            return wanted == STOP
        self._emit(Paused(True))
        while wanted == PAUSE:
            time.sleep(HEARTBEAT)
            wanted = self._wanted()
        self._emit(Paused(False))
        return wanted == STOP

    def _wanted(self) -> int:
        request = read_control(self._folder) if process_group.is_rank_zero() else ControlRequest()
        return process_group.broadcast(STOP if request.stopped else PAUSE if request.paused else GO)


def train(run: RunDirectory, cache: Path, resume_step: int, settings: "Settings | None", emit: Emit) -> bool:
    """Load the base and train, together with the other processes; return whether the run was stopped.

    Raises:
        StudioError: What happened, in words.
    """
    from engine.training.trainer import TrainingData, run_training

    recipe = run.recipe
    data = TrainingData.load(run.data, recipe)
    control = StepControl(run.path, emit)
    base = _load(recipe, cache)
    outcome = run_training(
        recipe, data, base, run.path, emit, control.should_stop, resume_step, control.is_paused, settings
    )
    return outcome.stopped


def _load(recipe: Recipe, cache: Path) -> "BaseModel":
    """Load the base; a model that has to be fetched is fetched by the first process, while the others wait."""
    from engine.model.base import load_base
    from engine.training.distributed.fsdp import load_sharded
    from engine.training.memory.estimate import has_to_stream

    streams = any(process_group.all_reduce([has_to_stream(recipe, device_report())], max))
    waits = not process_group.is_rank_zero() and not Path(recipe.model).expanduser().is_dir()
    if waits:
        process_group.barrier()
    if recipe.spread == "shards":
        base: BaseModel = load_sharded(recipe, cache, _say)
    else:
        base = load_base(recipe, cache, _say, streamed=streams)
    if not waits:
        process_group.barrier()
    check_alike(base)
    return base


def check_alike(base: "BaseModel") -> None:
    """Refuse a run whose base is all on one GPU and comes to another layer by layer: they would compute differently.

    Raises:
        RunError: It is so; every process says it.
    """
    streamed = [bool(row[0]) for row in process_group.all_gather([base.is_streamed])]
    if any(streamed) and not all(streamed):
        raise RunError(
            f"{base.title} fits on {streamed.count(False)} of {len(streamed)} GPUs only; the others have too little "
            "memory left.",
            "Close what else uses them, or set memory against speed to streamed.",
        )


def _say(stage: str, fraction: float | None) -> None:
    log.info("%s", stage)


def watch(alive: Callable[[], bool]) -> None:
    """End this process, from a thread, as soon as what it works for is gone."""

    def look() -> None:
        while alive():
            time.sleep(WATCH)
        log.error("the program that started this process is gone")
        os._exit(1)

    threading.Thread(target=look, name="watch", daemon=True).start()


def still_there(program: int, started: float) -> Callable[[], bool]:
    """Return a question: are the program and this process's launcher still there?

    Args:
        program: Process id of the program that supervises; 0 where a person launched the processes.
        started: When it was started, in Unix seconds, so that a recycled id is not mistaken for it.
    """
    import psutil

    launcher = os.getppid()
    process = psutil.Process(program) if program else None

    def answer() -> bool:
        if os.getppid() != launcher:
            return False
        try:
            return process is None or (
                abs(process.create_time() - started) < 2.0
                and process.is_running()
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False

    return answer


def _failed(run: RunDirectory, error: BaseException, tells: bool) -> None:
    """Leave the reason behind; the first to fail is the one that counts, since the others fail because of it."""
    from engine.training.errors import explain
    from engine.training.oom_recovery import NeedsLess

    told = explain(error, run.path)
    rate = told.lower_rate if isinstance(told, DivergedError) else None
    settings = told.settings if isinstance(told, NeedsLess) else None
    if write_failure(run.path, Failure(process_group.rank(), told.message, told.remedy, rate, settings)) and tells:
        run.emit(LogNote(str(told), "error"))
        run.update(state="failed", message=str(told))


def main(arguments: list[str] | None = None) -> NoReturn:
    """See the module. Exit code 0: finished or stopped, 1: failed."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.training.distributed.worker", description=__doc__.splitlines()[0]
    )
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--cache", type=Path, required=True, help="where fetched models are kept")
    parser.add_argument("--resume", type=int, metavar="STEP", help="the checkpoint to go on from; default: the newest")
    parser.add_argument("--settings", help=argparse.SUPPRESS)  # settings as JSON, after memory ran out
    parser.add_argument("--program", help=argparse.SUPPRESS)  # id and start of the program that supervises
    given = parser.parse_args(arguments)
    if "RANK" not in os.environ:
        parser.error("this is started by 'accelerate launch'; 'python -m engine train --set gpus=0' does that")
    logging.basicConfig(level="INFO", format="%(asctime)s rank " + os.environ.get("RANK", "0") + " %(message)s")
    program, _, started = (given.program or "0:0").partition(":")
    keep_to_owner()
    watch(still_there(int(program), float(started)))
    _work(RunDirectory(given.run.resolve()), given, alone=given.program is None)
    sys.stdout.flush()
    sys.exit(0)


def _work(run: RunDirectory, given: Any, alone: bool) -> None:
    """Train, and leave no process behind that waits for one that has failed."""
    from engine.training.runs.checkpoints import newest_sound

    def emit(event: Event) -> None:
        if process_group.is_rank_zero():
            run.emit(event)

    try:
        if alone and os.environ["RANK"] == "0":
            forget(run.path)  # what an earlier life left behind
        process_group.join()
        if alone and process_group.is_rank_zero():
            run.update(state="running", message="")
        resume_step = newest_sound(run.checkpoints) if given.resume is None else given.resume
        stopped = train(run, given.cache, resume_step, _settings(given.settings), emit)
        if alone and process_group.is_rank_zero():
            run.update(state="cancelled" if stopped else "finished")
        process_group.leave()
    except BaseException as error:
        log.exception("failed")
        try:
            _failed(run, error, tells=alone)
        except Exception:  # the disk is full, or the run is one that cannot fail any more
            log.exception("the failure could not be written down")
        finally:
            logging.shutdown()
            os._exit(1)  # an orderly end would wait for the others, who wait for this one


def _settings(text: str | None) -> "Settings | None":
    from engine.training.memory.modes import Settings

    return Settings(**json.loads(text)) if text else None


if __name__ == "__main__":
    main()
