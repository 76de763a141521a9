"""GitHub: issues and discussions with their comments, from ``gh``, the REST API, or both lists apart.

The issue's author asks; owners, members and collaborators of the repository answer. Pull requests are no questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, oldest_first, words
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "github"
LABEL = "GitHub issues"
GUIDE = (
    "gh issue list --json number,title,body,author,comments; or the REST API",
    "JSON",
    "issues and discussions; members answer; bots and pull requests are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "These are GitHub's issues without their comments, so there are no answers in it.",
    "Fetch them with: gh issue list --state all --limit 1000 --json number,title,body,state,author,comments,createdAt",
)
_OURS = ("OWNER", "MEMBER", "COLLABORATOR")
_ISSUE = re.compile(r"/(?:issues|discussions)/(\d{1,10})(?:$|[#/?])")


def evidence(record: Json) -> str:
    """Say what in a record is GitHub's; empty when it is not."""
    if _is_comment(record):
        return "comments with issue_url and author_association"
    if "number" not in record or "title" not in record or not _is_written(record):
        return ""
    if "author_association" in record or "comments_url" in record:
        return "number, title and user.login"
    return "number, title and author.login" if "comments" in record or "state" in record else ""


def has_messages(record: Json) -> bool:
    """Tell comments, and issues with theirs, from issues alone."""
    return _is_comment(record) or bool(_comments(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation an issue."""
    for issue in join(records, _parent, lambda value: bool(_comments(value)), ("number",)):
        yield _conversation(issue)


def _is_comment(record: Json) -> bool:
    return "issue_url" in record and "author_association" in record and "body" in record


def _parent(record: Json) -> str:
    found = _ISSUE.search(first(record, "issue_url")) if _is_comment(record) else None
    return found[1] if found else ""


def _comments(record: Json) -> list[Json]:
    """Return the comments and their replies; the REST API has only their number there."""
    comments = record.get("comments")
    listed = objects(comments.get("nodes")) if isinstance(comments, dict) else objects(comments)
    replies = (objects(object_at(comment, "replies").get("nodes")) for comment in listed)
    return [entry for comment, more in zip(listed, replies, strict=True) for entry in (comment, *more)]


def _is_written(record: Json) -> bool:
    """Tell whether GitHub names the writer, or that his account is gone: ``"author": null``."""
    gone = ("author" in record and record["author"] is None) or ("user" in record and record["user"] is None)
    return bool(_login(record)) or (gone and bool(_comments(record)))


def _login(record: Json) -> str:
    return first(object_at(record, "author"), "login") or first(object_at(record, "user"), "login")


def _conversation(joined: Joined) -> Conversation:
    issue = joined.ticket
    asker = _login(issue)
    comments = [*_comments(issue), *joined.messages]
    opening = Message("user", first(issue, "body") or first(issue, "title"), asker, _written(issue), kind=_kind(issue))
    replies = oldest_first(_reply(comment, asker) for comment in comments)
    names = dict.fromkeys((asker, *(_login(comment) for comment in comments)))
    return Conversation(
        id=joined.id,
        messages=(opening, *replies) if issue else replies,
        subject=first(issue, "title"),
        tags=words(issue.get("labels")),
        created_at=_written(issue),
        # An open issue is often answered, but for that a maintainer has not closed it.
        status="",
        customer=asker,
        people=tuple(name for name in names if len(name) > 2),
        source=joined.source,
    )


def _reply(comment: Json, asker: str) -> Message:
    login = _login(comment)
    standing = first(comment, "authorAssociation", "author_association").upper()
    ours = (login != asker or not login) and (standing in _OURS or comment.get("isAnswer") is True)
    return Message(
        "assistant" if ours else "user", first(comment, "body"), login, _written(comment), kind=_kind(comment)
    )


def _written(post: Json) -> str:
    return first(post, "createdAt", "created_at")


def _kind(post: Json) -> Kind:
    if "pull_request" in post or "headRefName" in post:
        return "system"
    user = object_at(post, "user") or object_at(post, "author")
    if first(user, "type") == "Bot" or user.get("is_bot") is True or _login(post).endswith("[bot]"):
        return "bot"
    return "hidden" if post.get("isMinimized") is True else "public"
