"""The quality report that people read: what is in the data set, what is odd about it, and a verdict in words.

Works on facts and a few excerpts. Every finding is a sentence; nothing here changes the data set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from statistics import median
from typing import Any, Literal

from engine.tickets.conversation import excerpt, is_learnt_answer
from engine.tickets.facts import Facts
from engine.tickets.languages import UNKNOWN

Level = Literal["good", "fair", "poor"]
FEWEST = 50
"""Fewer conversations than this teach hardly anything."""
PLENTY = 200
NEAR_IDENTICAL = 0.3
SHORT_ANSWER = 40
"""Characters; a median below this means that most answers are one-liners."""
EDGES = (0, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800)
"""Lower edges of the histograms, in characters; the last bin is open."""
UNLIKE = 0.15
"""Answers that share less than this of their word triples say something else."""
SHOWN = 10

# Words of many subjects that are nobody's topic.
_FILLERS = frozenset(
    (
        *(
            "with",
            "from",
            "this",
            "that",
            "have",
            "your",
            "about",
            "does",
            "what",
            "when",
            "where",
            "which",
            "will",
            "would",
        ),
        *(
            "could",
            "cannot",
            "there",
            "their",
            "after",
            "into",
            "please",
            "help",
            "need",
            "problem",
            "issue",
            "question",
        ),
        *(
            "support",
            "thanks",
            "hello",
            "dear",
            "ticket",
            "frage",
            "hilfe",
            "bitte",
            "nicht",
            "kein",
            "keine",
            "eine",
            "einen",
        ),
        *(
            "mein",
            "meine",
            "nach",
            "auch",
            "pour",
            "avec",
            "dans",
            "vous",
            "plus",
            "bonjour",
            "sans",
            "mais",
            "para",
            "como",
        ),
        *("sobre", "hola", "esta", "gracias", "problema", "non", "con", "per", "una", "sono", "della"),
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the data set."""

    level: Level
    text: str


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
    """``{"answer", "times"}``, the most frequent first."""
    contradictions: list[dict[str, Any]] = field(default_factory=list)
    """``{"question", "tickets", "answers"}``: the same question, answered differently."""


def assess(
    facts: Sequence[Facts],
    canned: Sequence[tuple[int, int]],
    topics: Counter[str],
    conversation: Callable[[int], dict[str, Any]],
    heldout: int,
) -> dict[str, Any]:
    """Judge the conversations of a data set.

    Args:
        facts: One a conversation.
        canned: (number, times) of answers that occur more than once.
        topics: Words of the subjects.
        conversation: Reads a conversation by its number; called a few dozen times.
        heldout: How many are held out.

    Returns:
        :class:`Quality` as plain values.
    """
    tags = Counter(tag for entry in facts for tag in set(entry.tags))
    tagged = sum(bool(entry.tags) for entry in facts) >= len(facts) * 0.3
    answers = [chars for entry in facts for chars in entry.answer_chars]
    repeated = sum(times for _, times in canned)
    odd = _contradictions(facts, conversation)
    languages = Counter(entry.language for entry in facts)
    findings = list(_findings(facts, answers, repeated, odd, languages, heldout))
    verdict: Level = min((finding.level for finding in findings), key=("poor", "fair", "good").index, default="good")
    return asdict(
        Quality(
            verdict=verdict,
            headline=_headline(verdict, len(facts), findings),
            findings=[asdict(finding) for finding in findings],
            topics=[list(pair) for pair in tags.most_common(SHOWN * 2)] if tagged else _word_topics(topics, len(facts)),
            topics_from="tags" if tagged else "words",
            answer_histogram=_histogram(answers),
            question_histogram=_histogram([entry.question_chars for entry in facts]),
            edges=list(EDGES),
            turns={str(turns): count for turns, count in sorted(Counter(entry.turns for entry in facts).items())[:20]},
            near_identical_share=round(repeated / max(len(facts), 1), 3),
            canned=[_canned(conversation(number), times) for number, times in canned[:SHOWN]],
            contradictions=odd,
        )
    )


