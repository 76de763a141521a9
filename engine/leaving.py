"""Leaving a program in whose threads native code computes."""

import atexit
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process at once, after what was to be done at its end, and without taking the interpreter down.

    A daemon thread that comes back from native code to an interpreter that is being taken down is ended by pthread_exit
    (CPython 3.11, PyEval_RestoreThread). That unwinds its stack, and where frames of C++ lie on it that let nothing
    through, as those of torch do while a model is converted or a step is computed, the process is aborted: 'FATAL:
    exception not rethrown', exit code 134, whatever code was meant.

    Args:
        code: The exit code, 0 to 255.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


@contextlib.contextmanager
def leaving_at_the_end() -> Iterator[None]:
    """Leave when the block ends, with the code of its SystemExit, or with 0; other exceptions go their way."""
    code = 0
    try:
        yield
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    leave(code)
