"""Try an export again, on any computer: its files, its base, and how it answers the questions that came with it.

Nothing in the export is run: its weights are loaded by the tool that it is meant for, its script is only read.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError, StudioError
from engine.export.importing import MAX_ENTRIES, check_entry, extract
from engine.export.parity.certificate import Certificate, hashes, read_certificate
from engine.export.parity.certifying import replayed
from engine.export.parity.jobs import job_for
from engine.export.parity.reference import Reference
from engine.export.parity.tolerances import tolerance_for
from engine.export.passport import altered, read_passport
from engine.model.fingerprint import weights_mark
from engine.model.sources import resolve
from engine.scratch import scratch
from engine.task import Report
from engine.workspace import disk_errors


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What looking at an export has come to."""

    certificate: Certificate
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return all(check.passed for check in self.checks)


def verify(path: Path, cache: Path, base: str, report: Report) -> Verified:
    """Look at an export.

    Args:
        path: A .zip or a folder that was exported here, or a file in such a folder.
        cache: The workspace's, where the starter model lies and where a .zip is unpacked for a while.
        base: The base model, where the one that the export names is not known on this computer: as in a recipe.
        report: Told what is being done; raises Cancelled.

    Raises:
        Cancelled: ``report`` said so.
        StudioError: It is no export, or holds no certificate.
    """
    with _files(path, cache, report) as folder:
        made, reference = read_certificate(folder)
        checks = [_same_files(made, hashes(folder, report), altered(folder, read_passport(folder), report))]
        if checks[0].passed:
            checks += _answers(made, reference, folder, cache, base, report)
        return Verified(made, tuple(checks))


@contextmanager
def _files(path: Path, cache: Path, report: Report) -> Iterator[Path]:
    """Give the folder of an export; a .zip is unpacked for as long as the context lasts."""
    if path.is_dir():
        yield path
    elif zipfile.is_zipfile(path):
        with disk_errors(cache), scratch(cache, "verify") as temporary:
            folder = temporary / path.stem
            folder.mkdir()
            _unpack(path, folder, report)
            yield folder
    elif path.is_file():
        yield path.parent
    else:
        raise StudioError(f"There is no {path}.", "Name the .zip or the folder of an export.")


def _unpack(path: Path, folder: Path, report: Report) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise ModelError(
                    f"{path.name} holds {len(entries):,} files; an export has about ten.",
                    "Name the .zip or the folder of an export.",
                )
            for entry in entries:
                check_entry(entry, path.name)
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                extract(archive, entry, target, report)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, FileExistsError) as error:
        raise ModelError(f"{path.name} is a damaged .zip.", "Fetch or export it again.") from error


def _same_files(made: Certificate, found: dict[str, str], stamped: list[str]) -> Check:
    """Compare files with what certificate and passport say of them.

    Args:
        made: The certificate.
        found: Name -> hash.
        stamped: Files that are not as the passport says.
    """
    changed = {name for name in made.files.keys() & found.keys() if made.files[name] != found[name]}
    changed |= set(stamped) - (made.files.keys() - found.keys())
    missing, added = sorted(made.files.keys() - found.keys()), sorted(found.keys() - made.files.keys())
    told = ("Changed since", sorted(changed)), ("Missing", missing), ("Not in the certificate", added)
    said = [
        f"{words}: {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}." for words, names in told if names
    ]
    return Check("files", not said, " ".join(said) or f"All {len(found)} files are as they were certified.")


def _answers(
    made: Certificate, reference: Reference | None, folder: Path, cache: Path, base: str, report: Report
) -> list[Check]:
    if reference is None or not reference.answers:
        return [Check("answers", False, "It was not replayed when it was made, so there is nothing to compare.")]
    home: Path | None = None
    checks = []
    if made.format in NEEDS_BASE:
        home = _base(base or made.base, cache, report)
        checks.append(_same_base(made, reference, home))
        if not checks[0].passed:
            return checks
    packed = made.quant_type, made.double_quant
    try:
        job = job_for(made.format, folder, lambda: home or folder, packed, _no_base_gguf)
    except StudioError as missing:
        return [*checks, Check("answers", False, str(missing))]
    limits = tolerance_for(made.format, made.quantisation, reference.compute_type)
    other = made.verdict == "another model"
    with disk_errors(cache):
        judged, _ = replayed(job, reference, limits, cache, report, other_base=other)
    return [*checks, Check("answers", judged.verdict != "failed", " ".join(judged.reasons))]


NEEDS_BASE = frozenset({"adapter"})
"""Formats that are replayed over the base's own checkpoint."""


def _no_base_gguf() -> Path:
    raise StudioError(
        "This adapter came without a GGUF of its base, so it cannot be tried.",
        "Export it with --quantisation with-base-f16.",
    )


def _base(model: str, cache: Path, report: Report) -> Path:
    try:
        return Path(resolve(model, cache, report))
    except StudioError as error:
        raise ModelError(
            f"The base model '{model[:80]}' is not known on this computer: {error.message}",
            "Name it with --base: the path of its folder, or its id on the hub.",
        ) from error


def _same_base(made: Certificate, reference: Reference, home: Path) -> Check:
    mark = weights_mark(str(home))
    if reference.base_mark and mark and mark != reference.base_mark:
        return Check("base", False, f"{home.name} has other weights than '{made.base}', which this was trained over.")
    known = bool(reference.base_mark and mark)
    return Check(
        "base", True, f"The base '{made.base}' {'has the weights it was trained over.' if known else 'has no mark.'}"
    )