def _word_topics(topics: Counter[str], count: int) -> list[list[Any]]:
    """Return the words of subjects that are on few enough tickets to tell them apart."""
    telling = (
        [word, times] for word, times in topics.most_common(200) if word not in _FILLERS and 1 < times <= count * 0.6
    )
    return list(islice(telling, SHOWN * 2))


def _histogram(lengths: Sequence[int]) -> list[int]:
    bins = Counter(bisect_right(EDGES, length) - 1 for length in lengths)
    return [bins[index] for index in range(len(EDGES))]


def _canned(entry: dict[str, Any], times: int) -> dict[str, Any]:
    answer = next(message["content"] for message in entry["messages"] if is_learnt_answer(message))
    return {"answer": excerpt(answer), "times": times}


def _contradictions(facts: Sequence[Facts], conversation: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Find questions that are equal word for word and whose answers have nothing in common."""
    asked: dict[bytes, list[int]] = defaultdict(list)
    for index, entry in enumerate(facts):
        if entry.question_chars >= 20 and entry.answer_sketch:
            asked[entry.question_key].append(index)
    found: list[dict[str, Any]] = []
    for members in asked.values():
        if len(members) < 2:
            continue
        first = members[0]
        other = next((index for index in members[1:] if _shared(facts[first], facts[index]) < UNLIKE), None)
        if other is None:
            continue
        one, two = conversation(first), conversation(other)
        answers = [
            message["content"] for entry in (one, two) for message in entry["messages"] if is_learnt_answer(message)
        ]
        asked_for = next(message["content"] for message in one["messages"] if message["role"] == "user")
        found.append(
            {
                "question": excerpt(asked_for),
                "tickets": [one["ticket"], two["ticket"]],
                "answers": [excerpt(answers[0]), excerpt(answers[-1])],
            }
        )
        if len(found) >= SHOWN * 2:
            break
    return found


def _shared(one: Facts, other: Facts) -> float:
    """Estimate the share of word triples that two answers have in common, 0 to 1."""
    pairs = [
        (one.answer_sketch[at : at + 4], other.answer_sketch[at : at + 4]) for at in range(0, len(one.answer_sketch), 4)
    ]
    return sum(mine == theirs for mine, theirs in pairs) / max(len(pairs), 1)


def _findings(
    facts: Sequence[Facts],
    answers: Sequence[int],
    repeated: int,
    odd: Sequence[dict[str, Any]],
    languages: Counter[str],
    heldout: int,
) -> list[Finding]:
    count = len(facts)
    found: list[Finding] = []
    if count < FEWEST:
        found.append(Finding("poor", f"Too few to train: {count}; at least {FEWEST} are wanted."))
    elif count < PLENTY:
        found.append(
            Finding("fair", f"{count} conversations are enough for a first try; {PLENTY} or more teach better.")
        )
    else:
        found.append(Finding("good", f"{count:,} conversations are enough to learn from."))
    middle = int(median(answers)) if answers else 0
    if middle < SHORT_ANSWER:
        found.append(
            Finding("fair", f"Half of the answers are shorter than {middle} characters: it will learn to be terse.")
        )
    if count and repeated / count > NEAR_IDENTICAL:
        share = round(100 * repeated / count)
        found.append(
            Finding("fair", f"{share} % of the answers are copies of each other: it will learn these by heart.")
        )
    if odd:
        text = "question is" if len(odd) == 1 else "questions are"
        found.append(Finding("fair", f"{len(odd)} {text} asked word for word again and answered differently."))
    known = [
        (language, times)
        for language, times in languages.most_common()
        if language != UNKNOWN and times >= count * 0.05
    ]
    if len(known) > 1:
        listed = ", ".join(f"{language} {round(100 * times / count)} %" for language, times in known)
        found.append(Finding("good", f"Several languages: {listed}."))
    if not heldout and count > 1:
        found.append(
            Finding("fair", "Nothing is held out, so nothing can be measured on tickets that it has not seen.")
        )
    return found


def _headline(verdict: Level, count: int, findings: Sequence[Finding]) -> str:
    if verdict == "good":
        return f"Ready to train: {count:,} conversations, and nothing stands out."
    worst = next(finding.text for finding in findings if finding.level == verdict)
    return f"Usable, with one thing to know: {worst}" if verdict == "fair" else f"Not ready: {worst}"
