"""Tidying in several processes: batches go out, results come back in the order of the input.

Cleaning and masking are Python and bound by one core, so every core gets a process. They are started as
``python -m engine.tickets.preparing.workers`` (:mod:`engine.tickets.child_processes`), and a thread each waits for its
answers. Not concurrent.futures' ProcessPoolExecutor: where processes are spawned, as Windows and a program with threads
ask for, it runs the program's main module again in each, window and all, and breaks where that is no file or has no
guard. Knows only :func:`engine.tickets.preparing.conversation_step.tidy`.
"""

from __future__ import annotations

import os
import pickle
import queue
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import islice
from typing import Any

from engine.errors import ResourceError
from engine.tickets import child_processes
from engine.tickets.conversation import Conversation, LeftOut
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.conversation_step import Tidied, tidy

BATCH = 64
"""Conversations a trip: large enough that the pipes cost nothing, small enough for a smooth progress bar."""
MOST_WORKERS = 6
"""Each holds about 80 MB; reading is one process and cannot feed more."""
WORTHWHILE_BYTES = 4 << 20
"""Below this, starting processes takes longer than the work."""

Item = Conversation | LeftOut


def tidy_all(items: Iterable[Item], options: PrepareOptions, size: int) -> Iterator[Tidied | LeftOut]:
    """Tidy every conversation, in this process or in several.

    Args:
        items: What the readers yield; damage is passed through in its place.
        options: What the person chose; ``options.workers`` says how many processes, None decides by ``size``.
        size: Bytes of the files.

    Yields:
        The results in the order of the items.

    Raises:
        ResourceError: A worker process died.
    """
    workers = options.workers if options.workers is not None else _workers(size)
    if not workers:
        for item in items:
            yield tidy(item, options) if isinstance(item, Conversation) else item
        return
    with ExitStack() as stack:
        idle: queue.SimpleQueue[child_processes.Process] = queue.SimpleQueue()
        for _ in range(workers):
            idle.put(_started(options, stack))
        threads = stack.enter_context(ThreadPoolExecutor(workers, thread_name_prefix="tidying"))
        yield from _in_order(items, threads, idle, workers * 2)


def _workers(size: int) -> int:
    if size < WORTHWHILE_BYTES:
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS) if cores > 1 else 0


def _in_order(
    items: Iterable[Item], threads: ThreadPoolExecutor, idle: queue.SimpleQueue[child_processes.Process], ahead: int
) -> Iterator[Tidied | LeftOut]:
    pending: deque[Future[list[Tidied | LeftOut]]] = deque()
    source = iter(items)
    try:
        while batch := list(islice(source, BATCH)):
            pending.append(threads.submit(_sent, batch, idle))
            while len(pending) > ahead:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _sent(batch: list[Item], idle: queue.SimpleQueue[child_processes.Process]) -> list[Tidied | LeftOut]:
    worker = idle.get()
    try:
        child_processes.write(worker.stdin, batch)
        # The pipe leads to a process that this module started: the pickle never comes from outside.
        answer = pickle.load(worker.stdout)  # type: ignore[arg-type]
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        raise ResourceError(
            f"A process that cleans the tickets ended unexpectedly (code {worker.poll()}).",
            "Close other programs to free memory, and import the tickets again.",
        ) from error
    finally:
        idle.put(worker)
    if isinstance(answer, BaseException):
        raise answer
    results: list[Tidied | LeftOut] = answer
    return results


def _started(options: PrepareOptions, stack: ExitStack) -> child_processes.Process:
    worker = child_processes.started("engine.tickets.preparing.workers")
    stack.callback(child_processes.close, worker)
    child_processes.write(worker.stdin, options)
    return worker


def _serve() -> None:
    """Be a worker: read options, then batches, until the pipe is closed."""
    inward, outward = child_processes.pipes()
    told = child_processes.values(inward)
    with suppress(BrokenPipeError, StopIteration):
        options = next(told)
        for batch in told:
            try:
                answer: Any = [tidy(item, options) if isinstance(item, Conversation) else item for item in batch]
            except Exception as error:
                answer = error
            child_processes.write(outward, answer)


if __name__ == "__main__":
    _serve()
