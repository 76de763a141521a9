"""ContinuousBatch: many questions through one batch, whose free places are taken by whoever waits.

Each row is a prompt and the adapter that answers it (or the base), with its own settings and its own chance. What a row
says depends neither on who is answered beside it nor on when it joined. The module knows token ids, not texts.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch

from engine.chat.batch import Batch, DecodingBatch, most_recorded, most_rows
from engine.chat.prefill import Row
from engine.chat.records import Sampling, StoppedBy, TokenChance
from engine.chat.sampling import RowSampler, chances, pick
from engine.chat.thought import ThoughtLimit
from engine.errors import ModelError
from engine.hardware import release_unused
from engine.model.device_errors import is_out_of_memory, without_frames

if TYPE_CHECKING:
    from engine.chat.adapters import AdapterBank
    from engine.chat.cuda_graphs.captured_step import CapturedStep

log = logging.getLogger(__name__)


TOGETHER = 8
"""Prompts that are read in one pass, of questions that nobody waits for one by one. 64 questions of 200 tokens to two
voices of a 7B on an H200, answered by 24 to 96 tokens: 521 tokens/s where each was read as soon as a place was free."""
PLACES_FREE = 8
"""Or as many as fill one place in eight: a pass keeps all who are answered waiting."""


@dataclass(frozen=True, slots=True)
class RowState:
    """How far a row is."""

    tokens: tuple[int, ...]
    """The answer so far, without the token that ended it."""
    done: bool = False
    stopped_by: StoppedBy | None = None
    """None while it is being written."""
    chances: tuple[TokenChance, ...] = ()
    """One a token, where the settings ask for them."""


@dataclass(eq=False, slots=True)
class Request:
    """A row that waits for its answer, or is getting it."""

    row: Row
    sampling: Sampling
    stop_ids: Collection[int]
    """Tokens that end the answer."""
    talks_on: bool = False
    """Whether somebody waits who is likely to go on: it is answered before those that are not, and what was read is
    kept for the next turn."""
    thought: ThoughtLimit | None = None
    """How long it may think before it answers; None where it does not."""
    watch: Callable[[torch.Tensor], None] | None = None
    """Shown the scores from which each token is chosen, shape (vocabulary,); the next step may overwrite them."""
    state: RowState = RowState(())
    error: Exception | None = None
    """What made an answer impossible."""
    dropped: bool = False
    """Whether nobody wants it any more; may be set by any thread at any time."""
    sampler: RowSampler = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = RowSampler(self.sampling, self.row.prompt)

    @property
    def is_open(self) -> bool:
        """Whether the answer is to go on."""
        return not (self.state.done or self.dropped or self.error)

    @property
    def told(self) -> RowState:
        """The state as whoever asked is told: what is dropped has ended."""
        state = self.state
        return replace(state, done=True, stopped_by="cancelled") if self.dropped and not state.done else state

    @property
    def longest(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        thought = self.thought.longest if self.thought else 0
        return len(self.row.prompt) + thought + self.sampling.max_new_tokens

    @property
    def unread(self) -> Row:
        """The prompt and what has been answered already, for a batch that knows nothing of it."""
        return Row((*self.row.prompt, *self.state.tokens), self.row.adapter)

    def choose(self, token: int | None) -> int | None:
        """Return the token that is written where the model has chosen this one: a thought may be over."""
        forced = self.thought.forced(self.state.tokens) if self.thought and token is not None else None
        return token if forced is None else forced

    def say(self, token: int | None, chance: TokenChance | None = None) -> None:
        """Add a token to the answer, or end it; None is that the model has none."""
        if token is None:
            self.error = ModelError(
                "The model's arithmetic overflowed, so it has no answer.",
                "Set the compute type to bfloat16 or float32 in the recipe.",
            )
        elif token in self.stop_ids:
            self.state = replace(self.state, done=True, stopped_by="end")
        else:
            tokens = (*self.state.tokens, token)
            answered = self.thought.answered(tokens) if self.thought else len(tokens)
            ends = answered >= self.sampling.max_new_tokens
            told = self.state.chances if chance is None else (*self.state.chances, chance)
            self.state = RowState(tokens, ends, "length" if ends else None, told)


class ContinuousBatch:
    """Requests that are answered together; one that has ended makes room for the next.

    When memory runs out, those that were answered together are answered half of them at a time; what they have said
    stays. A request that runs out of memory alone fails, and nobody else does.

    Args:
        bank: The base and its adapters.
        pad_id: Fills what is shorter than the rest.
        rows: The most rows at a time; None is what memory has room for.
    """

    def __init__(self, bank: "AdapterBank", pad_id: int, rows: int | None = None) -> None:
        self._bank, self._pad_id, self._rows = bank, pad_id, rows
        self._waiting: list[Request] = []
        self._joining: list[Request] = []
        self._open: list[Request] = []
        self._most = 0
        """The most rows of the batch that is open."""
        self._halved: int | None = None
        """The same, since memory has run out."""
        self._refused: Request | None = None
        """First in the line, when more places were last looked for."""
        self._batch: Batch | None = None
        self._recorded: CapturedStep | None = None
        self._scores: torch.Tensor | None = None
        """Of the step after the last token, where it was begun ahead; a row each of ``_open``."""

    def add(self, requests: Sequence[Request]) -> None:
        """Let requests wait for their place; those that somebody waits for before the others."""
        self._waiting = sorted([*self._waiting, *requests], key=lambda request: not request.talks_on)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nobody is answered."""
        return not (self._waiting or self._open)

    @property
    def has_ended(self) -> bool:
        """Whether a request that has ended is still here."""
        return not all(request.is_open for request in (*self._waiting, *self._open))

    def advance(self) -> bool:
        """Write one token of every answer that has a place, once those who wait have taken what is free.

        Returns:
            Whether there is more to do.
        """
        try:
            self._advance()
        except Exception as error:
            self._recover(error)
        return not self.is_idle

    def clear(self) -> None:
        """Take the rows out that have ended."""
        self._waiting = [request for request in self._waiting if request.is_open]
        ended = [place for place, request in enumerate(self._open) if not request.is_open]
        if not ended:
            return
        left = [place for place in range(len(self._open)) if place not in ended]
        if self._batch is not None:
            self._batch.remove(ended, [place for place in ended if self._open[place].talks_on])
        self._scores = self._scores[left] if self._scores is not None else None
        self._open = [self._open[place] for place in left]
        if not left:
            self._leave()

    def _advance(self) -> None:
        self.clear()
        scores = [self._step()] if self._open else []
        self._admit()
        if self._joining:
            assert self._batch is not None
            scores = scores if self._open else []  # all have moved
            scores.append(self._batch.prefill([request.unread for request in self._joining]))
            self._open, self._joining = self._open + self._joining, []
        if not self._open:
            return
        together, samplers = torch.cat(scores), [request.sampler for request in self._open]
        for place, request in enumerate(self._open):
            if request.watch is not None:
                request.watch(together[place])
        chosen = pick(together, samplers)
        tokens = [request.choose(token) for request, token in zip(self._open, chosen, strict=True)]
        for request, token, chance in zip(self._open, tokens, chances(together, tokens, samplers), strict=True):
            request.say(token, chance)
        self.clear()
        if self._open and self._batch is not None and self._batch.is_recorded:
            self._scores = self._step()  # a recorded step runs on while the words of this one are written

    def _step(self) -> torch.Tensor:
        if self._scores is not None:
            scores, self._scores = self._scores, None
            return scores
        assert self._batch is not None
        return self._batch.step([request.state.tokens[-1] for request in self._open])

    def _admit(self) -> None:
        """Let those join from the line for whom there is room; open a batch where there is none."""
        if self._waiting and self._batch is None:
            self._open_batch()
        self._take_places()
        if self._is_worth_a_pass():
            if self._waiting and self._open and not self._joining and self._may_grow():
                self._grow()
        else:
            self._waiting, self._joining = [*self._joining, *self._waiting], []

    def _is_worth_a_pass(self) -> bool:
        """Whether those who may join are to join now, and not with others as soon as more places are free.

        On a GPU a pass over one prompt takes as long as over several, and all who are answered wait for it.
        """
        together = max(TOGETHER, self._most // PLACES_FREE)
        few = 0 < len(self._joining) < min(together, len(self._joining) + len(self._waiting))
        recorded = self._batch is not None and self._batch.is_recorded
        return not (few and recorded and self._open and not any(request.talks_on for request in self._joining))

    def _take_places(self) -> None:
        while self._waiting and self._batch is not None:
            first = self._waiting[0]
            if self._joining and self._joining[0].talks_on and not first.talks_on:
                break  # who talks does not wait until the prompts of all others are read
            if not self._batch.room(first.row, first.longest, len(self._joining)):
                break
            self._joining.append(self._waiting.pop(0))

    def _open_batch(self) -> None:
        longest = max(request.longest for request in self._waiting)
        least = most_rows(self._bank, longest)
        most = self._rows or max(least, most_recorded(self._bank, longest))
        self._most = min(most, self._halved or most)
        while (recorded := self._bank.recordings.acquire(self._first_adapters(), longest)) is None:
            if self._most <= least:
                break
            self._most = max(least, self._most // 2)
        if recorded is None:
            self._batch = DecodingBatch(self._bank, self._pad_id, self._most)
        else:
            self._record(recorded)

    def _first_adapters(self) -> list[str | None]:
        return [request.row.adapter for request in (*self._open, *self._waiting)][: self._most]

    def _record(self, recorded: "CapturedStep") -> None:
        from engine.chat.cuda_graphs.recorded_batch import RecordedBatch

        self._recorded = recorded
        self._batch = RecordedBatch(self._bank, self._pad_id, recorded)

    def _may_grow(self) -> bool:
        """Whether a recording with more places may do for who is first in the line; looked at once for each."""
        first = self._waiting[0]
        if not self._recorded or first is self._refused or len(self._open) >= self._most:
            return False
        self._refused = first
        return self._bank.recordings.weights(first.row.adapter) is not None

    def _grow(self) -> None:
        """Move all rows into a recording with a place for those who wait, where there is one to be had."""
        longest = max(request.longest for request in (*self._open, *self._waiting))
        recorded = self._bank.recordings.acquire(self._first_adapters(), longest)
        if recorded is None or self._batch is None:
            return
        everybody = list(range(len(self._open)))
        self._batch.remove(everybody, everybody)
        self._joining, self._open = self._open, []
        self._leave()
        self._record(recorded)
        self._take_places()

    def _leave(self) -> None:
        self._batch, self._scores = None, None
        if not self._waiting:
            self._halved = None
        if self._recorded is not None:
            recorded, self._recorded = self._recorded, None
            self._bank.recordings.release(recorded)

    def _recover(self, error: Exception) -> None:
        """Go on after memory has run out, with fewer rows at a time; let all fail whom another error has hit."""
        hit = [request for request in self._open + self._joining if request.is_open] or self._waiting
        log.warning("a step of %d answers failed", len(hit), exc_info=error)
        without_frames(error)  # they hold the failed step's memory
        self._waiting = [request for request in self._waiting if request not in hit]
        self._open, self._joining = [], []
        self._leave()
        if is_out_of_memory(error) and len(hit) > 1:
            self._halved = max(1, min(len(hit), self._most) // 2)
            self._waiting = hit + self._waiting
        else:
            for request in hit:
                request.error = error
        self._bank.make_room()
        release_unused()
