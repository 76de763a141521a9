"""What a person can choose about a data set. Validated once, where it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from phonenumbers import SUPPORTED_REGIONS

from engine.errors import TicketsError
from engine.tickets.dataset.edits import Edits
from engine.tickets.overrides import SourceOverrides

SPLITS = ("recent", "random")
RATED = ("", "not bad", "good")
_NOT_KEPT = frozenset(("edits", "same_files", "workers"))


@dataclass(frozen=True, slots=True)
class PrepareOptions:
    """How an export becomes a data set."""

    overrides: SourceOverrides = field(default_factory=SourceOverrides)
    """What the person knows better than the detection."""
    heldout: float = 0.1
    """Share of the conversations that is kept back for measuring, 0 to 0.5."""
    split: Literal["recent", "random"] = "recent"
    """``recent`` holds back the newest tickets (next week's questions), ``random`` any."""
    seed: int = 0
    """Seed of the random split."""
    mask: bool = True
    """Whether personal data becomes placeholders."""
    allow: tuple[str, ...] = ()
    """Terms that are never masked, such as a product that is called like a person."""
    extra_terms: tuple[str, ...] = ()
    """Terms that are always masked, beside what is found."""
    mask_numbers: bool = False
    """Whether the numbers of orders, invoices and customers become placeholders too."""
    second_look: str = ""
    """Folder of a token-classification model that reads every message for names; empty for none. It costs minutes."""
    country: str | None = None
    """Two-letter country of the help desk, such as ``DE``: national phone numbers are read its way."""
    min_answer_chars: int = 4
    """A last answer shorter than this many characters is left out, as are mere thanks and 'ok'; 0 to 10000."""
    canned_cap: int = 20
    """At most this many tickets may carry the same answers word for word, 1 or more; chat data sets are taken as is."""
    resolved_only: bool = False
    """Whether tickets that are not solved or closed are left out, where the export says so."""
    languages: tuple[str, ...] = ()
    """Two-letter codes of the languages to keep; empty keeps all."""
    exclude_agents: tuple[str, ...] = ()
    """Authors (id or name in the export) whose answers are left out."""
    rated: Literal["", "not bad", "good"] = ""
    """``not bad`` leaves out what customers rated bad, ``good`` all that they did not rate good; empty asks nobody."""
    least_good: float = 0.0
    """Agents of whose ratings a smaller share is good are left out, 0 to 1; 0 leaves none out, 0.5 is usual."""
    drop_reopened: bool = False
    """Whether tickets that were opened again are left out, where the export says so."""
    newest_days: int = 0
    """Tickets older than so many days before the newest one are left out, 0 to 36500; 0 leaves none out."""
    hub: Mapping[str, str] = field(default_factory=dict)
    """Where the files came from on the model hub: id, commit, part and licence; empty where they did not."""
    edits: Edits = field(default_factory=Edits)
    """What the person changed by hand: conversations and tags left out, answers rewritten."""
    same_files: bool = False
    """Whether these are the very files that the edits were made on, so that rows still have their numbers."""
    workers: int | None = None
    """Processes that clean and mask: 0 for none but this one, None to decide by cores and size."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            TicketsError: A value is out of its range; the message names the field.
        """
        if not 0 <= self.heldout <= 0.5:
            raise TicketsError(f"heldout is {self.heldout}, outside of 0 to 0.5.", "0.1 holds back every tenth ticket.")
        if self.country is not None and self.country.upper() not in SUPPORTED_REGIONS:
            raise TicketsError(f"country is {self.country!r}.", "Give its two-letter code, such as DE or GB.")
        if self.split not in SPLITS:
            raise TicketsError(f"split is {self.split!r}.", "Choose 'recent' or 'random'.")
        if not 0 <= self.min_answer_chars <= 10_000:
            raise TicketsError(f"min_answer_chars is {self.min_answer_chars}, outside of 0 to 10000.", "4 is usual.")
        if self.rated not in RATED:
            raise TicketsError(f"rated is {self.rated!r}.", "Choose '', 'not bad' or 'good'.")
        if not 0 <= self.least_good <= 1:
            raise TicketsError(f"least_good is {self.least_good}, outside of 0 to 1.", "0.5 is usual.")
        if not 0 <= self.newest_days <= 36_500:
            raise TicketsError(f"newest_days is {self.newest_days}, outside of 0 to 36500.", "365 is a year.")
        if self.canned_cap < 1:
            raise TicketsError(f"canned_cap is {self.canned_cap}, below 1.", "20 is usual.")

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without the edits and what is true of one import alone."""
        return {key: value for key, value in asdict(self).items() if key not in _NOT_KEPT}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Build the options from :meth:`to_json`; keys of a later version are passed over.

        Raises:
            TicketsError: A value is out of its range.
        """
        known = {entry.name for entry in fields(cls)} - _NOT_KEPT
        plain: dict[str, Any] = {
            key: tuple(item) if isinstance(item, list) else item for key, item in value.items() if key in known
        }
        overrides = dict(plain.pop("overrides", None) or {})
        overrides["agents"] = tuple(overrides.get("agents", ()))
        return cls(overrides=SourceOverrides(**overrides), **plain)
