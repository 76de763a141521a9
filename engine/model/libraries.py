"""The heavy libraries, brought in by one thread at a time.

transformers puts another module in its own place while it is imported. A second thread that imports it at that moment
is left with the unfinished one ("cannot import name 'AutoModel' from 'transformers'"). The page's warm-up, the count of
tokens and a run may all be the first, so each comes through here.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_importing = threading.Lock()
_loading = threading.Lock()


def import_all() -> None:
    """Import what training and chat need: seconds for the first, nothing later; whoever comes meanwhile waits."""
    with _importing:
        _hush()
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Load a model while nobody else does.

    While transformers makes a model, torch's default number type is that model's, for all threads; two that begin and
    end crosswise would leave it changed for good. Whoever computes meanwhile names the type of each tensor
    (tests/engine/test_number_types.py).
    """
    with _loading:
        yield


def _hush() -> None:
    """Let bitsandbytes not tell of a failure that is none.

    On processors with AVX512-BF16 it looks for a kernel of the package ``kernels``, which this program neither needs
    nor could train with (see :func:`engine.model.loading.made_ready`), and prints 'Failed to load' where it is missing.
    """
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
