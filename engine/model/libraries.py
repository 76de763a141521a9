"""The heavy libraries, brought in by one thread at a time.

transformers puts another module in its own place while it is imported. A second thread that imports it at that moment
is left with the unfinished one ("cannot import name 'AutoModel' from 'transformers'"). The page's warm-up, the count of
tokens and a run may all be the first, so each comes through here.
"""

import threading

_importing = threading.Lock()


def import_all() -> None:
    """Import what training and chat need: seconds for the first, nothing later; whoever comes meanwhile waits."""
    with _importing:
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
