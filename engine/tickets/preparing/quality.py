"""The quality report that people read: what is in the data set, what is odd about it, and a verdict in words.

Works on facts and a few excerpts. Every finding is a sentence; nothing here changes the data set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from engine.tickets.conversation import excerpt, is_learnt_answer
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.findings import Held, Level, findings, headline
from engine.tickets.preparing.selecting import Canned
from engine.tickets.preparing.words import words

EDGES = (0, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800)
"""Lower edges of the histograms, in characters; the last bin is open."""
UNLIKE = 0.15
"""Answers that share less than this of their word triples say something else."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """The report; plain values, as ``report.json`` holds them."""

    verdict: Level
    headline: str
    findings: list[dict[str, str]] = field(default_factory=list)
    topics: list[list[Any]] = field(default_factory=list)
    """``[topic, conversations]``, the most frequent first."""
    topics_from: str = "tags"
    """``tags``, or ``words`` of the subjects where there are none."""
    answer_histogram: list[int] = field(default_factory=list)
    """Answers a bin of :data:`EDGES`."""
    question_histogram: list[int] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    turns: dict[str, int] = field(default_factory=dict)
    """Messages a conversation -> conversations."""
    near_identical_share: float = 0.0
    """Share of the conversations whose answer another one has as well, 0 to 1."""
    canned: list[dict[str, Any]] = field(default_factory=list)
    """``{"answer", "times", "kept"}``, the most frequent first: how often in the export, and how often here."""
    contradictions: list[dict[str, Any]] = field(default_factory=list)
    """``{"question", "tickets", "answers"}``: the same question, answered differently."""


def assess(
    facts: Sequence[Facts],
    canned: Sequence[Canned],
    topics: Counter[str],
    conversation: Callable[[int], StoredConversation],
    held: Held,
) -> dict[str, Any]:
    """Judge the conversations of a data set.

    Args:
        facts: One a conversation.
        canned: Answers that several conversations have, the most frequent first.
        topics: Words of the subjects.
        conversation: Reads a conversation by its number; called a few dozen times.
        held: What is held out.

    Returns:
        :class:`Quality` as plain values.
    """
    tags = Counter(tag for entry in facts for tag in dict.fromkeys(entry.tags))
    tagged = sum(bool(entry.tags) for entry in facts) >= len(facts) * 0.3
    answers = [chars for entry in facts for chars in entry.answer_chars]
    repeated = sum(entry.kept for entry in canned)
    odd = _contradictions(facts, conversation)
    judgements = findings(facts, canned, len(odd), held)
    return asdict(
        Quality(
            verdict=judgements[0].level,
            headline=headline(judgements, len(facts)),
            findings=[asdict(finding) for finding in judgements],
            topics=[list(pair) for pair in tags.most_common(SHOWN * 2)] if tagged else _word_topics(topics, len(facts)),
            topics_from="tags" if tagged else "words",
            answer_histogram=_histogram(answers),
            question_histogram=_histogram([entry.question_chars for entry in facts]),
            edges=list(EDGES),
            turns={str(turns): count for turns, count in sorted(Counter(entry.turns for entry in facts).items())[:20]},
            near_identical_share=round(repeated / max(len(facts), 1), 3),
            canned=[_canned(conversation(entry.number), entry) for entry in canned[:SHOWN]],
            contradictions=odd,
        )
    )


def _word_topics(topics: Counter[str], count: int) -> list[list[Any]]:
    """Return the words of subjects that are on few enough tickets to tell them apart."""
    fillers = words("topic_fillers")
    telling = (
        [word, times] for word, times in topics.most_common(200) if word not in fillers and 1 < times <= count * 0.6
    )
    return list(islice(telling, SHOWN * 2))


def _histogram(lengths: Sequence[int]) -> list[int]:
    bins = Counter(bisect_right(EDGES, length) - 1 for length in lengths)
    return [bins[index] for index in range(len(EDGES))]


def _canned(entry: StoredConversation, canned: Canned) -> dict[str, Any]:
    answer = next(message.content for message in entry.messages if is_learnt_answer(message))
    return {"answer": excerpt(answer), "times": canned.times, "kept": canned.kept}


def _contradictions(facts: Sequence[Facts], conversation: Callable[[int], StoredConversation]) -> list[dict[str, Any]]:
    """Find questions that are equal word for word and whose answers have nothing in common."""
    asked: dict[bytes, list[int]] = defaultdict(list)
    for index, entry in enumerate(facts):
        if entry.question_chars >= 20 and entry.answer_sketch:
            asked[entry.question_key].append(index)
    contradictions: list[dict[str, Any]] = []
    for members in asked.values():
        if len(members) < 2:
            continue
        first = members[0]
        other = next((index for index in members[1:] if _shared(facts[first], facts[index]) < UNLIKE), None)
        if other is None:
            continue
        one, two = conversation(first), conversation(other)
        answers = [message.content for entry in (one, two) for message in entry.messages if is_learnt_answer(message)]
        asked_for = next(message.content for message in one.messages if message.role == "user")
        contradictions.append(
            {
                "question": excerpt(asked_for),
                "tickets": [one.ticket, two.ticket],
                "answers": [excerpt(answers[0]), excerpt(answers[-1])],
            }
        )
        if len(contradictions) >= SHOWN * 2:
            break
    return contradictions


def _shared(one: Facts, other: Facts) -> float:
    """Estimate the share of word triples that two answers have in common, 0 to 1."""
    pairs = [
        (one.answer_sketch[at : at + 4], other.answer_sketch[at : at + 4]) for at in range(0, len(one.answer_sketch), 4)
    ]
    return sum(mine == theirs for mine, theirs in pairs) / max(len(pairs), 1)
