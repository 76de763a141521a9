"""Question -> the nearest tickets, with a score between 0 and 1.

BM25 finds candidates. Of the first :data:`CANDIDATES` the one whose answer the others' answers agree with comes first:
support says the same thing many times, and what several near tickets were answered with is more often right than what
the one with the most words in common was (on the sample shop, each ticket against all others: 107 of 163 first ones
hold the fact, 88 by BM25 alone). The others follow in BM25's order, which finds the fact more often among three.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.tickets.conversation import is_learnt_answer
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.lookup.index import TicketIndex
from engine.tickets.lookup.question import UNKNOWN, Question
from engine.tickets.lookup.words import words_of
from engine.tickets.preparing.duplicates import SIMILAR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAREST = 3
"""Tickets that are looked up."""
CANDIDATES = 20
AGREEMENT = 0.5
"""How much the agreement of another candidate's answer counts beside a ticket's own score."""
EVERYWHERE = 0.5
"""A word that more than this share of the tickets has tells none of them apart."""
_FEW = 10
"""In fewer tickets than this, a word that half of them have may still tell something."""


@dataclass(frozen=True, slots=True)
class Near:
    """A ticket that was found."""

    row: int
    score: float
    """How near it is, 0 to 1; see :func:`nearness`."""
    entry: StoredConversation


@dataclass(frozen=True, slots=True)
class _Query:
    """A question's words that tell tickets apart."""

    words: Mapping[str, float]
    """Word -> what it tells."""
    numbers: Sequence[int]
    """Of those that the index has."""


def nearest(index: TicketIndex, question: Question, count: int = NEAREST) -> list[Near]:
    """Return the nearest tickets, the nearest first, whatever their score.

    Args:
        index: The tickets.
        question: Who asks; neither its own ticket nor one that is nearly the same, nor one of the same customer is
            found.
        count: How many at most.

    Raises:
        OutdatedError: The conversations have changed since the index was opened.
    """
    query = _query(index, question)
    if not query.numbers:
        return []
    scores = index.scores.get_scores_from_ids(list(query.numbers))
    rows = _allowed(index, question, scores, max(count, CANDIDATES))
    candidates = [(float(scores[row]), row, entry) for row, entry in zip(rows, index.entries(rows), strict=True)]
    first = _agreed(index, candidates)
    if first is None:
        return []
    order = [first, *(one for one in candidates if one is not first)][:count]
    return [Near(row, nearness(index, query.words, score, entry), entry) for score, row, entry in order]


def nearness(index: TicketIndex, words: Mapping[str, float], score: float, entry: StoredConversation) -> float:
    """Return how near a ticket is to a question, 0 to 1, so that tickets of different questions can be compared.

    x is the share of what the question's words tell that the ticket has (its BM25 score, divided by the most that one
    could reach), times the number of those words that it has; the result is x / (1 + x). A share alone is high for a
    question of one word, a BM25 score alone for a long one. Against questions from another shop and about anything,
    the area under the curve is 0.95 on the sample shop, 0.98 on 360 real tickets (share 0.94, 0.60; score 0.71, 0.98).
    """
    spoken = set(words_of((message.content for message in entry.messages), index.stop))
    x = score / sum(words.values()) * sum(word in spoken for word in words)
    return x / (1 + x)


def near_enough(index: TicketIndex, question: Question, count: int = NEAREST) -> tuple[list[Near], float]:
    """Return the nearest tickets where the best of them reaches the index's threshold, and its score.

    The others come along below it: among three the right one is found more often.
    """
    ranked = nearest(index, question, count)
    best = max((near.score for near in ranked), default=0.0)
    return (ranked if best >= index.threshold else []), best


def _query(index: TicketIndex, question: Question) -> _Query:
    retriever, tickets = index.scores, len(index)
    ends = retriever.scores["indptr"]
    words, numbers = dict[str, float](), list[int]()
    for word in dict.fromkeys(words_of(question.texts, index.stop)):
        number = retriever.vocab_dict.get(word)
        holders = 0 if number is None else int(ends[number + 1] - ends[number])
        if holders > EVERYWHERE * tickets and tickets >= _FEW:
            continue
        words[word] = weight(tickets, holders)
        if number is not None:
            numbers.append(number)
    return _Query(words, numbers)


