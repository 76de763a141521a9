"""What the window shows of each format for one run, the exports that lie in the run's folder already among it.

runs/<id>/exports/<slug>-<format>/       each with its passport.json
adapters/<id>/exports/<slug>-<format>/   of an adapter that was brought in
"""

import shutil
from pathlib import Path

from engine.errors import StudioError
from engine.export.format import Choices, Format
from engine.export.making import bytes_needed
from engine.export.parity.certificate import read_certificate
from engine.export.passport import FILE as PASSPORT
from engine.export.passport import read_passport
from engine.export.records import Made, Offer, PackingOffer, Proof
from engine.export.source import ExportSource
from engine.workspace import slug

EXPORTS = "exports"
"""Their folder in a run's."""


def offer(source: ExportSource, format_: Format) -> Offer:
    """Return what is shown of a format; quick, and loads no model.

    Args:
        source: A run's result.
        format_: The format.
    """
    choices = Choices()
    refusal = format_.refusal(source)
    return Offer(
        format_.key,
        format_.title,
        format_.purpose,
        format_.replayed_with,
        None if refusal else format_.bytes_of(source, choices),
        0 if refusal else bytes_needed(source, format_, choices, zipped=format_.zipped),
        shutil.disk_usage(source.adapter).free,
        refusal,
        tuple(PackingOffer(each, None if refusal else _size(source, format_, each)) for each in format_.quantisations),
        made(source, format_),
    )


def _size(source: ExportSource, format_: Format, quantisation: str) -> int | None:
    """Bytes of an export; None too where llama.cpp would have to pack it and is not here, which is told when asked."""
    try:
        return format_.bytes_of(source, Choices(quantisation=quantisation))
    except StudioError:
        return None


def place(source: ExportSource, format_: Format) -> Path:
    """Return where the window puts an export."""
    return source.home / EXPORTS / f"{slug(source.name)}-{format_.key}"


def made(source: ExportSource, format_: Format) -> Made | None:
    """Return the export of a format that lies in its folder, whatever the run or adapter was called then."""
    for folder in sorted((source.home / EXPORTS).glob(f"*-{format_.key}")):
        try:
            told = read_passport(folder)
        except StudioError:
            continue
        if told.get("format") == format_.key:
            return _made(source, format_, folder, told)
    return None


def _made(source: ExportSource, format_: Format, folder: Path, told: dict[str, object]) -> Made:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return Made(
        folder,
        sum(path.stat().st_size for path in files),
        (folder / PASSPORT).stat().st_mtime,
        str(told.get("quantisation") or ""),
        str(told.get("onto") or ""),
        format_.commands(source, folder),
        told.get("step", 0) != source.step,
        _proof(folder),
    )


def _proof(folder: Path) -> Proof | None:
    try:
        certificate, _ = read_certificate(folder)
    except StudioError:
        return None
    return Proof(certificate.verdict, certificate.sentence)
