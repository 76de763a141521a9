"""Whether a question is of a kind that the training side has answers to: its coverage, 0 to 1.

Of the nearest tickets, those count whose questions share runs of letters with this one (so that 'paying' is near
'paid'), and among them those whose answers agree: where support has answered such questions, it has answered them
alike; around what nobody asked before, the nearest tickets are about anything. With s the nearness of questions and A
the likeness of answers, a question's support is the sum of s_i s_j A_ij over all pairs of the sixteen nearest.

What a support means depends on the shop. So it is told as the share of the training side's own tickets, each against
all others, that have less: a question with a coverage below 0.05 is stranger than 95 of 100 that were learnt.

    coverage.npz    in the data set's folder, made when first asked for; numbers alone; mode 0600

Whole topics of the sample shop held out (tests/benchmarks/bench_coverage.py): the area under the curve is 0.79
(0.62 for repairs, which are asked for in the words of warranties, to 0.88); that of the look-up's own score is 0.68.
The starter's hidden states, whatever the layer and the whitening, reach 0.74 alone, and put together with this 0.80,
which is not worth a second index that is tied to a base (benchmarks/LOG.md). How like a ticket's real answer is to the
answers that were learnt, which nobody knows who asks, would reach 0.93: the shop's topics share their words.
A question takes 10 ms of a core (sample shop).
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING
from zlib import crc32

from engine.tickets.dataset.files import COVERAGE, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations
from engine.tickets.lookup.index import TicketIndex
from engine.tickets.lookup.question import Question, customers_in, of_ticket
from engine.tickets.lookup.ranking import answer_vector, nearest
from engine.workspace import write_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEIGHBOURS = 16
CANDIDATES = 60
"""Tickets that the look-up finds, of which the neighbours are the nearest by letters."""
GRAMS = (4, 5)
"""Letters of the runs by which words are compared."""
BUCKETS = 1 << 17
"""Runs are counted by a hash; a shop's have a bucket of their own, nearly always."""
MOST = 200
"""Tickets of the training side, evenly spread, whose supports a coverage is told by; each costs a look-up."""
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")
_WORD = re.compile(r"[^\W\d_]{3,}")

_Vector = Mapping[str, float]


class Coverage:
    """What is known of a training side.

    Args:
        index: Its look-up.
        holders: How many of its tickets hold the runs of each bucket; shape (BUCKETS,).
        supports: Of tickets of its own, each against all others, ascending.
    """

    def __init__(self, index: TicketIndex, holders: NDArray[np.int32], supports: Sequence[float]) -> None:
        self.index = index
        self._holders = holders
        self.supports = tuple(supports)

    def of(self, question: Question) -> float:
        """Return the coverage of a question, 0 to 1.

        Raises:
            OutdatedError: The conversations have changed since the index was opened.
        """
        return bisect_left(self.supports, self.support(question)) / len(self.supports) if self.supports else 1.0

    def support(self, question: Question) -> float:
        """Return how well near tickets that agree support an answer; 0 where nothing is near.

        Raises:
            OutdatedError: As for :meth:`of`.
        """
        asked = self._letters(question.texts)
        found = [
            (_likeness(asked, self._letters(_questions(near.entry))), near.row, near.entry)
            for near in nearest(self.index, question, CANDIDATES)
        ]
        together: defaultdict[str, float] = defaultdict(float)
        alone = 0.0
        for likeness, _, entry in sorted(found, key=lambda one: (-one[0], one[1]))[:NEIGHBOURS]:
            for word, value in answer_vector(self.index, entry).items():
                together[word] += likeness * value
            alone += likeness * likeness
        return max(0.0, sum(value * value for value in together.values()) - alone)

    def save(self) -> None:
        """Write it beside the conversations.

        Raises:
            ResourceError: The disk is full or cannot be written.
        """
        import numpy as np

        packed = BytesIO()
        supports, stamp = np.array(self.supports, dtype=np.float64), np.array(self.index.stamp, dtype=np.int64)
        np.savez_compressed(packed, holders=self._holders, supports=supports, stamp=stamp)
        write_atomically(self.index.folder / COVERAGE, packed.getvalue())

    def _letters(self, texts: Sequence[str]) -> _Vector:
        """Return the runs of letters of texts, weighted by what each tells; of length 1."""
        tickets, found = len(self.index), dict[str, float]()
        for run, times in Counter(runs_of(texts)).items():
            told = math.log((tickets + 1) / (int(self._holders[_bucket(run)]) + 0.5))
            found[run] = (1 + math.log(times)) * max(0.0, told)
        length = math.sqrt(sum(value * value for value in found.values())) or 1.0
        return {run: value / length for run, value in found.items()}


def coverage_of(index: TicketIndex) -> Coverage:
    """Return the coverage of a training side; made and kept beside it where it is not there, or of another state.

    Raises:
        OutdatedError: The conversations have changed since the index was opened.
        StudioError: They are damaged, or the disk is full.
    """
    import numpy as np

    try:
        with np.load(index.folder / COVERAGE) as kept:
            if tuple(kept["stamp"].tolist()) == index.stamp and kept["holders"].shape == (BUCKETS,):
                return Coverage(index, kept["holders"], kept["supports"].tolist())
    except (OSError, ValueError, KeyError, EOFError):
        pass
    made = _made(index)
    made.save()
    return made


def _made(index: TicketIndex) -> Coverage:
    import numpy as np

    rows, customers = list(conversations(index.folder / TRAIN)), customers_in(index.folder)
    holders = np.zeros(BUCKETS, dtype=np.int32)
    for row in rows:
        holders[list({_bucket(run) for run in runs_of(_questions(row))})] += 1
    chosen = rows if len(rows) <= MOST else [rows[number * len(rows) // MOST] for number in range(MOST)]
    bare = Coverage(index, holders, ())
    return Coverage(index, holders, sorted(bare.support(of_ticket(row, customers)) for row in chosen))


def runs_of(texts: Iterable[str]) -> Iterator[str]:
    """Yield the runs of letters of texts, those at the edge of a word with its edge."""
    for text in texts:
        for word in _WORD.findall(_PLACEHOLDER.sub(" ", text).casefold()):
            edged = f"<{word}>"
            for size in GRAMS:
                yield from (edged[start : start + size] for start in range(max(1, len(edged) - size + 1)))


def _questions(entry: StoredConversation) -> list[str]:
    return [message.content for message in entry.messages if message.role == "user"]


def _bucket(run: str) -> int:
    return crc32(run.encode("utf-8", "replace")) % BUCKETS


def _likeness(one: _Vector, other: _Vector) -> float:
    """The cosine of two vectors of length 1."""
    return sum(value * other.get(run, 0.0) for run, value in one.items())
