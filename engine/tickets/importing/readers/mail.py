"""Mailboxes (mbox) and single mails (EML) -> conversations.

Owns threading (References and In-Reply-To, then the subject) and the question of who is the support: the address that
takes part in most threads, with everybody of its domain unless that is a public mail provider.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import IO

from engine.tickets.conversation import DAMAGED, TWICE, Conversation, Kind, LeftOut, Message, Role, excerpt
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.sources import Source
from engine.tickets.importing.readers.fields import asker, oldest_first
from engine.tickets.importing.readers.mail_parts import BOM, Mail, parse_mail
from engine.tickets.importing.readers.mailing_lists import list_mark, without_mark
from engine.tickets.importing.words import words
from engine.tickets.union_find import UnionFind

FORMAT = "mail"
LABEL = "Mailbox"
GUIDE = (
    "Thunderbird, Gmail Takeout, Mailman's archives; Outlook: drag mails into a folder",
    "mbox, EML, MSG",
    "threads by References, else by subject; automatic replies are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
MAIL_BYTES = 64 << 20
"""A mail larger than this, attachments included, is passed over."""
_HEADER = re.compile(r"^[A-Za-z][A-Za-z0-9-]{1,60} {0,8}:", re.MULTILINE)
_TOLD = re.compile(
    r"^(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to|sender) {0,8}:", re.I | re.M
)
_FROM_LINE = re.compile(rb"^From \S.{0,200}\d{4}\s*$|^From -?\s*\S+@\S+", re.DOTALL)
_NEXT_HEADER = re.compile(rb"[!-9;-~]{1,76}:|>From ")
"""What follows a line that parts two mails (Mozilla's rule), whatever else a line of words begins with."""
UNREADABLE = 0.02
"""Share of lost characters from which on a customer's message says nothing any more; an answer may have none."""
REPLY = re.compile(
    r"^\s*(?:(?:re|aw|fwd?|wg|sv|vs|antw|r|ref|rif|odp|ynt|tr|rv|res|enc|回复|答复|转发)\s*(?:\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)
_TICKET_MARK = re.compile(r"[\[(](?:ticket|case|#|request|fall|vorgang)?\s*[#:]?\s*\d{3,}[\])]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What threading needs of one mail; the body waits on disk."""

    message_id: str
    references: tuple[str, ...]
    sender: str
    recipients: tuple[str, ...]
    subject: str


def evidence(head: str) -> str:
    """Say how a text is a mailbox or a mail; empty when it is neither."""
    if head.startswith("From ") and _TOLD.search(head[:20_000]):
        return "a line 'From ...' and mail headers at the beginning (mbox)"
    top = re.split(r"\r?\n\r?\n", head[:20_000], maxsplit=1)[0]
    lines = [line for line in top.splitlines() if line and not line[0].isspace()]
    headers = sum(bool(_HEADER.match(line)) for line in lines)
    kinds = len({match.group().lower() for match in _TOLD.finditer(top)})
    if lines and headers >= len(lines) * 0.7 and kinds >= 2:
        return f"{kinds} mail headers at the beginning"
    return ""


def read_mail(
    sources: Sequence[Source], agents: Collection[str] = (), most: int | None = None
) -> Iterator[Conversation | LeftOut]:
    """Yield a conversation a thread, and the mails that cannot be read.

    Args:
        sources: Mailboxes and single mails, threaded together.
        agents: Addresses or domains of the support; empty to find out.
        most: So many mails of each source are read; None for all.
    """
    index: list[Envelope] = []
    fingerprints: set[bytes] = set()
    with Groups[Mail]() as store:
        for source in sources:
            for number, raw in enumerate(islice(_split(source), most), start=1):
                mail = parse_mail(raw, source.name) if raw is not None else None
                if mail is None:
                    what = (
                        f"larger than {MAIL_BYTES >> 20} MB"
                        if raw is None
                        else excerpt(raw[:500].decode("utf-8", "replace"))
                    )
                    yield LeftOut(f"mail {number} of {source.name}", DAMAGED, what)
                    continue
                if (fingerprint := _fingerprint(mail)) in fingerprints:
                    yield LeftOut(f"mail {number} of {source.name}", TWICE, excerpt(mail.subject))
                    continue
                fingerprints.add(fingerprint)
                store.add(str(len(index)), mail)
                index.append(Envelope(mail.message_id, mail.references, mail.sender, mail.recipients, mail.subject))
        mark = list_mark(mail.subject for mail in index)
        threads = threads_of(index, [topic_of(without_mark(mail.subject, mark)) for mail in index])
        ours = {agent.lower().lstrip("@") for agent in agents} or support_of(index, threads)
        for number, members in enumerate(threads, start=1):
            mails = [mail for member in members for mail in store.members(str(member))]
            yield _conversation(mails, ours, number, mark)


def _fingerprint(mail: Mail) -> bytes:
    """Return what two copies of one mail share, as in Inbox and Sent; a folder's copy has other headers."""
    named = (mail.message_id,) if mail.message_id else (mail.date, mail.subject, mail.body)
    return blake2b("\0".join((mail.sender, *named)).encode("utf-8", "replace"), digest_size=16).digest()


def _split(source: Source) -> Iterator[bytes | None]:
    """Yield each mail of a stream; None for one beyond :data:`MAIL_BYTES`."""
    with source.open() as stream:
        first = stream.readline(1 << 20).removeprefix(BOM)
        if not first.startswith(b"From "):
            rest = stream.read(MAIL_BYTES)
            yield first + rest if len(rest) < MAIL_BYTES else None
            return
        yield from _mbox(stream)


def _mbox(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Part mails at a line 'From ...' after an empty one and before a header; other such lines are words.

    A '>' that was put before such a line of a mail goes (mboxrd, http://qmail.org/man/man5/mbox.html).
    """
    lines: list[bytes] = []
    size, blank = 0, False
    line = stream.readline(1 << 20)
    while line:
        after = stream.readline(1 << 20)
        if blank and line.startswith(b"From ") and _FROM_LINE.match(line) and _NEXT_HEADER.match(after):
            yield b"".join(lines) if size <= MAIL_BYTES else None
            lines, size, blank, line = [], 0, False, after
            continue
        blank = not line.strip()
        size += len(line)
        if size <= MAIL_BYTES:
            lines.append(line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(b"From ") else line)
        line = after
    if lines:
        yield b"".join(lines) if size <= MAIL_BYTES else None


def topic_of(subject: str) -> str:
    """Bring a subject to what its replies have in common."""
    return " ".join(_TICKET_MARK.sub("", REPLY.sub("", subject)).casefold().split())


def threads_of(index: Sequence[Envelope], topics: Sequence[str]) -> list[list[int]]:
    """Group mails that refer to each other, and mails without any reference that share subject and people.

    Args:
        index: The mails.
        topics: What the subject of each has in common with its replies.
    """
    groups = UnionFind(len(index))
    by_name: dict[str, int] = {}
    for number, mail in enumerate(index):
        for name in (mail.message_id, *mail.references):
            if name:
                groups.join(by_name.setdefault(name, number), number)
    by_topic: dict[tuple[str, str], int] = {}
    for number, (mail, topic) in enumerate(zip(index, topics, strict=True)):
        if len(topic) < 4:
            continue
        alone = not mail.references
        for address in dict.fromkeys((mail.sender, *mail.recipients)):
            earlier = by_topic.setdefault((topic, address), number)
            if earlier != number and alone and _talk(index[earlier], mail):
                groups.join(earlier, number)
    return list(groups.groups().values())


def _talk(one: Envelope, other: Envelope) -> bool:
    """Tell two mails between the same people from two that went to the same address."""
    return one.sender == other.sender or one.sender in other.recipients or other.sender in one.recipients


def support_of(index: Sequence[Envelope], threads: Sequence[Sequence[int]]) -> set[str]:
    """Find the address that takes part in most threads; its domain stands for all of the team."""
    taking_part: Counter[str] = Counter()
    writing: Counter[str] = Counter()
    for members in threads:
        present = {address for member in members for address in (index[member].sender, *index[member].recipients)}
        taking_part.update(address for address in present if address)
    writing.update(mail.sender for mail in index if mail.sender)
    replying = Counter(mail.sender for mail in index if mail.references)
    if not taking_part:
        return set()
    asked = Counter(address for members in threads for address in index[members[0]].recipients)

    def weight(address: str) -> tuple[int, ...]:
        named = address.split("@")[0].split("+")[0] in words("support_names")
        return taking_part[address], named, asked[address], replying[address], writing[address]

    best = max(sorted(taking_part), key=weight)
    domain = best.rsplit("@", 1)[-1]
    return {best} if domain in words("public_domains") else {best, domain}


def _conversation(mails: Iterable[Mail], ours: set[str], number: int, mark: str) -> Conversation:
    listed = list(mails)
    roles: list[Role] = ["assistant" if _is_ours(mail, ours) else "user" for mail in listed]
    asked = "user" in roles
    messages = [
        Message(role, mail.body, mail.sender, mail.date, mail.html, _kind(mail, role, asked=asked))
        for mail, role in zip(listed, roles, strict=True)
    ]
    ordered = oldest_first(messages)
    opening = next((mail for mail in listed if mail.sender == ordered[0].author), listed[0])
    names: dict[str, list[str]] = defaultdict(list)
    for mail in listed:
        names[mail.sender].append(mail.sender_name)
    return Conversation(
        id=f"thread {number}",
        messages=ordered,
        subject=REPLY.sub("", without_mark(opening.subject, mark)),
        created_at=ordered[0].at,
        customer=asker(ordered),
        people=tuple(dict.fromkeys(name for group in names.values() for name in group if len(name) > 1)),
        source=opening.source,
    )


def _is_ours(mail: Mail, ours: set[str]) -> bool:
    return mail.sender in ours or mail.sender.rsplit("@", 1)[-1] in ours


def _kind(mail: Mail, role: Role, *, asked: bool) -> Kind:
    """Say what a mail is in its thread.

    OTRS, RT and osTicket send what an agent writes with 'Precedence: bulk', Zendesk with 'Auto-Submitted:
    auto-generated': from the support's side, in reply to a customer, that is an answer. From anybody else it is none.

    Args:
        mail: The mail.
        role: Its side.
        asked: Whether the thread has a mail of the customer's.
    """
    if mail.kind != "public":
        return mail.kind
    if mail.marked and not (role == "assistant" and asked and mail.references):
        return "auto_reply"
    allowed = 0.0 if role == "assistant" else UNREADABLE * len(mail.body)
    return "unreadable" if mail.lost > allowed else "public"
