"""The turns of a chat data set: who speaks, what is said, and which answers must not be learnt.

Owns the names that roles go by, tool calls, and marks of a bad answer. What a record is built like, :mod:`.chat` knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from engine.tickets.conversation import Message, Role
from engine.tickets.importing.files.envelopes import SAID_KEYS, SPEAKER_KEYS
from engine.tickets.importing.parties import who
from engine.tickets.importing.readers.fields import Json, first, objects, text

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "instruction", "asker"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "chatgpt", "ai", "llm", "chatbot", "claude"), "assistant"),
    **dict.fromkeys(("gemini", "bing", "bard"), "assistant"),
    **dict.fromkeys(("ai assistant", "virtual assistant", "language model", "completion", "expert"), "assistant"),
}
"""Role by the names that chat data sets use; those of help desks are in :mod:`engine.tickets.importing.parties`."""
_TOOL_ROLES = frozenset(
    (
        *("tool", "tool call", "tool calls", "tool result", "tool results", "tool response", "tool output", "tools"),
        *("function", "function call", "function response", "function result", "observation", "ipython", "environment"),
    )
)
_EVENTS = frozenset(("action", "event", "system event", "activity"))
_CALLS = ("tool_calls", "function_call", "tool_call", "tool_use")
_MARKS = ("label", "kto_tag", "desirable", "is_desirable")
"""Keys whose false marks an answer as bad (KTO)."""
_RATINGS = ("rating", "feedback", "thumbs", "thumb")
_JUDGING = frozenset((*_MARKS, *_RATINGS))
_BAD = frozenset(
    ("bad", "negative", "down", "thumbs_down", "thumbsdown", "thumbs down", "dislike", "disliked", "-1", "👎")
)

_WEIGHTS = frozenset(("weight", "train", "loss", "loss_weight"))
_UNLEARNT = frozenset(("0", "0.0", "false", "no"))


def messages_of(turns: Iterable[Json], rated_bad: bool = False) -> Iterator[Message]:
    """Turn the turns of one conversation into messages.

    With the first call of a tool ends what can be learnt: its result is not kept, and an answer that quotes it would
    teach to invent one. What follows is marked so.

    Args:
        turns: In their order.
        rated_bad: Whether the record's answers are marked as bad.
    """
    called = False
    for turn in turns:
        name = speaker(turn)
        content = said(turn)
        role = role_of(name)
        at = first(turn, "created_at", "timestamp")
        if _is_tool(name) or any(turn.get(key) for key in _CALLS):
            called = True
            yield Message("assistant", content or _call(turn), kind="tool")
        elif name.casefold() in _EVENTS:
            yield Message("assistant", content, kind="system")
        elif role is None:
            yield Message("assistant", f"{name}: {content}" if content else "", kind="unknown")
        elif role == "assistant" and called:
            yield Message(role, content, at=at, kind="after_tool")
        elif role == "assistant" and (rated_bad or is_rated_bad(turn)):
            yield Message(role, content, at=at, kind="rated_bad")
        else:
            yield Message(role, content, at=at, learnt=role != "assistant" or is_learnt(turn))


def is_learnt(turn: Json) -> bool:
    """Say whether a turn may be learnt: not with ``weight: 0`` (OpenAI, Mistral), ``train`` or ``loss`` false."""
    return not any(str(turn[key]).strip().casefold() in _UNLEARNT for key in _WEIGHTS & turn.keys())


def speaker(turn: Json) -> str:
    """Return the name of the role, as the data set writes it."""
    return first(turn, *SPEAKER_KEYS)


@lru_cache(1024)
def role_of(name: str) -> Role | None:
    """Tell the role by its name, ``End-user`` and ``Support Agent`` among them; None where nothing is known of it."""
    plain = " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
    return _ROLES.get(plain) or who(plain)[0]


def said(turn: Json) -> str:
    """Read what a turn says: text, or a list of parts of which those of text count."""
    return next((content for key in SAID_KEYS if (content := _content(turn.get(key))).strip()), "")


def unknown_roles(turns: Iterable[Json]) -> list[str]:
    """Return the names of roles that are not known, each once."""
    names = dict.fromkeys(name for turn in turns if (name := speaker(turn)))
    return [name for name in names if role_of(name) is None and not _is_tool(name)]


def is_rated_bad(value: Json) -> bool:
    """Tell whether a record or a turn carries a mark that its answer is bad: KTO's ``label: false``, a thumb down."""
    if not _JUDGING & value.keys():
        return False
    for key in _MARKS:
        if value.get(key) is False or text(value.get(key)).strip().casefold() in ("false", "undesirable"):
            return True
    return any(text(value.get(key)).strip().casefold() in _BAD for key in _RATINGS)


@lru_cache(1024)
def _is_tool(name: str) -> bool:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split()) in _TOOL_ROLES


def _call(turn: Json) -> str:
    """Name the tool that is called, for the list of what is left out."""
    calls = [call for key in _CALLS for call in objects(turn.get(key))]
    named = (first(call, "name") or first(next(iter(objects(call.get("function"))), {}), "name") for call in calls)
    return ", ".join(name for name in named if name) or "a tool call"


def _content(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        parts = [part if isinstance(part, str) else first(part, "text", "value") for part in value if _is_text(part)]
        return "\n".join(part for part in parts if part)
    return ""


def _is_text(part: object) -> bool:
    return isinstance(part, str) or (
        isinstance(part, dict) and part.get("type", "text") in ("text", "input_text", "output_text")
    )
