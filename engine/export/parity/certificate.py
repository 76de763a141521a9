"""The certificate: what was compared, how, and what came of it; it lies in the export as parity.json.

It leaves with the export, so that it holds no word of a ticket: figures, hashes, and the questions of this program
itself with the adapter's answers to them, as tokens, by which another computer can try the export again (verify.py).
Held-out tickets and their tokens stay where they are.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from engine.errors import StudioError
from engine.export.parity.judging import Judgement, Verdict
from engine.export.parity.reference import Reference
from engine.export.parity.tolerances import Tolerance
from engine.export.passport import FILE as PASSPORT
from engine.task import Report
from engine.workspace import read_object, write_json

FILE = "parity.json"
VERSION = 1
MAX_BYTES = 20_000_000
"""Of the file: eight answers of 48 tokens with 20 likely ones each are 400 kB."""
_CHUNK = 4 * 2**20
_TITLE = "## Does it answer as what was tested?"

_IN_WORDS: dict[Verdict, str] = {
    "passed": "It answers as the playground does.",
    "failed": "It does NOT answer as the playground does.",
    "another model": "It is another model than the one that was tested, as was asked for.",
    "not replayed": "It was not replayed, so nothing is known.",
}
_NEARLY = "It answers nearly as the playground does, as near as its format allows: some words are others."
SAME = 0.95
"""Share of tokens that agree, below which an export that has passed does not answer 'as the playground does': 16 and 8
bit stay above it, 5 bit and less are below (tolerances.py)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """How an export was compared with the playground."""

    format: str
    """Its key, as in engine/export/registry.py."""
    quantisation: str
    verdict: Verdict
    reasons: tuple[str, ...]
    tool: str
    """What replayed it, in words, with versions."""
    held_out: int
    """Held-out tickets among the questions."""
    own: int
    """Questions of this program among them."""
    figures: dict[str, Any] | None
    """As engine.export.parity.compare.Figures, and "rounding_kl"; None where it was not replayed."""
    tolerance: dict[str, Any] | None
    base: str
    """The base model as others know it."""
    quant_type: str
    double_quant: bool
    files: dict[str, str]
    """Name in the export -> sha256 of its bytes; all but the certificate itself and the passport, which is written
    last and knows both."""
    made_at: float

    @property
    def sentence(self) -> str:
        """What it says, for a person."""
        same = (self.figures or {}).get("agreement", 1.0)
        nearly = self.verdict == "passed" and isinstance(same, float) and same < SAME
        return " ".join((_NEARLY if nearly else _IN_WORDS[self.verdict], *self.reasons))

    @property
    def is_doubtful(self) -> bool:
        """Whether a person is to be asked before the export is taken home."""
        return self.verdict == "failed"


def certificate(
    judgement: Judgement,
    *,
    format_: str,
    quantisation: str,
    tool: str,
    reference: Reference | None,
    tolerance: Tolerance | None,
    base: str,
    packed: tuple[str, bool],
) -> Certificate:
    """Put a certificate together; its files are still to be counted (:func:`seal`).

    Args:
        judgement: What came of the comparison.
        format_: The format's key.
        quantisation: How a GGUF is packed.
        tool: What replayed it, in words.
        reference: What was asked; None where nothing was.
        tolerance: The limits.
        base: The base model as others know it.
        packed: The base's quant_type and double_quant.
    """
    asked = reference.answers if reference else ()
    figures = judgement.figures
    return Certificate(
        format=format_,
        quantisation=quantisation,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        tool=tool,
        held_out=sum(not answer.travels for answer in asked),
        own=sum(answer.travels for answer in asked),
        figures=figures.to_json() | {"rounding_kl": judgement.rounding} if figures else None,
        tolerance=tolerance.to_json() if tolerance and figures else None,
        base=base,
        quant_type=packed[0],
        double_quant=packed[1],
        files={},
        made_at=time.time(),
    )


def seal(made: Certificate, reference: Reference | None, folder: Path, report: Report) -> Certificate:
    """Write a certificate into an export: the card's chapter, the hashes of all files, and parity.json.

    Args:
        made: The certificate.
        reference: What was asked; only what may travel is written.
        folder: The export.
        report: Progress; raises Cancelled.

    Returns:
        The certificate with the hashes.
    """
    card = folder / "README.md"
    if card.is_file():
        text = card.read_text(encoding="utf-8").partition(f"\n{_TITLE}\n")[0].rstrip()
        card.write_text(f"{text}\n\n{chapter(made)}", encoding="utf-8")
    sealed = replace(made, files=hashes(folder, report))
    values = {"version": VERSION, "certificate": asdict(sealed), "reference": None}
    if reference:
        values["reference"] = reference.travelling().to_json()
    write_json(folder / FILE, values)
    return sealed


