"""What the endpoint offers, as a person has chosen it: whether it is on at all, and which model under which name.

    <root>/endpoint.json   {"on", "offered": {"voice's id": "name"}, "dataset"}

The name is what a help desk is set up with: it stays when a run is renamed.
"""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from engine.chat.records import Voice
from engine.errors import StudioError
from engine.workspace import read_object, slug, write_json

FILE = "endpoint.json"


@dataclass(frozen=True)
class Offers:
    """The choice."""

    on: bool = False
    offered: dict[str, str] = field(default_factory=dict)
    """Id of a voice -> the name of the model that it answers as."""
    dataset: str = ""
    """The data set in which a model looks tickets up that has none of its own; empty for none."""

    def with_offer(self, voice: Voice) -> "Offers":
        """Offer a voice too, under a name of its own."""
        if voice.id in self.offered:
            return self
        return replace(self, offered={**self.offered, voice.id: _free_name(voice, set(self.offered.values()))})

    def without(self, voice: str) -> "Offers":
        """Offer a voice no longer."""
        return replace(self, offered={known: name for known, name in self.offered.items() if known != voice})


def can_be_offered(voice: Voice) -> bool:
    """Whether a voice stays what it is: the base, a finished run, an imported adapter; not a run as it trains."""
    return "@" not in voice.id and not voice.id.endswith("+lookup")


def everything(voices: Sequence[Voice], dataset: str = "") -> Offers:
    """Offer all that can be offered."""
    offers = Offers(on=True, dataset=dataset)
    for voice in voices:
        if can_be_offered(voice):
            offers = offers.with_offer(voice)
    return offers


def _free_name(voice: Voice, taken: set[str]) -> str:
    plain = "base" if voice.id == "base" else slug(voice.label)
    names = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


class OffersFile:
    """The choice as it is kept in a workspace; read again whenever the file has changed.

    Args:
        root: The workspace's folder.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / FILE
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._known = Offers()

    def get(self) -> Offers:
        """Return the choice; what is damaged offers nothing."""
        with self._lock:
            try:
                stat = self._file.stat()
            except OSError:
                return Offers()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark != self._seen:
                self._known, self._seen = _read(self._file), mark
            return self._known

    def keep(self, offers: Offers) -> None:
        """Keep a choice.

        Raises:
            ResourceError: The disk is full.
        """
        write_json(self._file, asdict(offers))


def _read(file: Path) -> Offers:
    try:
        value = read_object(file)
    except StudioError:
        return Offers()
    offered = value.get("offered")
    sound = {str(voice): str(name) for voice, name in offered.items()} if isinstance(offered, dict) else {}
    return Offers(value.get("on") is True, sound, str(value.get("dataset") or ""))
