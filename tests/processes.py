"""Looks at other processes, which may end in the middle of the look."""

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Whether it computes no more; in a container nobody may ask how an orphan has ended, and it stays a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def children(words: str) -> list[psutil.Process]:
    """The processes that this one has started, or one of those, and whose command line has the words."""
    return [child for child in psutil.Process().children(recursive=True) if words in _command(child)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # of which a zombie is a kind
        return ""
