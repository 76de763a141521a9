"""What of a run is taken home: its finished adapter, or the newest checkpoint while there is none."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import RunError
from engine.training.runs.directory import RunDirectory


@dataclass(frozen=True, slots=True)
class Result:
    """Weights that somebody can use."""

    folder: Path
    """A PEFT adapter with its tokenizer."""
    step: int = 0
    """Of the checkpoint; 0 for the adapter that a run has ended with."""


def newest_result(run: RunDirectory) -> Result:
    """Return what a run has by now.

    Raises:
        RunError: It has neither an adapter nor a checkpoint.
    """
    if run.has_adapter():
        return Result(run.adapter)
    steps = run.checkpoint_steps()
    if not steps:
        raise RunError(f"'{run.status.name}' has no adapter yet.", "Train it until its first checkpoint.")
    return Result(run.checkpoint(steps[-1]), steps[-1])
