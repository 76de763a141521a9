"""One conversation as exported -> what is learnt from it, or the reason why nothing is.

A pure function over plain records, so that it can run in several processes. Knows nothing of other conversations:
splits, duplicates and canned replies are decided later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from unicodedata import normalize

from engine.reasoning import without_reasoning
from engine.tickets.cleaning.message import clean_message, is_auto_reply
from engine.tickets.cleaning.small_talk import says_nothing
from engine.tickets.conversation import KIND_REASONS, Conversation, LeftOut, Message, excerpt
from engine.tickets.dataset.stored import StoredConversation, json_line
from engine.tickets.languages import UNKNOWN, language_of
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.facts import Facts, facts_of
from engine.tickets.preparing.pairs import pair_lines, rejected_answers
from engine.tickets.preparing.words import words
from engine.tickets.privacy.masking import ConversationMasker, PrivacyOptions, Redaction, Suspect
from engine.tickets.privacy.review import SUSPECT

_MOST_SUSPECTS = 50
"""Places a conversation that look like a name; what has more is a list of people."""
RESOLVED = words("resolved_statuses")
"""Statuses that mean an answered ticket, in small letters."""
_UNFIT = frozenset(
    (
        *("bot", "truncated", "redacted", "draft", "tool", "after_tool", "rated_bad", "outvoted", "rejected"),
        "unknown",
    )
)
"""Kinds that explain why a ticket has no answer, where all its answers are of them."""
REASONING = "reasoning inside an answer"
CONTEXT_ONLY = "read, not learnt (weight 0)"
"""The reason for an answer that stays in its conversation as context."""
UNLEARNT_END = "marked as not to be learnt"
MESSAGE_CHARS = 100_000
"""A message beyond this is left out; HTML may have five times as much."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What became of one conversation."""

    ticket: str
    reason: str = ""
    """Why it is left out; empty when it is kept."""
    shown: str = ""
    """An excerpt of what is left out."""
    line: bytes = b""
    """The line of the data set, with its line end."""
    facts: Facts | None = None
    """Set when it is kept."""
    left: tuple[LeftOut, ...] = ()
    """Messages that were left out of it."""
    redactions: bytes = b""
    """Lines for the privacy review."""
    redaction_kinds: tuple[tuple[str, int], ...] = ()
    pairs: bytes = b""
    """Lines of preferences.jsonl."""
    seconds: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What cleaning, masking and the look at the result took."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Tidied, tuple(getattr(self, name) for name in self.__slots__)


def tidy(conversation: Conversation, options: PrepareOptions) -> Tidied:
    """Clean, mask and merge one conversation.

    Args:
        conversation: As a reader yields it.
        options: What the person chose.

    Returns:
        The line for the data set and what later stages need to know, or the reason why it is left out.
    """
    masker = ConversationMasker(PrivacyOptions.of(options), conversation.people)
    if reason := _left_out_whole(conversation, options):
        return _dropped(conversation, reason, masker, [], 0.0)
    left: list[LeftOut] = []
    remaining: list[Message] = []
    began = perf_counter()
    for message, reason in _judged(conversation.messages, options):
        if reason:
            shown = clean_message(message.content[:4000], html=message.html) if message.content.strip() else ""
            left.append(LeftOut(conversation.id, reason, excerpt(shown)))
        else:
            remaining.append(message)
    turns = _turns(remaining, options, conversation.id, left)
    cleaning = perf_counter() - began
    reason, language = "", ""
    if not any(turn.role == "assistant" for turn in turns):
        reason = _why_unanswered(conversation, left, remaining)
    elif options.languages:
        language = language_of(next(turn.content for turn in turns if turn.role == "user"))
        reason = "" if language in (*options.languages, UNKNOWN) else "another language"
    if reason:
        return _dropped(conversation, reason, masker, left, cleaning)
    agents = [message.author for message in remaining if message.role == "assistant" and message.author]
    return _kept(conversation, turns, agents, masker, left, cleaning, language)


def _dropped(
    conversation: Conversation, reason: str, masker: ConversationMasker, left: Sequence[LeftOut], cleaning: float
) -> Tidied:
    shown = excerpt(_beginning(conversation))
    return Tidied(
        conversation.id,
        reason,
        masker.mask(shown) if shown else "",
        left=_masked(left, masker),
        seconds=(cleaning, 0.0, 0.0),
    )


def _masked(left: Sequence[LeftOut], masker: ConversationMasker) -> tuple[LeftOut, ...]:
    """Mask what is left out like the conversation it comes from."""
    return tuple(replace(item, excerpt=masker.mask(item.excerpt)) if item.excerpt else item for item in left)


def _left_out_whole(conversation: Conversation, options: PrepareOptions) -> str:
    kinds = {message.kind for message in conversation.messages}
    for kind in ("spam", "hidden", "truncated"):
        if kinds == {kind}:
            return KIND_REASONS[kind]
    status = conversation.status.strip().casefold()
    if options.resolved_only and status and status not in RESOLVED:
        return "not resolved"
    return ""