def weight(tickets: int, holders: int) -> float:
    """Return what a word tells (Lucene's inverse document frequency): the most that a ticket can score by it."""
    return math.log(1 + (tickets - holders + 0.5) / (holders + 0.5))


def _allowed(index: TicketIndex, question: Question, scores: NDArray[np.float32], count: int) -> list[int]:
    """Return the rows with the best scores that may be found, the best first; of equals the later, which is newer."""
    import numpy as np

    scored = np.flatnonzero(scores > 0)
    scores = scores.copy()
    scores[scored[_own(index, question, scored)]] = 0
    count = min(count, len(scores))
    top = np.argpartition(-scores, count - 1)[:count]
    least = scores[top].min()
    if least > 0:  # argpartition chooses among equal scores as it likes
        top = np.flatnonzero(scores >= least)
    order = np.lexsort((-top, -scores[top]))
    return [int(row) for row in top[order][:count] if scores[row] > 0]


def is_own(index: TicketIndex, question: Question, row: int) -> bool:
    """Say whether a ticket must not be found by a question: its own, one nearly the same, or one of its customer."""
    import numpy as np

    return bool(_own(index, question, np.array([row]))[0])


def _own(index: TicketIndex, question: Question, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of some rows must not be found."""
    import numpy as np

    columns = index.columns
    own = np.zeros(len(rows), dtype=bool)
    if question.key:
        own |= columns.keys[rows] == np.uint64(question.key)
    if question.customer != UNKNOWN:
        own |= columns.customers[rows] == question.customer
    if question.sketch:
        own |= _alike(columns.sketches, rows, np.frombuffer(question.sketch, dtype=np.uint32))
    return own


def _alike(sketches: NDArray[np.uint32], rows: NDArray[np.intp], mine: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return which rows share :data:`SIMILAR` of their word triples with a text; few are looked at as a whole.

    Of 64 equal-or-not entries at least 45 must be equal, so that 20 entries hold an equal one in any case.
    """
    import numpy as np

    needed = math.ceil(SIMILAR * len(mine))
    looked_at = len(mine) - needed + 1
    some = (sketches[rows, :looked_at] == mine[:looked_at]).any(axis=1)
    alike = np.zeros(len(rows), dtype=bool)
    alike[some] = (sketches[rows[some]] == mine).mean(axis=1) >= SIMILAR
    return alike


_Candidate = tuple[float, int, StoredConversation]
"""BM25 score, row, ticket."""


def _agreed(index: TicketIndex, candidates: Sequence[_Candidate]) -> _Candidate | None:
    """Return the candidate whose answer the answers of the others support the most."""
    if not candidates:
        return None
    answers = [answer_vector(index, entry) for _, _, entry in candidates]
    together: defaultdict[str, float] = defaultdict(float)
    for (score, _, _), answer in zip(candidates, answers, strict=True):
        for word, value in answer.items():
            together[word] += score * value

    def support(number: int) -> float:
        score = candidates[number][0]
        others = sum(value * together[word] for word, value in answers[number].items()) - score
        return score + AGREEMENT * others

    return candidates[max(range(len(candidates)), key=lambda number: (support(number), -number))]


def answer_vector(index: TicketIndex, entry: StoredConversation) -> dict[str, float]:
    """Return the words of a ticket's answers, weighted by what they tell; of length 1."""
    weights = weights_of(index, answers_of(entry))
    length = math.sqrt(sum(value * value for value in weights.values())) or 1.0
    return {word: value / length for word, value in weights.items()}


def answers_of(entry: StoredConversation) -> list[str]:
    """Return what the agents wrote in a conversation."""
    return [message.content for message in entry.messages if is_learnt_answer(message)]


def weights_of(index: TicketIndex, texts: Sequence[str]) -> dict[str, float]:
    """Return the words of texts with what each tells, in the tickets of the index."""
    tickets, ends, numbers = len(index), index.scores.scores["indptr"], index.scores.vocab_dict
    weights: dict[str, float] = {}
    for word in words_of(texts, index.stop):
        if word not in weights:
            number = numbers.get(word)
            weights[word] = weight(tickets, 0 if number is None else int(ends[number + 1] - ends[number]))
    return weights
