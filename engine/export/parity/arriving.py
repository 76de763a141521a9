"""Try an adapter that was brought in, by the same comparison as every export.

It is written as this program would export it and replayed in a fresh process. Where it has brought the answers of the
playground that it comes from (parity.json), it has to give those; else it has to answer as the playground here does.
"""

from pathlib import Path

from engine.errors import Cancelled, StudioError
from engine.export.fitting import home_of
from engine.export.formats.adapter import ADAPTER
from engine.export.parity.certificate import FILE, read_certificate
from engine.export.parity.certifying import certify
from engine.export.parity.reference import Reference
from engine.export.records import Choices, Proof
from engine.export.source import ExportSource
from engine.model.sources import public_name
from engine.scratch import scratch
from engine.task import Report
from engine.workspace import disk_errors


def try_arrived(source: ExportSource, report: Report) -> Proof:
    """Replay an adapter that was brought in.

    Args:
        source: The adapter.
        report: Told what is being done; raises Cancelled.

    Returns:
        What came of it, in words; 'not replayed' where its base is not on this computer, or cannot be had now.

    Raises:
        Cancelled: ``report`` said so.
    """
    if home_of(source.recipe.model, source.cache) is None:
        base = public_name(source.recipe.model)
        return Proof("not replayed", f"It was not tried: its base model '{base}' is not on this computer yet.")
    brought = _brought(source.adapter)
    measure = (
        "Tried against the answers that came with it, of the playground that it comes from."
        if brought
        else "It came without answers to compare with, so it was tried against the playground here."
    )
    try:
        with disk_errors(source.cache), scratch(source.cache, "trial") as temporary:
            folder = temporary / "adapter"
            folder.mkdir()
            ADAPTER.write(source, Choices(), folder, report)
            found = certify(source, ADAPTER, Choices(), folder, report, against=brought)
    except Cancelled:
        raise
    except StudioError as error:
        return Proof("not replayed", f"It was not tried: {error.message}")
    return Proof(found.verdict, f"{measure} {found.sentence}")


def _brought(adapter: Path) -> Reference | None:
    """The answers that came with an adapter; None where it brought none, or those of another kind of export."""
    if not (adapter / FILE).is_file():
        return None
    made, asked = read_certificate(adapter)
    return asked if asked and asked.answers and made.format == ADAPTER.key else None
