"""Conversations that are kept as trees, an answer tried again being a branch: of each, the talk that counts.

Knows OpenAssistant's trees and messages (https://huggingface.co/datasets/OpenAssistant/oasst2), where the best ranked
reply goes on, and ChatGPT's own export, where the branch does that was last on the screen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, text

_ROW = {"message_id", "parent_id", "role", "text"}
_UNSAID = frozenset(("thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"))
"""ChatGPT's kinds of content that nobody has said."""


def tree_evidence(record: Json) -> str:
    """Say which tree a record is, or is a message of; empty for any other."""
    if record.keys() >= _ROW:
        return "message_id and parent_id (OpenAssistant)"
    if isinstance(record.get("prompt"), dict) and isinstance(record["prompt"].get("replies"), list):
        return "a prompt with replies (OpenAssistant)"
    return "a mapping of messages (ChatGPT's own export)" if is_chatgpt(record) else ""


def is_chatgpt(record: Json) -> bool:
    """Tell a conversation of ChatGPT's export."""
    return isinstance(record.get("mapping"), dict) and "current_node" in record


def linear(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records with the turns of each tree in their order; what is no tree comes back as it is."""
    with Groups[Record]() as loose:
        for record in records:
            if record.value.keys() >= _ROW:
                loose.add(first(record.value, "message_tree_id") or record.source, record)
            elif tree_evidence(record.value):
                yield replace(record, value=_of_tree(record.value))
            else:
                yield record
        for key, members in loose:
            yield replace(members[0], value={"id": key, "messages": _of_rows([member.value for member in members])})


def _of_tree(tree: Json) -> dict[str, Any]:
    if is_chatgpt(tree):
        head = {"id": first(tree, "conversation_id", "id"), "created_at": first(tree, "create_time")}
        return {**head, "messages": list(_of_chatgpt(tree))}
    root, turns = object_at(tree, "prompt"), list[Json]()
    while root:
        turns.append(_turn(root))
        root = _best(objects(root.get("replies")))
    return {"id": first(tree, "message_tree_id"), "messages": turns}


def _of_rows(rows: Sequence[Json]) -> list[Json]:
    replies = defaultdict[str, list[Json]](list)
    for row in rows:
        replies[first(row, "parent_id")].append(row)
    turns, seen = list[Json](), set[str]()
    row = _best(replies[""])
    while row and first(row, "message_id") not in seen:
        turns.append(_turn(row))
        seen.add(first(row, "message_id"))
        row = _best(replies.get(first(row, "message_id"), ()))
    return turns


def _best(replies: Sequence[Json]) -> Json:
    """Return the reply that people ranked first; the first of those without a rank."""
    sound = [row for row in replies if not row.get("deleted") and row.get("review_result") is not False]
    return min(sound, key=_rank, default={})


def _rank(row: Json) -> float:
    rank = row.get("rank")
    return float(rank) if isinstance(rank, int | float) and rank == rank else float("inf")


def _turn(row: Json) -> Json:
    return {"role": first(row, "role"), "content": first(row, "text"), "created_at": first(row, "created_date")}


def _of_chatgpt(tree: Json) -> Iterator[Json]:
    """Yield what was said from the root to the message that was last on the screen."""
    nodes, path = object_at(tree, "mapping"), list[str]()
    key = first(tree, "current_node")
    while key in nodes and key not in path:
        path.append(key)
        key = first(object_at(nodes, key), "parent")
    for key in reversed(path):
        message = object_at(nodes, key, "message")
        content = object_at(message, "content")
        hidden = object_at(message, "metadata").get("is_visually_hidden_from_conversation")
        if not message or hidden or first(content, "content_type") in _UNSAID:
            continue
        parts = content.get("parts")
        listed = parts if isinstance(parts, list) else [content.get("text")]
        said = [part for part in listed if isinstance(part, str)]
        role = first(object_at(message, "author"), "role")
        if role == "assistant" and first(message, "recipient") not in ("", "all"):
            role = "tool call"
        if words := "\n".join(filter(None, said)).strip():
            yield {"role": role, "content": words, "created_at": text(message.get("create_time"))}
