"""The files of a data set on the Hugging Face hub -> the parts of it that can be read, with their sizes.

A card may name its files, by configuration and split (https://huggingface.co/docs/hub/datasets-manual-configuration);
otherwise the splits are read off the files' names, as the hub does. Asks nobody: fetching is a service's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from engine.errors import TicketsError

MOST_FILES = 1_000
_FAMILIES = (
    ("parquet",),
    ("arrow",),
    ("jsonl", "ndjson", "json"),
    ("csv", "tsv"),
    ("xlsx",),
    ("xml",),
    ("mbox", "zip"),
)
"""Endings of what is read; of several families of files, which usually hold the same, the first is taken."""
_NOT_DATA = frozenset(("dataset_info.json", "dataset_infos.json", "state.json", "config.json", "package.json"))
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_WORD = re.compile(r"[a-z]+")
_CONVERTED = re.compile(r"(?P<config>[^/]+)/(?P<split>[^/]+)/\d{4}\.parquet")
"""How the hub lays out its own copies in Parquet (revision refs/convert/parquet)."""
_PAGE = re.compile(
    r"https?://(?:huggingface|hf)\.co/(?:datasets/)?(?P<id>[^/?#:@]+(?:/(?!(?:tree|viewer|blob|resolve)\b)[^/?#:@]+)?)"
    r"(?:/(?:tree|blob|resolve)/(?P<revision>[^/?#]+)[^?#]*|/viewer/(?P<part>[^?#]+)|/viewer)?/?(?:[?#].*)?",
    re.IGNORECASE,
)
"""The address of a data set's page, of its files, or of its viewer."""
_REFERENCE = re.compile(
    r"(?:hf:(?://)?)?(?:datasets/)?"
    r"(?P<id>[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?)"
    r"(?:@(?P<revision>[\w./-]{1,200}))?(?::(?P<part>\w[\w./ -]{0,199}))?/?"
)
_PATTERN_CHARS, _PATTERN_STARS = 200, 6
"""Beyond these a pattern of a stranger's card could keep the computer busy; it then names nothing."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a person typed."""

    id: str
    revision: str = ""
    """A branch, a tag or a commit; the newest when empty."""
    part: str = ""
    """A split, a configuration, or both as 'configuration/split'; the usual one when empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """Files that belong together: a split of a configuration."""

    name: str
    files: tuple[tuple[str, int], ...]
    """Name inside of the repository, bytes."""

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(size for _, size in self.files)


@dataclass(frozen=True, slots=True)
class HubData:
    """What the hub says of a data set."""

    id: str
    commit: str
    licence: str
    """As its card names it; empty where it names none."""
    parts: tuple[Part, ...]
    """What can be read; the one that is usually meant stands first."""

    def part(self, name: str) -> Part:
        """Return a part by its name, or the first one of a configuration; the usual one for an empty name.

        Raises:
            TicketsError: There is no such part; the message lists those there are.
        """
        if not name:
            return self.parts[0]
        exact = [part for part in self.parts if part.name == name]
        ends = [part for part in self.parts if part.name.startswith(f"{name}/") or part.name.endswith(f"/{name}")]
        if found := [*exact, *ends]:
            return found[0]
        listed = ", ".join(part.name for part in self.parts[:20]) + (" and more" if len(self.parts) > 20 else "")
        raise TicketsError(f"{self.id} has no part '{name[:60]}'.", f"It has {listed}.")

    def record(self, part: Part) -> dict[str, str]:
        """Return what is kept with the data set that is made of a part."""
        return {"id": self.id, "commit": self.commit, "part": part.name, "licence": self.licence}


@dataclass(frozen=True, slots=True)
class FetchedData:
    """Files of the hub that are here."""

    files: tuple[Path, ...]
    record: dict[str, str]
    """What is kept with a data set that is made of them: id, commit, part, licence."""


def is_reference(text: str) -> bool:
    """Whether a word of the command line names a data set on the hub: it begins with ``hf:``."""
    return text.startswith("hf:")


def reference(text: str) -> Reference:
    """Read what a person typed: ``owner/name``, ``hf:owner/name@revision:part``, or the address of its page.

    Raises:
        TicketsError: It is no name of a data set.
    """
    if page := _PAGE.fullmatch(text.strip()):
        revision, part = (
            f"{mark}{page[name]}" if page[name] else "" for mark, name in (("@", "revision"), (":", "part"))
        )
        text = unquote(f"{page['id']}{revision}{part}")
    match = _REFERENCE.fullmatch(text.strip())
    if not match or ".." in text or match["id"] == "datasets":
        raise TicketsError(
            f"'{text.strip()[:80]}' is no name of a data set on the hub.",
            "Write it as owner/name, or as owner/name:test for another part of it.",
        )
    return Reference(match["id"], match["revision"] or "", (match["part"] or "").strip("/ "))


def parts_of(sizes: Mapping[str, int], card: Mapping[str, Any]) -> tuple[Part, ...]:
    """Say which parts a data set has.

    Args:
        sizes: Name -> bytes of every file in the repository.
        card: The data at the head of its README.

    Returns:
        Parts, the usual one first: of the default configuration, what is to be trained on; empty where nothing can be
        read.
    """
    readable = {name: size for name, size in sizes.items() if _family(name) is not None and _is_safe(name)}
    configs = [config for config in _list(card.get("configs")) if isinstance(config, dict)]
    named = [(_text(config.get("config_name")), config) for config in configs]
    named.sort(key=lambda pair: (pair[1].get("default") is not True, pair[0] != "default"))
    groups: dict[str, dict[str, int]] = {}
    for name, config in named:
        for split, file in _named(config, readable):
            part = f"{name}/{split}" if name and len(named) > 1 else split
            groups.setdefault(part, {})[file] = readable[file]
    if not groups:
        for part, file in _told_by_names(readable):
            groups.setdefault(part, {})[file] = readable[file]
    parts = [Part(name, tuple(sorted(files.items()))) for name, files in groups.items()]
    first = parts[0].name.rpartition("/")[0] if parts else ""
    parts.sort(key=lambda part: (part.name.rpartition("/")[0] != first, part.name.rpartition("/")[2] != "train"))
    return tuple(parts)


def is_script(sizes: Iterable[str], identifier: str) -> bool:
    """Whether a repository holds a program that would fetch its data from elsewhere."""
    return f"{identifier.rpartition('/')[2]}.py" in sizes


def _named(config: Mapping[str, Any], readable: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield split and file for what a configuration of a card names."""
    folder = _text(config.get("data_dir")).strip("/")
    listed = config.get("data_files")
    if listed is None:
        inside = {name: size for name, size in readable.items() if folder and name.startswith(f"{folder}/")}
        yield from ((part.rpartition("/")[2], name) for part, name in _told_by_names(inside))
        return
    if isinstance(listed, dict):
        listed = [{"split": split, "path": path} for split, path in listed.items()]
    for entry in _list(listed):
        split, paths = (entry.get("split"), entry.get("path")) if isinstance(entry, dict) else ("train", entry)
        for pattern in map(_text, _list(paths)):
            fits = _pattern("/".join(filter(None, (folder, pattern.removeprefix("./")))))
            yield from ((_text(split) or "train", name) for name in readable if fits and fits.fullmatch(name))