def hashes(folder: Path, report: Report) -> dict[str, str]:
    """Return the sha256 of each file of an export but its certificate and passport, by its name in the folder."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if name in (FILE, PASSPORT):
            continue
        digest, size = hashlib.sha256(), max(1, file.stat().st_size)
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                report(f"Counting {file.name}", min(1.0, source.tell() / size))
        found[name] = digest.hexdigest()
    return found


def read_certificate(folder: Path) -> tuple[Certificate, Reference | None]:
    """Read the certificate of an export; a stranger may have written it.

    Raises:
        StudioError: There is none, or it is damaged.
    """
    file = folder / FILE
    if not file.is_file():
        raise StudioError(
            f"{folder.name} holds no parity certificate ({FILE} is missing).", "Export it again with this version."
        )
    if file.stat().st_size > MAX_BYTES:
        raise StudioError(f"{FILE} in {folder.name} is larger than any certificate.", "Export it again.")
    values = read_object(file)
    if values.get("version") != VERSION:
        raise StudioError(f"{FILE} in {folder.name} is damaged, or of another version.", "Export it again.")
    reference = Reference.from_json(values["reference"]) if values.get("reference") else None
    return certificate_of(values.get("certificate")), reference


def certificate_of(values: Any) -> Certificate:
    """Read a certificate from what was JSON; a stranger may have written it.

    Raises:
        StudioError: It is damaged.
    """
    try:
        return Certificate(
            format=str(values["format"]),
            quantisation=str(values["quantisation"]),
            verdict=_verdict(values["verdict"]),
            reasons=tuple(str(reason) for reason in values["reasons"]),
            tool=str(values["tool"]),
            held_out=int(values["held_out"]),
            own=int(values["own"]),
            figures=None if values["figures"] is None else dict(values["figures"]),
            tolerance=None if values["tolerance"] is None else dict(values["tolerance"]),
            base=str(values["base"]),
            quant_type=str(values["quant_type"]),
            double_quant=bool(values["double_quant"]),
            files={str(name): str(digest) for name, digest in values["files"].items()},
            made_at=float(values["made_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StudioError("The parity certificate is damaged.", "Export it again.") from error


def _verdict(value: Any) -> Verdict:
    if value not in get_args(Verdict):
        raise ValueError(f"{value!r}")
    return cast(Verdict, value)


def chapter(made: Certificate) -> str:
    """Return the card's chapter on the certificate."""
    rows = [("Verdict", made.verdict), ("Replayed with", made.tool or "nothing")]
    if made.figures:
        rows += _rows(made, made.figures)
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"{_TITLE}\n\n{made.sentence}\n\n| | |\n| --- | --- |\n{table}\n\n"
        "Compared place by place along the playground's greedy answers, in a fresh process. `python -m engine verify` "
        f"with this export's path, in Ticket Tuner's folder, tries it again on any computer, by {FILE}.\n"
    )


def _rows(made: Certificate, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    limits = made.tolerance or {}
    first = figures["first_divergence"]
    rows = [
        ("Asked", f"{made.held_out} held-out tickets, {made.own} general questions"),
        ("Greedy tokens that agree", f"{figures['agreement']:.2%} of {figures['places']:,}"),
        (
            "The same where the choice is clear",
            f"{figures['clear_agreement']:.2%} of {figures['clear']:,}"
            + (f" (at least {limits['clear_agreement']:.1%})" if limits else ""),
        ),
        ("First other token", f"token {first}" if first else "none"),
        ("Largest difference of log-probabilities", f"{figures['largest_difference']:.2g} nats"),
        ("Mean difference", f"{figures['mean_difference']:.2g} nats"),
        ("KL divergence", f"{figures['kl']:.2g} nats a token"),
    ]
    if figures.get("rounding_kl") is not None:
        rows.append(("The same, had it been rounded to 8 bit", f"{figures['rounding_kl']:.2g} nats a token"))
    return rows
