"""Chat data sets: OpenAI messages, ShareGPT, Alpaca, prompt and completion, preference pairs, KTO.

These are already conversations. What has no user's turn or no answer is left for the filters, which count it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.tickets.conversation import Conversation, Message
from engine.tickets.importing.files.envelopes import turn_keys
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.chat_turns import is_rated_bad, messages_of, role_of, said, unknown_roles
from engine.tickets.importing.readers.fields import Json, first, objects, text, words
from engine.tickets.importing.readers.preferences import pair_of, preferred_turns, rejected_turns
from engine.tickets.importing.readers.rendered import rendered_turns

FORMAT = "chat"
LABEL = "Chat data set"
GUIDE = (
    "The model hub, or whatever wrote it",
    "JSON, JSON lines, CSV, Parquet, Arrow",
    (
        "OpenAI messages, ShareGPT, Alpaca, Gemini, prompt and completion, KTO, preference pairs, texts in a "
        "chat template"
    ),
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = ("This chat data set holds no turns.", "Check that each line has messages with role and content.")
_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("input", "output"),
)
_TURNS = (
    *("messages", "conversations", "conversation", "prompt", "items", "dialog", "dialogue", "turns", "contents"),
    *("original", "utterances"),
)
_SYSTEM = ("system", "system_prompt", "systemInstruction", "system_instruction")


def cautions(sample: Sequence[Json]) -> Iterator[str]:
    """Say which answers of preference pairs are learnt, and which roles are not known."""
    if any(pair_of(record) for record in sample):
        yield (
            "These are preference pairs: the chosen answers are learnt, the rejected ones never; the pairs are kept "
            "beside the data set for training with preferences later."
        )
    names = unknown_roles(turn for record in sample for turn in _turns(record))
    if names:
        shown = ", ".join(repr(name[:40]) for name in names[:5]) + (" and others" if len(names) > 5 else "")
        yield f"Whether {shown} is the customer or the support is not known: what they say is left out."


def evidence(record: Json) -> str:
    """Say which chat shape a record has; empty when it has none."""
    if pair := pair_of(record):
        return f"{pair[0]} and {pair[1]} (preference pairs)"
    turns = _turns(record)
    if turns:
        speaker, text_key = turn_keys(turns[0])
        if (speaker, text_key) == ("from", "value"):
            return "conversations with from and value (ShareGPT)"
        return f"messages with {speaker} and {text_key}"
    if "instruction" in record and "output" in record:
        return "instruction and output (Alpaca)"
    if found := _pair(record):
        return f"{found[0]} and {found[1]}"
    return "a conversation in one text, put through a chat template" if _rendered(record) else ""


def only_chat(record: Json) -> bool:
    """Tell a row of a chat data set from one of a mere table of questions and answers.

    A pair is a chat's where more than its two columns count: rejected answers, marks of bad ones, a system prompt,
    turns before it, or the input of an instruction.
    """
    if pair_of(record) or _rendered(record):
        return True
    if "instruction" in record and "output" in record:
        return "input" in record
    more = ("history", "kto_tag", "label", "desirable", *_SYSTEM)
    return _pair(record) is not None and any(_counts(key, record.get(key)) for key in more)


def _counts(key: str, value: object) -> bool:
    written = text(value).strip().casefold()
    return written in ("true", "false") if key == "label" else bool(written)


def has_messages(record: Json) -> bool:
    """Every record of a chat data set is a conversation."""
    return True


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a record; its id is the record's own, or its place."""
    for record in records:
        value = record.value
        yield Conversation(
            id=first(value, "ticket", "id", "conversation_id", "conversationId") or record.place,
            messages=tuple(_messages(value)),
            subject=first(value, "subject") if "ticket" not in value else "",
            tags=words(value.get("tags")),
            created_at=first(value, "created_at", "date", "timestamp"),
            customer=first(value, "customer", "customer_id", "user_id"),
            source=record.source,
        )


def _messages(value: Json) -> Iterator[Message]:
    for key in _SYSTEM:
        prompt = value.get(key)
        if system := prompt if isinstance(prompt, str) else said(prompt) if isinstance(prompt, dict) else "":
            yield Message("system", system)
            break
    turns = _turns(value)
    if pair := pair_of(value):
        yield from messages_of(preferred_turns(value, pair[0], turns))
        yield from _rejected(value, pair)
    elif turns:
        yield from messages_of([*turns, *objects(value.get("completion"))], is_rated_bad(value))
    else:
        yield from messages_of(_said(value), is_rated_bad(value))


def _rejected(value: Json, pair: tuple[str, str]) -> Iterator[Message]:
    """Yield what was rejected: kept as a pair where it answers the same words, else only counted."""
    turns, same = rejected_turns(value, *pair)
    for turn in turns:
        if words_said := said(turn):
            yield Message("assistant", words_said, kind="rejected" if same else "outvoted")


def _said(value: Json) -> Iterator[Json]:
    """Yield the turns of a record that holds question and answer under keys of their own."""
    history = value.get("history")
    for earlier in history if isinstance(history, list) else ():
        if isinstance(earlier, list) and len(earlier) == 2:
            yield {"role": "user", "content": str(earlier[0])}
            yield {"role": "assistant", "content": str(earlier[1])}
    if "instruction" in value and "output" in value:
        question = "\n\n".join(part for part in (first(value, "instruction"), first(value, "input")) if part)
        yield {"role": "user", "content": question}
        yield {"role": "assistant", "content": first(value, "output")}
    elif pair := _pair(value):
        yield {"role": "user", "content": first(value, pair[0])}
        yield {"role": "assistant", "content": first(value, pair[1])}
    else:
        yield from _rendered(value)


def _rendered(record: Json) -> list[Json]:
    return rendered_turns(text(record.get("text"))) if isinstance(record.get("text"), str) else []


def _turns(record: Json) -> list[Json]:
    for key in _TURNS:
        listed = record.get(key)
        turns = (_spoken_pairs(listed) or objects(listed)) if isinstance(listed, list) else []
        if turns and any(turn_keys(turns[0])):
            return turns
    return []


def _spoken_pairs(listed: Sequence[object]) -> list[Json]:
    """Read turns that are lists of who and what, as in ``["agent", "How may I help?"]``."""
    pairs = [item for item in listed if isinstance(item, list) and len(item) == 2]
    if not pairs or len(pairs) < len(listed) or not any(role_of(text(who)) for who, _ in pairs):
        return []
    return [{"role": text(who), "content": text(what)} for who, what in pairs]


def _pair(record: Json) -> tuple[str, str] | None:
    for question, answer in _PAIRS:
        if isinstance(record.get(question), str) and isinstance(record.get(answer), str):
            return question, answer
    return None
