"""A run on the disk that has ended, was answered on its way and was judged, for windows that show it."""

from pathlib import Path

from engine.recipe import Recipe
from engine.services.verdict import FILE
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, Finished, Replied, Started, Stepped
from engine.verdict.facts.fact import Fact
from engine.verdict.paper import MOST, paper_of
from engine.verdict.replies import RepliesAt, Reply, add_replies
from engine.verdict.transcript import SaidAnswer, Transcript
from engine.workspace import Workspace, write_json
from tests.tiny import write_data
from tests.ui.fake_verdict import made_verdict

STEPS = (0, 10, 20)


def add_judged_run(workspace: Path, data: Path) -> RunDirectory:
    """Put a run with four judged tickets into a workspace, as training and judging leave it but for its weights.

    Args:
        workspace: Of a program, which may be under way.
        data: A folder to make for its tickets.
    """
    run = RunDirectory.create(Workspace(workspace), Recipe(), write_data(data), "Judged")
    run.adapter.mkdir()
    (run.adapter / "adapter_model.safetensors").touch()
    run.emit(Started(1, 2, STEPS[-1], 0, 20, 4, "CPU"))
    shown = paper_of(run.data, "", 3).mark
    for step in STEPS:
        said = (_reply(step, invents=ticket < step // 10) for ticket in range(3))
        add_replies(run.path, shown, RepliesAt(step, tuple(said)))
        run.emit(Replied(step, 3, step // 10, 0.5))
        run.emit(Evaluated(step, 3.0 - step / 20))
    run.emit(Stepped(STEPS[-1], 1.0, 2.0, 1e-4, 1.0, 100.0, 1.0, 5.0))
    run.emit(Finished(STEPS[-1], 5.0))
    for state in ("preparing", "running", "finished"):
        run.update(state=state)
    _judge(run)
    return run


def _reply(step: int, *, invents: bool) -> Reply:
    """An answer whose number is from nowhere, or is not."""
    text, none = f"Said at step {step}.", frozenset[str]()
    return Reply(text, "end", (Fact("number", text.index(str(step)), len(text) - 1, none, none),) if invents else ())


def _judge(run: RunDirectory) -> None:
    paper = paper_of(run.data, "", MOST)
    found = made_verdict(run.id, "Judged", tickets=len(paper.tickets)).to_json()
    for row, ticket in zip(found["tickets"], paper.tickets, strict=True):
        row["ticket"], row["mark"] = ticket.ticket, ticket.mark
    voices = [voice["id"] for voice in found["voices"]]
    kept = Transcript.opened(run.path, {**paper.about(voices, found["weights"]), "most": MOST})
    for number in range(len(paper.tickets)):
        kept.add_answers(number, {voice: SaidAnswer(f"{voice} says so.", "end", 4) for voice in voices})
    write_json(run.path / FILE, found)
