"""Slack: a workspace's export (.zip), a folder a channel and a file a day, with users.json beside them.

Traps: names stand in users.json alone, which may come last; text is escaped, and people, channels and links are written
as ``<@U1>``; joining and the like are messages with a subtype; guests and members of other workspaces, where there are
any, are the customers.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.channels import Named, Post, conversations
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, people

FORMAT = "slack"
LABEL = "Slack export"
GUIDE = (
    "Workspace settings > Import/Export data > Export",
    "the .zip as it is",
    "threads of the channels; bots and service messages are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Slack export lists channels and people, and holds no messages.",
    "In Slack choose Settings & administration > Workspace settings > Import/Export data > Export, and drop the .zip "
    "as it is.",
)
_TS = re.compile(r"\d{9,11}\.\d{1,6}")
_USER_ID = re.compile(r"[UW][A-Z0-9]{1,14}")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{1,14}")
_SPOKEN = frozenset(("", "thread_broadcast", "me_message", "file_share", "reply_broadcast"))
"""Subtypes of what a person has written (docs.slack.dev, message events); all others are events."""
_GUESTS = ("is_restricted", "is_ultra_restricted", "is_stranger")
_REFERENCE = re.compile(r"<([@#!]?)([^<>|\s][^<>|]{0,2000})(?:\|([^<>]{0,400}))?>")


def evidence(record: Json) -> str:
    """Say what in a record is Slack's; empty when it is not."""
    if _is_message(record):
        return "messages with ts and user"
    return "a Slack user or channel" if _is_user(record) or _is_channel(record) else ""


def has_messages(record: Json) -> bool:
    """Tell messages from users and channels."""
    return _is_message(record)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a thread, and those that the pauses of a channel part."""
    members = _Members()
    yield from conversations(_posts(records, members), members.named, ("ts",))


def _is_message(record: Json) -> bool:
    told = "user" in record or "bot_id" in record or "subtype" in record
    return first(record, "type") == "message" and told and _TS.fullmatch(first(record, "ts")) is not None


def _is_user(record: Json) -> bool:
    return _USER_ID.fullmatch(first(record, "id")) is not None and ("profile" in record or "is_bot" in record)


def _is_channel(record: Json) -> bool:
    known = {"members", "creator", "is_archived", "topic"} & record.keys() or record.keys() <= {"id", "name", "created"}
    return bool(known) and _CHANNEL_ID.fullmatch(first(record, "id")) is not None


def _posts(records: Iterable[Record], members: _Members) -> Iterator[Post]:
    for record in records:
        value = record.value
        if _is_message(value):
            members.met(value)
            thread = first(value, "thread_ts")
            # Days that were dropped without their folder are files of their own; a thread's number is a workspace's.
            yield Post(record.folder or ("" if thread else record.source), thread, record)
        elif _is_user(value):
            members.add(value)


@dataclass(slots=True)
class _Members:
    """Who writes in a workspace, as users.json and the messages themselves tell."""

    names: dict[str, str] = field(default_factory=dict)
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    machines: set[str] = field(default_factory=lambda: {"USLACKBOT"})
    guests: set[str] = field(default_factory=set)
    teams: dict[str, str] = field(default_factory=dict)
    outsiders: set[str] | None = None

    def add(self, user: Json) -> None:
        """Take in a record of users.json."""
        key, profile = first(user, "id"), object_at(user, "profile")
        self.names[key] = (
            first(profile, "real_name") or first(user, "real_name") or first(profile, "display_name")
        ) or first(user, "name")
        self.others[key] = people(user, profile)
        if user.get("is_bot") or user.get("is_workflow_bot"):
            self.machines.add(key)
        if any(user.get(mark) is True for mark in _GUESTS):
            self.guests.add(key)
        if team := first(user, "team_id"):
            self.teams[key] = team

    def met(self, message: Json) -> None:
        """Take in what a message tells of its writer."""
        key, profile = first(message, "user"), object_at(message, "user_profile")
        if key and key not in self.names and (name := first(profile, "real_name", "display_name", "name")):
            self.names[key] = name

    def named(self, record: Record) -> Named:
        """Turn a record into a message, once all users are known."""
        value = record.value
        key = first(value, "user")
        name = self.names.get(key) or first(value, "username") or key
        said, mentioned = self._plain(first(value, "text"))
        kind = self._kind(value, key)
        if kind == "public" and not said.strip() and (files := objects(value.get("files"))):
            said, kind = ", ".join(first(file, "name", "title") for file in files), "attachment"
        outside = self._outside()
        role = "assistant" if outside and key and key not in outside else "user"
        message = Message("assistant" if role == "assistant" else "user", said, name, first(value, "ts"), kind=kind)
        known = self.others.get(key, ()) or people(value.get("user_profile"))
        return Named(message, (name, *known, *mentioned))

    def _outside(self) -> set[str]:
        """Return the guests, and who belongs to another workspace than most."""
        if self.outsiders is None:
            home = Counter(self.teams.values()).most_common(1)
            self.outsiders = {key for key, team in self.teams.items() if team != home[0][0]} | self.guests
        return self.outsiders

    def _kind(self, value: Json, key: str) -> Kind:
        subtype = first(value, "subtype")
        if subtype == "bot_message" or "bot_id" in value or key in self.machines:
            return "bot"
        if subtype == "tombstone" or value.get("hidden") is True:
            return "hidden"
        return "public" if subtype in _SPOKEN else "system"

    def _plain(self, markup: str) -> tuple[str, list[str]]:
        """Return a text as it was read on the screen, and the names of those who are mentioned in it."""
        mentioned: list[str] = []

        def shown(match: re.Match[str]) -> str:
            mark, what, label = match.groups()
            if mark == "@":
                mentioned.append(self.names.get(what) or label or what)
                return f"@{mentioned[-1]}"
            if mark:
                return f"#{label or what}" if mark == "#" else label or f"@{what.split('^')[0]}"
            address = what.removeprefix("mailto:").removeprefix("tel:")
            return f"{label} ({address})" if label and label not in address else address

        return html.unescape(_REFERENCE.sub(shown, markup)), mentioned
