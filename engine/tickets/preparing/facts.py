"""What later stages need to know of a kept conversation without reading it again: keys, sketches, lengths, language."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.tickets.conversation import Conversation, Message, Rating, is_learnt_answer
from engine.tickets.dates import seconds
from engine.tickets.languages import language_of
from engine.tickets.preparing.duplicates import combined, signature, words_of
from engine.tickets.preparing.oddities import leftover, mark_of, prose_pairs, unfilled

TOPIC_WORDS = 8
FEWEST_WORDS = 6
"""Shorter texts are too alike by chance; they have no sketch, and only equal ones are grouped."""
THIN_WORDS = 3
"""Fewer words than this teach nothing but to be short."""
_THIN_CHARS = 60
_LINK = re.compile(r"(?:https?://|www\.)\S+|\[[A-Z]+_\d+\]")
_SPOKEN_WORD = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")
_PLACEHOLDER_WORD = re.compile(r"[a-z]+_\d+")
_TOPIC = re.compile(r"[^\W\d_]{4,24}")


@dataclass(frozen=True, slots=True)
class Facts:
    """One kept conversation in numbers; about 1 KB, so that 100,000 of them fit in memory."""

    ticket: str
    stamp: float | None
    """Seconds since 1970."""
    customer: str
    tags: tuple[str, ...]
    language: str
    turns: int
    question_chars: int
    answer_chars: tuple[int, ...]
    words_key: bytes
    """Equal for conversations that are the same word for word."""
    question_key: bytes
    """Equal where the customer's first message is the same, placeholders aside."""
    answers_key: bytes
    """Equal where all answers are the same, placeholders aside."""
    sketch: bytes
    """MinHash signature of the whole conversation."""
    answer_sketch: bytes
    """MinHash signature of the answers."""
    agents: tuple[str, ...]
    """Who answered: ids or names of the export."""
    topic_words: tuple[str, ...]
    """Words of the subject, or of the first line: for a list of topics where there are no tags."""
    thin_answers: int = 0
    """Answers that are a word or two, or nothing but links."""
    unfilled: str = ""
    """A place of a template that nobody filled, such as ``{{Order Number}}``; empty where there is none."""
    leftover: str = ""
    """What an export wrote in place of a picture or an attachment; empty where there is nothing."""
    mark: str = ""
    """What a list or forum put before the subject, such as ``[lamps]``."""
    answer_words: int = 0
    prose_pairs: int = 0
    """Neighbours in the answers that are everywhere in English prose."""
    rating: Rating = ""
    reopened: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Facts, tuple(getattr(self, name) for name in self.__slots__)


def facts_of(
    conversation: Conversation,
    messages: Sequence[Message],
    subject: str,
    agents: Sequence[str],
    language: str = "",
) -> Facts:
    """Look at a conversation as it is going to be learnt.

    Args:
        conversation: As the reader gave it, for dates, tags and the customer.
        messages: Cleaned, masked and merged.
        subject: Cleaned and masked.
        agents: Authors of the answers.
        language: When it is known already.
    """
    opening = next(message.content for message in messages if message.role == "user")
    spoken = [(message.role, words_of([message.content])) for message in messages]
    learnt = [is_learnt_answer(message) for message in messages]
    every = [word for _, words in spoken for word in words]
    question = next(words for role, words in spoken if role == "user")
    asked = [word for role, words in spoken if role == "user" for word in words]
    answers = [word for (_, words), counts in zip(spoken, learnt, strict=True) if counts for word in words]
    answer_sketch = signature(answers)
    return Facts(
        ticket=conversation.id,
        stamp=seconds(conversation.created_at or conversation.messages[0].at),
        customer=conversation.customer,
        tags=conversation.tags,
        language=language or language_of(opening),
        turns=len(messages),
        question_chars=len(opening),
        answer_chars=tuple(len(message.content) for message in messages if is_learnt_answer(message)),
        words_key=_key(every),
        question_key=_key(_levelled(question)),
        answers_key=_key(_levelled(answers)),
        sketch=combined(signature(asked), answer_sketch) if len(every) >= FEWEST_WORDS else b"",
        answer_sketch=answer_sketch if len(answers) >= FEWEST_WORDS else b"",
        agents=tuple(dict.fromkeys(agents)),
        topic_words=_topic_words(subject or opening[:200]),
        unfilled=unfilled(message.content for message in messages),
        leftover=leftover(message.content for message in messages),
        mark=mark_of(subject),
        answer_words=len(answers),
        prose_pairs=prose_pairs(answers),
        thin_answers=sum(is_thin(message.content) for message in messages if is_learnt_answer(message)),
        rating=conversation.rating,
        reopened=conversation.reopened,
    )


def is_thin(answer: str) -> bool:
    """Tell an answer of a word or two, or of nothing but links, from one that says something.

    In scripts without spaces every character counts as a word.
    """
    if len(answer) > _THIN_CHARS and "http" not in answer:
        return False
    spoken = _LINK.sub(" ", answer)
    return len(spoken) <= _THIN_CHARS * 2 and len(_SPOKEN_WORD.findall(spoken)) < THIN_WORDS


def _levelled(words: Sequence[str]) -> list[str]:
    """Take out of a text what differs between two copies of one canned reply: whom it greets."""
    return [word for word in words if not ("_" in word and _PLACEHOLDER_WORD.fullmatch(word))]


def _key(words: Sequence[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=8).digest()


def _topic_words(text: str) -> tuple[str, ...]:
    plain = _PLACEHOLDER.sub(" ", text).casefold()
    return tuple(dict.fromkeys(_TOPIC.findall(plain)))[:TOPIC_WORDS]
