"""Replays in this process, by the script that the fresh process runs: a fresh one takes seconds to import torch."""

from pathlib import Path
from typing import Any

from engine.export.parity.judging import Judgement, judge
from engine.export.parity.reference import Reference
from engine.export.parity.replay import Job, read_result, write_job
from engine.export.parity.tolerances import tolerance_for
from engine.export.parity.tools import with_transformers


def judged(kind: str, folder: Path, reference: Reference, work: Path, **settings: Any) -> Judgement:
    """Replay an export and judge it."""
    job, result = work / "job.json", work / "result.json"
    write_job(job, Job("with_transformers", {"kind": kind, "folder": str(folder), **settings}, ""), reference)
    with_transformers.main(str(job), str(result))
    return judge(reference, read_result(result), tolerance_for(kind, "", reference.compute_type))
