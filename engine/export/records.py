"""Plain records of the export: what a person chooses, what the window shows of a format, and of what was made."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import StudioError

ONTO = ("trained", "original")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chooses beside the format; each format reads what concerns it."""

    with_tickets: bool = False
    """Whether the masked tickets that it has learnt from travel too, for look-up."""
    onto: str = "trained"
    """Over which weights an adapter is merged: the 4-bit ones that it was trained over, or the original 16-bit ones."""
    quantisation: str = ""
    """How a GGUF is packed, one of the format's :attr:`Format.quantisations`; empty takes the first."""

    def __post_init__(self) -> None:
        if self.onto not in ONTO:
            raise StudioError(f"'{self.onto[:40]}' is nothing to merge onto.", f"Pick one of: {', '.join(ONTO)}.")


@dataclass(frozen=True, slots=True)
class Command:
    """What a person types to use an export with a tool."""

    tool: str
    """'transformers', 'vLLM', 'llama.cpp', 'LM Studio', 'Ollama', 'Ticket Tuner'."""
    lines: str
    """One or more lines for a terminal, whole: nothing is to be filled in."""
    note: str = ""
    """One sentence on what they need or do."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of trying an export against the playground (parity/certificate.py)."""

    verdict: str
    """'passed', 'failed', 'another model' or 'not replayed'."""
    sentence: str

    @property
    def is_doubtful(self) -> bool:
        """Whether a person is asked before it is taken home."""
        return self.verdict == "failed"


@dataclass(frozen=True, slots=True)
class Made:
    """An export in the run's folder."""

    folder: Path
    size: int
    """Bytes of its files."""
    at: float
    """Unix seconds."""
    quantisation: str
    """How a GGUF is packed; else empty."""
    onto: str
    """'original' where it was merged onto other weights than those that were trained over."""
    commands: tuple[Command, ...]
    is_older: bool
    """Whether it was made of an earlier step than the run has by now."""
    proof: Proof | None = None
    """None where it was never tried."""


@dataclass(frozen=True, slots=True)
class PackingOffer:
    """One way in which a format can be packed."""

    key: str
    """One of the format's :attr:`engine.export.format.Format.quantisations`."""
    size: int | None
    """Bytes of its files; None where that is not known beforehand."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A format, for one run."""

    key: str
    title: str
    purpose: str
    replayed_with: str
    size: int | None
    """Bytes of its files; None where that is not known beforehand."""
    needed: int
    """Bytes that it needs on the disk while it is made; 0 where that is not known."""
    free: int
    """Bytes free on the disk that holds the run."""
    refusal: str
    """Why it cannot be had, in a sentence; empty where it can."""
    packings: tuple["PackingOffer", ...]
    """How it can be packed, the one that is proposed first; empty where nothing is chosen."""
    made: Made | None


@dataclass(frozen=True, slots=True)
class Sending:
    """What of an export would be sent to the model hub."""

    files: tuple[tuple[str, int], ...]
    """Name and bytes."""
    left_out: tuple[str, ...]
    """Files of it that stay here."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An export on the model hub."""

    repository: str
    address: str
    """Of its page."""
    commit: str
    private: bool
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Brought:
    """What has come from elsewhere."""

    voice: str
    """Its id in the playground."""
    label: str
    proof: Proof | None
    """How an adapter answers; None for a whole model, which is a base and has nothing to be compared with."""

    @property
    def is_model(self) -> bool:
        """Whether it is a whole model, to train over."""
        return self.voice.startswith("model:")
