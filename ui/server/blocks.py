"""WindowBlocks: Gradio's Blocks for a window that many people have open, for as long as the program runs.

What Gradio 6.31 does otherwise than such a window needs, and what is put in its place:

- Its slots for handlers (``concurrency_id``) are shared by all pages. Here a person's changes come one after the other,
  in the order of the clicks, and two people never wait for each other (:mod:`ui.state.turns`).
- For each output that a handler leaves as it is, it makes the component anew and keeps it: with the 80 outputs of a tab
  most of what a click cost. Here they are left alone.
- It keeps for each page that was ever opened a description of every component (1.1 MB), for links that this window does
  not offer. Here nothing of that is kept, and a closed page is forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from datetime import datetime
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import BlocksConfig
from gradio.state_holder import SessionState
from starlette.requests import Request
from starlette.responses import Response

from ui.server.unknown import Numbered
from ui.state.turns import Turns

WAITING = 400
"""Handlers of all people that may run or wait for their turn at once; Gradio's 40 would be full of one person's clicks.
Threads stay 40: who waits takes none."""

LOOK = 0.01
"""Seconds between two looks of Gradio's queue for something to do; its own is 0.001, which costs a run without a GPU a
twentieth of a core."""

PAGES = 1000
"""Pages that are remembered at most, should some never say that they were closed; the oldest go first."""

AWAY = 600.0
"""Seconds for which a closed page is remembered: a computer that wakes up, or finds its network again, goes on."""


class WindowBlocks(gr.Blocks):
    """The window.

    Args:
        away: Seconds for which a closed page is remembered.
        options: Passed on to Gradio.
    """

    def __init__(self, *, away: float = AWAY, **options: Any) -> None:
        super().__init__(**options)
        self.turns = Turns()
        self.live: Callable[[Request], Awaitable[Response]] | None = None
        """Answers what open pages ask every few seconds, past Gradio (ui/shell/live.py)."""
        self._away = away
        self.state_session_capacity = PAGES
        self.default_config = _Config(self)
        with self:
            self.unload(self._closed)

    def run_startup_events(self) -> None:
        """Begin to work through what is asked; no statistics are kept of it, which cost 2 ms of each event."""
        self._queue.max_thread_count = WAITING
        self._queue.ANALYTICS_MAX_EVENTS = 0
        self._queue.sleep_when_free = self._queue.progress_update_sleep_when_free = LOOK
        super().run_startup_events()  # type: ignore[no-untyped-call]

    async def process_api(
        self,
        block_fn: BlockFunction | int,
        inputs: list[Any],
        state: SessionState | None = None,
        *rest: Any,
        **options: Any,
    ) -> dict[str, Any]:
        """Call a handler when it is its turn; its selections (``gr.State``) are read and set within the turn."""
        called = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        session = options.get("session_hash")
        if state is not None and not _is_unload(called):
            state.is_closed = False
        async with self.turns.of(session, called.concurrency_id):
            return await super().process_api(called, inputs, state, *rest, **options)

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """Put what a handler returned into the form that the page takes, leaving alone what it leaves alone."""
        given = _given(block_fn, predictions)
        if given is None:
            return await super().postprocess_data(block_fn, predictions, state)
        made = copy(block_fn)
        made.outputs = [block_fn.outputs[index] for index in given]
        values = list(given.values())
        sent = await super().postprocess_data(made, values[0] if len(values) == 1 else values, state) if values else []
        told = [gr.skip() for _ in block_fn.outputs]
        for index, value in zip(given, sent, strict=True):
            told[index] = value
        return told

    def remembers(self, session: str, selection: gr.State) -> bool:
        """Say whether a page has a selection, which it has not when it was forgotten, or is new."""
        known = self.state_holder.session_data.get(session)
        return known is not None and known.state_data.get(selection._id) is not None

    async def _closed(self, request: gr.Request) -> None:
        if request.session_hash:
            asyncio.get_running_loop().call_later(self._away, self._look_after, request.session_hash)

    def _look_after(self, session: str) -> None:
        """Let go of all that is kept of a closed page, as soon as it has not been used for long enough."""
        holder, queue = self.state_holder, self._queue
        if session not in holder:
            return
        idle = (datetime.now() - holder.time_last_used[session]).total_seconds()
        if idle < self._away:
            asyncio.get_running_loop().call_later(self._away - idle, self._look_after, session)
            return
        holder.delete_state(session)
        for kept in (holder.session_data, holder.time_last_used, queue.pending_event_ids_session):
            kept.pop(session, None)
        if session in queue.pending_messages_per_session:
            del queue.pending_messages_per_session[session]


class _Config(BlocksConfig):
    """The window's components and handlers; its copies are those of a page."""

    def __init__(self, root_block: gr.Blocks) -> None:
        super().__init__(root_block)
        self.blocks, self.fns = Numbered(self.blocks), Numbered(self.fns)

    def __copy__(self) -> "_PageConfig":
        page = _PageConfig(self.root_block)
        page.blocks, page.fns = copy(self.blocks), self.fns
        page.fn_id, page.renderables = self.fn_id, self.renderables
        return page


class _PageConfig(BlocksConfig):
    """The components and handlers of a page, of which no description is kept."""

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict[str, Any]:
        """Return nothing: only Gradio's links to the state of a page would use it."""
        return {}


def _is_unload(called: BlockFunction) -> bool:
    return any(event == "unload" for _, event in called.targets)


def _given(block_fn: BlockFunction, predictions: Any) -> dict[int, Any] | None:
    """Number of an output -> what a handler returned for it; None where Gradio has to see the answer itself."""
    outputs = list(block_fn.outputs)
    if block_fn.batch or len(outputs) < 2:
        return None
    if predictions == gr.skip():
        return {}
    if isinstance(predictions, dict) and all(isinstance(part, gr.blocks.Block) for part in predictions):
        places = {output._id: number for number, output in enumerate(outputs)}
        if any(part._id not in places for part in predictions):
            return None
        numbered = {places[part._id]: value for part, value in predictions.items()}
    elif isinstance(predictions, list | tuple) and len(predictions) == len(outputs):
        numbered = dict(enumerate(predictions))
    else:
        return None
    return {number: value for number, value in sorted(numbered.items()) if value != gr.skip()}
