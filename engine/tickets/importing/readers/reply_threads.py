"""The messages of a channel in which many people talk at once -> threads, by what replies to what.

A message without a reply mark belongs to the talk that its author took part in last, or to the message before it where
he has been silent for long, unless somebody replies to it, which makes it the beginning of a talk; a long silence ends
a talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.tickets.union_find import UnionFind

SILENCE = 6 * 3600.0
"""Seconds after which somebody who writes begins anew."""


@dataclass(frozen=True, slots=True)
class Post:
    """What threading needs of a message; its words may wait elsewhere."""

    id: str
    parent: str
    """The id of what it replies to; empty where it names nothing."""
    author: str
    at: float | None
    """Seconds since 1970."""


def reply_threads(posts: Sequence[Post], alone: bool = False) -> list[list[int]]:
    """Group messages into threads.

    Args:
        posts: The messages of one channel, oldest first.
        alone: Whether only two talk there, so that no message can belong to another talk.

    Returns:
        The places of each thread's messages, in their order; threads in the order of their beginnings.
    """
    groups = UnionFind(len(posts))
    places = {post.id: place for place, post in enumerate(posts) if post.id}
    asked = {post.parent for post in posts if post.parent}
    latest: dict[str, int] = {}
    for place, post in enumerate(posts):
        parent = places.get(post.parent) if post.parent else None
        if parent is not None:
            groups.join(parent, place)
        elif alone or post.id not in asked:
            near = place - 1 if alone else latest.get(post.author, place - 1)
            soon = next((other for other in (near, place - 1) if other >= 0 and _is_soon(posts[other], post)), None)
            if soon is not None:
                groups.join(soon, place)
        latest[post.author] = place
    return [sorted(members) for _, members in sorted(groups.groups().items())]


def _is_soon(earlier: Post, later: Post) -> bool:
    return earlier.at is None or later.at is None or later.at - earlier.at <= SILENCE