def _told_by_names(readable: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield part and file, read off the files' names."""
    families = {name: _family(name) for name in readable}
    first = min((family for family in families.values() if family is not None), default=None)
    for name in readable:
        if families[name] != first:
            continue
        if converted := _CONVERTED.fullmatch(name):
            yield f"{converted['config']}/{converted['split']}", name
        else:
            words = [_SPLITS[word] for word in reversed(_WORD.findall(name.lower())) if word in _SPLITS]
            yield (words[0] if words else "train"), name


def _family(name: str) -> int | None:
    """Return which family of files a name belongs to; None for what is not read."""
    path = PurePosixPath(name.lower().removesuffix(".gz"))
    if path.name in _NOT_DATA or any(folder.startswith(".") for folder in path.parts):
        return None
    ending = path.suffix.removeprefix(".")
    return next((number for number, family in enumerate(_FAMILIES) if ending in family), None)


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _pattern(text: str) -> re.Pattern[str] | None:
    """Turn a pattern of a card into one of ours: ``*`` stays within a folder, ``**`` does not."""
    if len(text) > _PATTERN_CHARS or text.count("*") > _PATTERN_STARS:
        return None
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[\w-]+\])", text)
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    try:
        return re.compile(
            "".join(meant.get(piece, piece if piece[:1] == "[" else re.escape(piece)) for piece in pieces)
        )
    except re.error:
        return None


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
