"""What a held-out ticket is about, so that tickets of one topic count as what they are: alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.preparing.words import words

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = 0.4
"""A word on more than this share of the tickets tells no topic."""


def topics_of(entries: Sequence[StoredConversation]) -> list[str]:
    """Return a topic a ticket: its first tag, else the most frequent telling word of its subject.

    Args:
        entries: The held-out tickets.

    Returns:
        A key each; one that no other ticket shares where nothing is known.
    """
    tagged = Counter(tag for entry in entries for tag in dict.fromkeys(entry.tags))
    told = [_telling(entry) for entry in entries]
    shared = Counter(word for of in told for word in of)
    topics = []
    for number, (entry, of) in enumerate(zip(entries, told, strict=True)):
        tags = [tag for tag in entry.tags if tagged[tag] < len(entries)]
        common = [word for word in of if 1 < shared[word] <= max(2, len(entries) * _COMMON)]
        if tags:
            topics.append(f"tag {tags[0]}")
        elif common:
            topics.append(f"word {max(common, key=lambda word: (shared[word], word))}")
        else:
            topics.append(f"ticket {number}")
    return topics


def _telling(entry: StoredConversation) -> list[str]:
    """The words of the subject that can tell a topic; those of a first line would be anything."""
    fillers = words("topic_fillers")
    return [word for word in dict.fromkeys(_WORD.findall(entry.subject.casefold())) if word not in fillers]
