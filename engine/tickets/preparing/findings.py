"""What is to be said about a data set before a model learns from it: sentences, the worst first, and one verdict.

Pure functions over facts; nothing here reads or changes a conversation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from engine.tickets.languages import UNKNOWN, language_name
from engine.tickets.preparing.facts import Facts
from engine.tickets.preparing.selecting import Canned

Level = Literal["good", "fair", "poor"]
LEVELS: tuple[Level, ...] = ("poor", "fair", "good")
"""The worst first."""
FEWEST = 50
"""Fewer conversations than this teach hardly anything."""
PLENTY = 200
NEAR_IDENTICAL = 0.3
LITTLE_ELSE = 0.8
"""Of a set with a larger share of copies nothing else is learnt."""
SHORT_ANSWER = 40
"""Characters; a median below this means that most answers are one-liners."""
MANY_THIN = 0.05
"""A larger share of answers of a word or two, or of links alone, is worth mending."""
MANY_SHARED = 0.2
"""A larger share of what is held out with a learnt answer makes the held-out loss say little."""
FEWEST_MARKED = 5
"""Subjects with a mark; fewer share it by chance."""
WORDS_THAT_TELL = 600
"""Of English answers; in fewer, pairs of neighbours are too rare to count."""
LEAST_PROSE = 0.003
"""Such pairs a word: 0.05 to 0.06 in real answers, below 0.001 in random words."""
LANGUAGES_NAMED = 5
RARE = 0.02
"""Languages of a smaller share are not named: one short message in fifty is taken for another language than it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the data set."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """What is held out."""

    count: int
    shared_answers: int
    """How many of them are answered as a conversation that is learnt."""


def findings(facts: Sequence[Facts], canned: Sequence[Canned], contradictions: int, held: Held) -> list[Finding]:
    """Return what there is to say, the worst first.

    Args:
        facts: One a kept conversation.
        canned: Answers that several conversations have.
        contradictions: Questions that are asked again word for word and answered otherwise.
        held: What is held out.
    """
    unsorted = [
        _enough(len(facts)),
        *_copies(len(facts), canned),
        *_short(facts),
        *_odd(contradictions),
        *_unfinished(facts),
        *_random(facts),
        *_measured(len(facts), held),
        *_languages(facts),
    ]
    return sorted(unsorted, key=lambda finding: LEVELS.index(finding.level))


def headline(ordered: Sequence[Finding], count: int) -> str:
    """Return the verdict in one sentence.

    Args:
        ordered: As from :func:`findings`.
        count: Kept conversations.
    """
    worst = ordered[0]
    if worst.level == "good":
        return f"Ready to train: {count:,} conversations, and nothing stands out."
    if worst.level == "poor":
        return f"Not ready: {worst.text}"
    things = sum(finding.level == "fair" for finding in ordered)
    return f"Usable, with {'one thing' if things == 1 else f'{things} things'} to know: {worst.text}"


def _enough(count: int) -> Finding:
    if count < FEWEST:
        return Finding("poor", f"Too few to train: {count}; at least {FEWEST} are wanted.")
    if count < PLENTY:
        return Finding("fair", f"{count} conversations are enough for a first try; {PLENTY} or more teach better.")
    return Finding("good", f"{count:,} conversations are enough to learn from.")


def _copies(count: int, canned: Sequence[Canned]) -> Iterator[Finding]:
    copies = sum(entry.kept for entry in canned)
    share = copies / max(count, 1)
    if share <= NEAR_IDENTICAL:
        return
    said = f"{round(100 * share)} % of the answers are copies of each other, {len(canned)} different ones in all"
    if share > LITTLE_ELSE:
        yield Finding("poor", f"{said}: it will learn these by heart, and little else.")
    else:
        yield Finding("fair", f"{said}: it will learn these by heart.")


def _short(facts: Sequence[Facts]) -> Iterator[Finding]:
    lengths = [chars for entry in facts for chars in entry.answer_chars]
    thin = sum(entry.thin_answers for entry in facts)
    if thin:
        share = thin / max(len(lengths), 1)
        answers = "1 answer is" if thin == 1 else f"{thin:,} answers are"
        yield Finding(
            "fair" if share > MANY_THIN else "good",
            f"{answers} a word or two, or a link alone, of which nothing is learnt but to be short.",
        )
    middle = int(median(lengths)) if lengths else 0
    if middle < SHORT_ANSWER:
        yield Finding("fair", f"Half of the answers are shorter than {middle} characters: it will learn to be terse.")


def _odd(contradictions: int) -> Iterator[Finding]:
    if contradictions:
        text = "question is" if contradictions == 1 else "questions are"
        yield Finding("fair", f"{contradictions} {text} asked word for word again and answered differently.")


def _unfinished(facts: Sequence[Facts]) -> Iterator[Finding]:
    """Name what no person wrote: places of templates, what an export put for pictures, marks of lists."""
    unfilled = [entry.unfilled for entry in facts if entry.unfilled]
    if unfilled:
        yield Finding(
            "fair" if len(unfilled) > MANY_THIN * len(facts) else "good",
            f"{_conversations(len(unfilled))} placeholders that nobody filled, such as {unfilled[0]}: it will learn to "
            "write them.",
        )
    leftovers = [entry.leftover for entry in facts if entry.leftover]
    if leftovers:
        yield Finding(
            "fair" if len(leftovers) > MANY_THIN * len(facts) else "good",
            f"{_conversations(len(leftovers))} what an export writes in place of pictures or attachments, such as "
            f"{leftovers[0]!r}: what they showed is not known.",
        )
    mark, times = next(iter(Counter(entry.mark for entry in facts if entry.mark).most_common(1)), ("", 0))
    if times >= FEWEST_MARKED and times > LITTLE_ELSE / 2 * len(facts):
        yield Finding("good", f"{times:,} subjects begin with {mark}, as a list or forum marks them.")


def _conversations(count: int) -> str:
    return "1 conversation holds" if count == 1 else f"{count:,} conversations hold"


def _random(facts: Sequence[Facts]) -> Iterator[Finding]:
    """Tell answers of random words, as test data has them, from English prose."""
    english = [entry for entry in facts if entry.language == "en"]
    written = sum(entry.answer_words for entry in english)
    if written >= WORDS_THAT_TELL and sum(entry.prose_pairs for entry in english) < LEAST_PROSE * written:
        yield Finding(
            "fair", "The answers look like words drawn at random, as in made-up test data: read some before you train."
        )


def _measured(count: int, held: Held) -> Iterator[Finding]:
    if not held.count and count > 1:
        yield Finding("fair", "Nothing is held out, so nothing can be measured on tickets that it has not seen.")
    elif held.shared_answers:
        much = held.shared_answers > MANY_SHARED * held.count
        yield Finding(
            "fair" if much else "good",
            f"{held.shared_answers:,} of {held.count:,} held-out conversations are answered as one that is learnt: on "
            "these the held-out loss looks better than on new questions.",
        )


def _languages(facts: Sequence[Facts]) -> Iterator[Finding]:
    written = Counter(entry.language for entry in facts if entry.language != UNKNOWN)
    told = sum(written.values())
    named = [(language, times) for language, times in written.most_common(LANGUAGES_NAMED) if times >= told * RARE]
    if not named or (len(named) == 1 and named[0][0] == "en"):
        return
    listed = ", ".join(f"{language_name(language)} {round(100 * times / told)} %" for language, times in named)
    more = len(written) - len(named)
    yield Finding("good", f"The customers write {listed}{f' and {more} more' if more else ''}.")
