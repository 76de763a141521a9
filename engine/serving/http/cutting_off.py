"""A server that ends while somebody still asks, and says nothing of it."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn import Server

GRACE = 2
"""Seconds that an answer under way is given when its server ends."""


def run_until_told_to_end(server: "Server", sockets: Sequence[socket.socket] | None = None) -> None:
    """Run a server, whose log tells of faults alone: that an answer is cut off by its end is what was asked for.

    uvicorn tells of it twice, with the number of tasks that it cancels and with the traceback of each.

    Args:
        server: Not yet started.
        sockets: What it listens on; else what its configuration says.
    """

    def tells_of_a_fault(record: logging.LogRecord) -> bool:
        if not server.should_exit:
            return True
        raised = record.exc_info[1] if record.exc_info else None
        return not _was_cancelled(raised) and "graceful shutdown exceeded" not in str(record.msg)

    log = logging.getLogger("uvicorn.error")
    log.addFilter(tells_of_a_fault)
    try:
        server.run(sockets=list(sockets) if sockets else None)
    finally:
        log.removeFilter(tells_of_a_fault)


def _was_cancelled(raised: BaseException | None) -> bool:
    while raised is not None and not isinstance(raised, asyncio.CancelledError):
        raised = raised.__cause__ or raised.__context__
    return raised is not None
