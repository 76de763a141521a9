"""Exports that are known to hold no conversation: told by their header, refused with the way to the right one.

Which those are stands in words/metadata_only.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.tickets.importing.header_parts import plain
from engine.tickets.importing.words import words


@dataclass(frozen=True, slots=True)
class MetadataOnly:
    """A list of tickets without what was said in them."""

    format: str
    label: str
    headers: tuple[str, ...]
    """All of these, in any order, tell it."""
    message: str
    remedy: str


@cache
def _known() -> tuple[MetadataOnly, ...]:
    """The table words/metadata_only.toml: one for each list of headers."""
    text = (Path(__file__).parent / "words" / "metadata_only.toml").read_text(encoding="utf-8")
    return tuple(
        MetadataOnly(**{**entry, "headers": tuple(headers)})
        for entry in tomllib.loads(text)["table"]
        for headers in entry["headers"]
    )


def metadata_only(columns: Sequence[str]) -> MetadataOnly | None:
    """Tell a table of mere metadata by its header.

    Args:
        columns: The headers as the file has them.

    Returns:
        What it is and where the right export is; None when the header is not one of these.
    """
    names = {plain(column) for column in columns}
    if names & words("spoken_columns"):
        return None
    return next((known for known in _known() if names.issuperset(known.headers)), None)
