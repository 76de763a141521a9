"""Certify an export before it is offered: the playground's answers, the replay in a fresh process, the verdict."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from engine.errors import Cancelled, ModelError, StudioError
from engine.export.format import Choices, Format
from engine.export.parity.certificate import Certificate, certificate, certificate_of, seal
from engine.export.parity.jobs import job_for
from engine.export.parity.judging import Judgement, judge
from engine.export.parity.prompts import questions
from engine.export.parity.reference import Reference, reference
from engine.export.parity.replay import Job, replay
from engine.export.parity.tolerances import Tolerance, tolerance_for
from engine.export.source import ExportSource
from engine.meanwhile import meanwhile
from engine.model.sources import public_name
from engine.task import Report
from engine.workspace import disk_errors, read_object, write_json

HOME = "parity"
"""The folder of certificates, one a format, with the questions that they were made with."""


def certify(
    source: ExportSource,
    format_: Format,
    choices: Choices,
    folder: Path,
    report: Report,
    *,
    against: Reference | None = None,
) -> Certificate:
    """Replay an export, and write its certificate into it.

    Args:
        source: What was exported.
        format_: As what.
        choices: What the person has chosen.
        folder: The export's files, not packed yet.
        report: Told what is being done; raises Cancelled.
        against: Answers that it has to give; None asks the playground.

    Returns:
        The certificate; 'not replayed' where the tool, the base or the memory for it cannot be had.

    Raises:
        Cancelled: ``report`` said so.
    """
    quantisation = choices.quantisation or next(iter(format_.quantisations), "")
    packed = source.recipe.quant_type, source.recipe.double_quant
    asked: Reference | None = None
    limits: Tolerance | None = None
    tool = ""
    try:
        job = job_for(
            format_.key,
            folder,
            lambda: source.base_folder(report),
            packed,
            lambda: _base_gguf(source, folder.parent, report),
        )
        asked = against or tested(source, report)
        limits = tolerance_for(format_.key, quantisation, asked.compute_type)
        judgement, tool = replayed(job, asked, limits, folder.parent, report, other_base=choices.onto == "original")
    except Cancelled:
        raise
    except StudioError as error:  # no tool, no memory, a base that a run needs: the export itself may be sound
        judgement = Judgement("not replayed", (error.message,))
    made = certificate(
        judgement,
        format_=format_.key,
        quantisation=quantisation,
        tool=tool,
        reference=asked,
        tolerance=limits,
        base=public_name(source.recipe.model),
        packed=packed,
    )
    sealed = seal(made, asked, folder, report)
    _keep(source, sealed, asked)
    return sealed


def tested(source: ExportSource, report: Report) -> Reference:
    """Return what the playground answers with what is exported.

    Nobody can look into a model while it reads a prompt, which takes seconds on a busy processor. So it is asked in a
    thread of its own, which ends at its next token once it is called off.

    Raises:
        Cancelled: ``report`` said so.
        StudioError: The base cannot be had.
    """
    data = source.heldout.parent if source.heldout else None
    latest: list[tuple[str, float | None]] = [("Waiting for the base model", None)]

    def ask(still_wanted: Callable[[], None]) -> Reference:
        def note(stage: str, fraction: float | None) -> None:
            still_wanted()
            latest[0] = stage, fraction

        with source.base(note) as base:
            asked = questions(data, source.recipe.system_prompt, source.saved)
            return reference(base, source.adapter, asked, _told(note, "Asking the playground"))

    return meanwhile(ask, lambda: report(*latest[0]), "asking the playground")


def replayed(
    job: Job, asked: Reference, limits: Tolerance, parent: Path, report: Report, *, other_base: bool = False
) -> tuple[Judgement, str]:
    """Replay an export in a fresh process and judge it.

    Args:
        job: How it is loaded.
        asked: What the playground answers.
        limits: Those of its format.
        parent: Where a scratch folder may be made.
        report: Told how far it is; raises Cancelled.
        other_base: As for :func:`engine.export.parity.judging.judge`.

    Returns:
        The judgement, and the tool with its versions, in words.

    Raises:
        Cancelled: ``report`` said so.
        ResourceError: Memory ran out.
    """
    try:
        answered = replay(job, asked, parent, _told(report, f"Replaying it with {job.words}"))
    except ModelError as error:  # what its own tool cannot load has failed, whatever the reason
        return Judgement("failed", (error.message,)), job.words
    versions = (f"{name} {version}" for name, version in answered.versions.items())
    return judge(asked, answered, limits, other_base=other_base), f"{job.words} ({', '.join(versions)})"


def kept_certificate(home: Path, format_: str) -> Certificate | None:
    """Return the certificate of the last export in a format; None where there was none.

    Args:
        home: As :attr:`engine.export.source.ExportSource.home`.
        format_: The format's key.
    """
    file = home / HOME / f"{format_}.json"
    return certificate_of(read_object(file)) if file.is_file() else None


def _base_gguf(source: ExportSource, parent: Path, report: Report) -> Path:
    """Write the base for llama.cpp, with the values that were trained over; gone with the scratch folder it lies in."""
    from engine.export.gguf.exporting import model_bytes, packing_of, write_base
    from engine.export.making import check_room

    check_room(parent, model_bytes(source, "f16") or 0)
    out = parent / "base.gguf"
    write_base(source, packing_of("f16"), out, report)
    return out


def _keep(source: ExportSource, made: Certificate, asked: Reference | None) -> None:
    """Keep the certificate, and all that was asked, with the run; the held-out tickets in it go nowhere else."""
    home = source.home / HOME
    with disk_errors(home):
        home.mkdir(mode=0o700, exist_ok=True)
    write_json(home / f"{made.format}.json", asdict(made))
    if asked:
        write_json(home / "questions.json", asked.to_json())


def _told(report: Report, stage: str) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        report(f"{stage}: {done} of {total} answers", done / max(1, total))

    return progress
