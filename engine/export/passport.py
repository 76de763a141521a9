"""passport.json: where an export comes from, in hashes, counts and settings, and never a word of a ticket.

Whoever gets the export can tell from it whether a base is the one that was trained over, whether a file was altered on
the way, and whether two exports come from the same tickets.
"""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.export.card import kept_evaluation
from engine.export.files import write_json_text
from engine.export.format import Choices, Format
from engine.export.source import PASSPORT, ExportSource
from engine.model.adapter_files import BASE, WEIGHTS
from engine.model.sources import public_name
from engine.task import Report
from engine.tickets.dataset.files import HELDOUT, REPORT, TRAIN
from engine.workspace import read_object

FILE = PASSPORT
VERSION = 1
HUB = "hub.json"
"""Beside an adapter that was fetched from the model hub: which, of which commit."""
_CHUNK = 4 * 2**20
_COUNTS = ("format", "tickets_read", "conversations_kept", "dropped", "redactions", "languages")
"""Fields of a data set's report that are names of reasons and numbers, and no text."""


def write_passport(source: ExportSource, format_: Format, choices: Choices, folder: Path, report: Report) -> None:
    """Write the passport of what a format has written.

    Args:
        source: What was exported.
        format_: As what.
        choices: What the person has chosen.
        folder: The files, complete; each is named in the passport with its hash.
        report: Called while they are read; raises Cancelled.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stage = "Taking fingerprints"
    values = {
        "passport": VERSION,
        "program": _program(),
        "format": format_.key,
        **({"onto": choices.onto} if format_.key == "merged" else {}),
        **({"quantisation": choices.quantisation} if choices.quantisation else {}),
        "step": source.step,
        "base": _base(source),
        "recipe": source.recipe.to_dict() | {"model": public_name(source.recipe.model)},
        "template_sha256": _template(source.tokenizer(report)),
        "adapter_sha256": _digest(source.adapter / WEIGHTS, report, stage),
        "data": _data(source, report, stage),
        "heldout_loss": _heldout(source),
        "environment": source.environment,
        "imported": _imported(source),
        "files": {path.relative_to(folder).as_posix(): _digest(path, report, stage) for path in files},
    }
    write_json_text(folder / FILE, {name: value for name, value in values.items() if value not in (None, {}, "")})


def read_passport(folder: Path) -> dict[str, Any]:
    """Return the passport in a folder; empty where there is none.

    Raises:
        StudioError: It is damaged.
    """
    return read_object(folder / FILE) if (folder / FILE).is_file() else {}


def altered(folder: Path, passport: dict[str, Any], report: Report) -> list[str]:
    """Return the names of files that are not as the passport says: other bytes, or gone."""
    named = passport.get("files")
    found = named.items() if isinstance(named, dict) else ()
    return [
        str(name)
        for name, digest in found
        if not _is_inside(folder, str(name)) or _digest(folder / name, report, "Comparing fingerprints") != digest
    ]


def weights_mark(source: ExportSource) -> str:
    """Return the mark of the weights that were trained over (engine/model/fingerprint.py); empty where it is unknown.

    It lies beside a finished adapter; a checkpoint has it from the run's own record.
    """
    noted = _object(source.adapter / BASE).get("mark") or source.environment.get("base_weights")
    return noted if isinstance(noted, str) else ""


def _base(source: ExportSource) -> dict[str, Any]:
    return {
        "model": public_name(source.recipe.model),
        "revision": source.revision,
        "weights_mark": weights_mark(source) or None,
        "packed": {"type": source.recipe.quant_type, "double_quantisation": source.recipe.double_quant},
    }


def _data(source: ExportSource, report: Report, stage: str) -> dict[str, Any]:
    """The data set in hashes and counts."""
    if source.run is None:
        return {}
    files = {"train": source.run.data / TRAIN, "heldout": source.run.data / HELDOUT}
    there = {name: file for name, file in files.items() if file.is_file()}
    told = _object(source.run.data / REPORT)
    return {
        **{
            name: {"conversations": _lines(file), "sha256": _digest(file, report, stage)}
            for name, file in there.items()
        },
        "report": {name: told[name] for name in _COUNTS if name in told},
    }


def _heldout(source: ExportSource) -> dict[str, Any]:
    """The loss on held-out tickets in nats a token, of the base and of the weights that were kept."""
    if source.run is None:
        return {}
    history = source.run.history.read()
    after = kept_evaluation(history, source.result)
    return {
        **({"base": history.before.loss} if history.before else {}),
        **({"tuned": after.loss, "step": after.step} if after else {}),
    }


def _imported(source: ExportSource) -> dict[str, Any]:
    """Where an adapter was brought in from, its own passport among it, which may say the same of an earlier one."""
    if source.run:
        return {}
    about, hub = source.about, _object(source.adapter / HUB)
    told = {"from": about.get("source"), "at": about.get("imported_at"), "hub": hub, "passport": source.passport}
    return {name: value for name, value in told.items() if value}


def _template(adapter: Path) -> str | None:
    """The hash of the chat template, wherever transformers has put it."""
    file = adapter / "chat_template.jinja"
    if file.is_file():
        return hashlib.sha256(file.read_bytes()).hexdigest()
    template = _object(adapter / "tokenizer_config.json").get("chat_template")
    return hashlib.sha256(json.dumps(template).encode()).hexdigest() if template else None


def _program() -> str:
    try:
        return f"Ticket Tuner {version('ticket-tuner')}"
    except PackageNotFoundError:
        return "Ticket Tuner"


def _object(file: Path) -> dict[str, Any]:
    """A file of JSON; nothing where it is missing or damaged: the passport does without."""
    try:
        return read_object(file)
    except StudioError:
        return {}


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def _digest(file: Path, report: Report, stage: str) -> str | None:
    """sha256 of a file, as hexadecimal digits; None where it is gone."""
    if not file.is_file():
        return None
    found = hashlib.sha256()
    for piece in _pieces(file):
        found.update(piece)
        report(stage, None)
    return found.hexdigest()


def _pieces(file: Path) -> Iterable[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _is_inside(folder: Path, name: str) -> bool:
    """Whether a name from a stranger's passport is that of a file in the folder."""
    return (folder / name).resolve().is_relative_to(folder.resolve())
