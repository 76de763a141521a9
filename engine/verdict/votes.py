"""The votes of the blind test on the disk: a line a vote, appended and never changed.

runs/<id>/verdict/votes.jsonl   {"voter", "ticket", "first", "second", "choice", "weights"}; mode 0600
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from engine.tickets.dataset.stored import json_line
from engine.verdict.blind import Vote
from engine.verdict.records import Verdict
from engine.verdict.transcript import FOLDER
from engine.workspace import disk_errors

VOTES = "votes.jsonl"


def votes_on(run: Path, verdict: Verdict) -> Iterator[Vote]:
    """Yield the votes on the two voices of a verdict with its weights; others belong to an earlier judgement.

    Args:
        run: The run's folder.
        verdict: Its verdict.
    """
    pair = {verdict.headline.tuned, verdict.headline.alternative}
    try:
        lines = (run / FOLDER / VOTES).read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            value = json.loads(line)
            if value.pop("weights") == verdict.weights and {value["first"], value["second"]} == pair:
                yield Vote(**value)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a line that a crash has cut off


def add_vote(run: Path, vote: Vote, weights: str) -> None:
    """Keep a vote.

    Args:
        run: The run's folder.
        vote: The vote.
        weights: The mark of the adapter whose answers were read.

    Raises:
        ResourceError: The disk is full.
    """
    file = run / FOLDER / VOTES
    with disk_errors(file), file.open("ab") as stream:
        stream.write(json_line({**asdict(vote), "weights": weights}))
        stream.flush()
        os.fsync(stream.fileno())