def _judged(messages: Sequence[Message], options: PrepareOptions) -> Iterator[tuple[Message, str]]:
    """Yield each message, cleaned, with the reason to leave it out."""
    agents = {agent.casefold() for agent in options.exclude_agents}
    for message in messages:
        if message.kind != "public":
            yield message, KIND_REASONS[message.kind]
        elif message.role == "assistant" and agents and message.author.casefold() in agents:
            yield message, "agent left out by you"
        elif len(message.content) > MESSAGE_CHARS * (5 if message.html else 1):
            # Cleaning is made for what people write; a pasted log of megabytes costs minutes and teaches nothing.
            yield replace(message, content=message.content[:4000]), "longer than 100,000 characters"
        elif not message.content.strip():
            yield message, "empty message"
        else:
            if message.role == "assistant" and (spoken := without_reasoning(message.content)) != message.content:
                yield message, REASONING
                message = replace(message, content=spoken)
            cleaned = clean_message(message.content, html=message.html)
            if not cleaned.strip():
                yield message, "empty message"
            elif is_auto_reply(cleaned):
                yield replace(message, content=cleaned, html=False), KIND_REASONS["auto_reply"]
            else:
                yield replace(message, content=cleaned.strip(), html=False), ""


def _turns(messages: Sequence[Message], options: PrepareOptions, ticket: str, left: list[LeftOut]) -> list[Message]:
    """Merge neighbours of one role; begin with the customer, end with an agent's answer worth learning."""
    turns: list[Message] = []
    for message in messages:
        if message.role == "assistant" and not any(turn.role == "user" for turn in turns):
            left.append(LeftOut(ticket, "before the customer's first message", excerpt(message.content)))
        elif turns and turns[-1].role == message.role:
            both = turns[-1].learnt and message.learnt
            turns[-1] = replace(turns[-1], content=f"{turns[-1].content}\n\n{message.content}", learnt=both)
        else:
            turns.append(message)
    while turns and turns[-1].role != "system":
        last = turns[-1]
        if last.role == "user":
            left.append(LeftOut(ticket, "no answer after it", excerpt(last.content)))
        elif len(last.content) < options.min_answer_chars or (options.min_answer_chars and says_nothing(last.content)):
            left.append(LeftOut(ticket, "answer too short", excerpt(last.content)))
        elif not last.learnt:
            left.append(LeftOut(ticket, UNLEARNT_END, excerpt(last.content)))
        else:
            break
        turns.pop()
    left += [LeftOut(ticket, CONTEXT_ONLY, excerpt(turn.content)) for turn in turns if not turn.learnt]
    return turns


def _why_unanswered(conversation: Conversation, left: Sequence[LeftOut], remaining: Sequence[Message]) -> str:
    """Name the reason that explains best why no answer is left."""
    if not any(message.content.strip() for message in conversation.messages):
        return "empty"
    reasons = {item.reason for item in left}
    roles = {message.role for message in remaining}
    if "assistant" in roles and "user" not in roles:
        return "no customer message"
    if "answer too short" in reasons:
        return "answer too short"
    if UNLEARNT_END in reasons:
        return UNLEARNT_END
    answers = [message for message in conversation.messages if message.role == "assistant" and message.content.strip()]
    if answers and all(message.kind in _UNFIT for message in answers):
        return KIND_REASONS[answers[-1].kind]
    return "no agent answer"


def _kept(
    conversation: Conversation,
    turns: Sequence[Message],
    agents: Sequence[str],
    masker: ConversationMasker,
    left: Sequence[LeftOut],
    cleaning: float,
    language: str,
) -> Tidied:
    began = perf_counter()
    subject = normalize("NFC", " ".join(conversation.subject.split()))
    worse = rejected_answers(conversation.messages, turns[-1].content)
    masker.meet([subject, *(turn.content for turn in turns), *worse])
    subject = masker.mask(subject)
    messages = [Message(turn.role, masker.mask(turn.content), learnt=turn.learnt) for turn in turns]
    first = next(number for number, message in enumerate(messages) if message.role == "user")
    opening = messages[first].content
    if subject and not _begins_with(opening, subject):
        messages[first] = replace(messages[first], content=f"{subject}\n\n{opening}")
    worse = [masker.mask(answer) for answer in worse]
    shown: list[Redaction | Suspect] = [*masker.found, *masker.suspected[:_MOST_SUSPECTS]]
    review = b"".join(json_line(_review(conversation.id, place)) for place in shown)
    kinds = Counter(place.kind for place in masker.found)
    masked = perf_counter()
    facts = facts_of(conversation, messages, subject, agents, language)
    stored = StoredConversation(
        ticket=conversation.id,
        messages=tuple(messages),
        subject=subject,
        tags=conversation.tags,
        created_at=conversation.created_at,
        key=facts.words_key.hex(),
    )
    return Tidied(
        ticket=conversation.id,
        line=stored.line(),
        facts=facts,
        left=_masked(left, masker),
        redactions=review,
        redaction_kinds=tuple(kinds.items()),
        pairs=pair_lines(stored, worse),
        seconds=(cleaning, masked - began, perf_counter() - masked),
    )


def _review(ticket: str, item: Redaction | Suspect) -> dict[str, str]:
    if isinstance(item, Suspect):
        place = {"before": item.before, "after": item.after}
        return {"ticket": ticket, "kind": SUSPECT, "placeholder": "", "original": item.words, **place}
    return {
        "ticket": ticket,
        "kind": item.kind,
        "placeholder": item.placeholder,
        "original": item.original,
        "before": item.before,
        "after": item.after,
    }


def _beginning(conversation: Conversation) -> str:
    first = next((message for message in conversation.messages if message.content.strip()), None)
    said = clean_message(first.content[:4000], html=first.html) if first else ""
    return f"{conversation.subject} — {said}" if conversation.subject and said else conversation.subject or said


def _begins_with(text: str, subject: str) -> bool:
    return " ".join(text[: len(subject) * 2 + 40].split()).casefold().startswith(subject.casefold())
