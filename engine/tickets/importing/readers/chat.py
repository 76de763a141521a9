"""Chat data sets: OpenAI messages, ShareGPT, Alpaca, prompt and completion, preference pairs, KTO.

These are already conversations. What has no user's turn or no answer is left for the filters, which count it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.tickets.conversation import Conversation, Message
from engine.tickets.importing.files.envelopes import EXCHANGES, SPEAKER_KEYS, exchange_keys, turn_keys
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.chat_turns import (
    is_rated_bad,
    messages_of,
    role_of,
    said,
    speaker,
    unknown_roles,
)
from engine.tickets.importing.readers.fields import Json, first, objects, text, words
from engine.tickets.importing.readers.message_trees import is_chatgpt, linear, tree_evidence
from engine.tickets.importing.readers.preferences import pair_of, preferred_turns, rejected_turns
from engine.tickets.importing.readers.rendered import rendered_turns, without_marks

FORMAT = "chat"
LABEL = "Chat data set"
GUIDE = (
    "The model hub, or whatever wrote it",
    "JSON, JSON lines, CSV, Parquet, Arrow",
    (
        "OpenAI messages, ShareGPT, Alpaca, Gemini, OpenAssistant, ChatGPT, Claude, KTO, preference pairs, texts in a "
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
    ("question", "response"),
    ("query", "response"),
    ("input", "output"),
    *EXCHANGES,
)
_TURNS = (
    *("messages", "conversations", "conversation", "prompt", "items", "dialog", "dialogue", "turns", "contents"),
    *("original", "utterances", "chat_messages", "log", "rounds", "chunks"),
)
_CONTEXT = ("context", "input")
"""What an instruction is about (Dolly, Alpaca)."""
_SYSTEM = ("system", "system_prompt", "systemInstruction", "system_instruction")


def cautions(sample: Sequence[Json]) -> Iterator[str]:
    """Say which answers of preference pairs are learnt, and which roles are not known."""
    if any(pair_of(record) for record in sample):
        yield (
            "These are preference pairs: the chosen answers are learnt, the rejected ones never; the pairs are kept "
            "beside the data set for training with preferences later."
        )
    if any(is_chatgpt(record) or "chat_messages" in record for record in sample):
        yield "The answers in this export are a model's, not your team's."
    elif any(map(tree_evidence, sample)):
        yield "Of several replies to one message the best ranked one is read, and the others are not."
    names = unknown_roles(turn for record in sample for turn in _turns(record))
    if names:
        shown = ", ".join(repr(name[:40]) for name in names[:5]) + (" and others" if len(names) > 5 else "")
        yield f"Whether {shown} is the customer or the support is not known: what they say is left out."


def evidence(record: Json) -> str:
    """Say which chat shape a record has; empty when it has none."""
    if told := tree_evidence(record):
        return told
    if pair := pair_of(record):
        return f"{pair[0]} and {pair[1]} (preference pairs)"
    if turns := _turns(record):
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
    if pair_of(record) or _rendered(record) or tree_evidence(record):
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
    for record in linear(records):
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
        yield from _answered(
            "\n\n".join(filter(None, (first(value, "instruction"), *_about(value)))), first(value, "output")
        )
    elif pair := _pair(value):
        about = _about(value) if pair[0] == "instruction" else []
        yield from _answered("\n\n".join([first(value, pair[0]), *about]), first(value, pair[1]))
    else:
        yield from _rendered(value)


def _about(value: Json) -> list[str]:
    return [about] if (about := first(value, *_CONTEXT)) else []


def _answered(question: str, answer: str) -> list[Json]:
    """Return a question and its answer; a question that has been put through a chat template is taken apart."""
    if turns := rendered_turns(f"{question}\n{answer}"):
        return turns
    return [
        {"role": "user", "content": without_marks(question)},
        {"role": "assistant", "content": without_marks(answer)},
    ]


def is_rendered(record: Json) -> bool:
    """Tell a record that holds a whole conversation in one text."""
    return bool(_rendered(record))


def _rendered(record: Json) -> list[Json]:
    if not {*SPEAKER_KEYS, "ticket", "ticket_id"}.isdisjoint(record):
        return []  # a message of somebody, who may quote others
    if isinstance(segments := record.get("segments"), list):
        return rendered_turns("".join(first(part, "text") for part in objects(segments)))
    return rendered_turns(text(record.get("text"))) if isinstance(record.get("text"), str) else []


def _turns(record: Json) -> list[Json]:
    inner = record.get("chunkedPrompt")  # what Google's AI Studio saves
    for key in _TURNS:
        listed = (inner if key == "chunks" and isinstance(inner, dict) else record).get(key)
        turns = (_spoken_pairs(listed) or objects(listed)) if isinstance(listed, list) else []
        if turns and any(turn_keys(turns[0])):
            return _as_dialogue([turn for turn in turns if not turn.get("isThought")])
        if turns and any(exchange_keys(turns[0])):
            return [turn for entry in turns for turn in _exchange(entry)]
    return _alternating(record)


def _exchange(entry: Json) -> Iterator[Json]:
    asked, answered = exchange_keys(entry)
    if asked:
        yield {"role": "user", "content": entry[asked]}
        yield {"role": "assistant", "content": entry[answered]}


def _alternating(record: Json) -> list[Json]:
    """Read texts of which each is the other side's, the customer's first (UltraChat, MultiWOZ)."""
    listed, log = record.get("data"), record.get("log")
    said = listed if isinstance(listed, list) else []
    if isinstance(log, list) and all(isinstance(item, dict) and {"text", "metadata"} <= item.keys() for item in log):
        said = [item["text"] for item in log]
    if len(said) < 2 or not all(isinstance(item, str) for item in said):
        return []
    return [{"role": ("user", "assistant")[at % 2], "content": item} for at, item in enumerate(said)]


def _as_dialogue(turns: list[Json]) -> list[Json]:
    """Take a 'system' that answers users, where nobody else does, for the support (Schema-Guided Dialogue)."""
    roles = [role_of(speaker(turn)) for turn in turns]
    if "assistant" in roles or "user" not in roles or "system" not in roles[roles.index("user") :]:
        return turns
    return [
        {**turn, "role": "assistant"} if role == "system" and at > roles.index("user") else turn
        for at, (turn, role) in enumerate(zip(turns, roles, strict=True))
    ]


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
