"""A customer is deleted, and nothing of that person is left anywhere in the workspace."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine.errors import RunError, TicketsError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import LOOKUP
from engine.training.runs.directory import RunDirectory
from engine.verdict.facts.index import fact_index
from engine.workspace import Workspace
from tests.engine.tickets.exports import comment, lines, write, zendesk

ROOT = Path(__file__).parents[2]
DEADLINE = 120
SECRETS = ("quillfeather", "zanzibar", "wombat", "mauve", "020 7946 0777")
"""Words, name, address and number that no other ticket has."""


def ticket(number, asked, told, customer=0):
    by = customer or 1000 + number
    return zendesk(number, comment(by, asked), comment(9, told), requester_id=by, submitter_id=by, subject="")


EXPORT = [
    ticket(1, "My wombat figure is broken. Mail zara.quillfeather@example.com", "We glue the wombat on Monday.", 77),
    ticket(2, "Call me on 020 7946 0777 about the zanzibar lamp", "The mauve shade comes with the lamp.", 77),
    *(
        ticket(n, f"Where is my parcel number {n}, please?", f"It is in van {n} and comes on Friday.")
        for n in range(3, 20)
    ),
]


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def dataset(studio, tmp_path):
    """The shop's tickets, with edits and review lists; the customer's are on the training side."""
    export = write(tmp_path / "export.json", lines(*EXPORT))
    made = studio.tickets.prepare([export], "Shop").wait(DEADLINE)
    entry = studio.tickets.get(made).find("1")
    edits = Edits().rewrite(entry, 1, "We mend the wombat at once.")
    studio.tickets.edit(made, edits)
    studio.tickets.want(made, "extra_terms", "zara.quillfeather@example.com")
    folder = studio.tickets.get(made).folder
    fact_index(folder)
    return made


@pytest.fixture
def run(studio, dataset):
    """A run over them that has ended, with an adapter, a judgement and an export that carries tickets."""
    folder = studio.tickets.get(dataset).folder
    made = RunDirectory.create(studio.workspace, Recipe(), folder, "Run 1", "Shop")
    made.update(state="cancelled")
    made.adapter.mkdir()
    (made.adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (made.path / "verdict").mkdir()
    (made.path / "verdict" / "answers.jsonl").write_text("the wombat is glued")
    with zipfile.ZipFile(made.path / "run-1-adapter.zip", "w") as packed:
        packed.writestr("lookup/train.jsonl", "wombat")
    with zipfile.ZipFile(made.path / "other.zip", "w") as packed:
        packed.writestr("adapter/weights", "numbers")
    return made


def holding(root, words):
    """Return the files that hold one of some words."""
    return {
        str(file.relative_to(root))
        for file in root.rglob("*")
        if file.is_file() and any(word.encode() in file.read_bytes().lower() for word in words)
    }


def test_nothing_of_the_person_is_left_on_disk(studio, dataset, run):
    root = studio.workspace.root
    shutil.copytree(studio.tickets.get(dataset).folder, root / "trash" / "1-old")
    before = holding(root, SECRETS)
    assert {
        f"datasets/{dataset}/{name}" for name in ("train.jsonl", "redactions.jsonl", "edits.json", LOOKUP)
    } <= before
    done = studio.erasure.erase(dataset, "1").wait(DEADLINE)
    assert holding(root, SECRETS) == set()
    assert (done.conversations, done.data_sets, done.runs, done.learnt) == (2, ("Shop",), ("Run 1",), ("Run 1",))
    assert done.elsewhere == 1


def test_copies_beside_the_data_sets_go_as_well(studio, dataset, run):
    """What a sceptic would look through: judgements, replies, questions, downloads, uploads, what is in the trash."""
    root, home = studio.workspace.root, studio.workspace
    for name in ("verdict.json", "repeated.json", "replies.jsonl"):
        (run.path / name).write_text('{"said": "My wombat figure is broken"}')
    (run.path / "leak.json").write_text("{}")
    other = home.adapters / "of-somebody-else"  # it carries no tickets, and was tried out on the person's
    for tried in (run.path, other):
        (tried / "parity").mkdir(parents=True)
        (tried / "parity" / "questions.json").write_text('{"turns": [["My wombat figure is broken. Mail [EMAIL_1]"]]}')
        (tried / "parity" / "gguf.json").write_text('{"verdict": "passed"}')
    left = run.path / ".leak.1-1.00.abc.scratch"  # of a test that was killed: the next start would sweep it
    shutil.copytree(run.data, left / "data")
    studio.questions.save("Hard ones", "My WOMBAT figure is broken.  Mail [EMAIL_1]\nWhere is my parcel, and why?")
    studio.questions.save("Theirs", "Call me on 020 7946 0777 about the zanzibar lamp")
    studio.questions.save("Deleted", "where is the mauve shade comes with the lamp.")
    studio.questions.delete("Deleted")
    window = home.passing / "abc"
    window.mkdir(parents=True)
    (window / "run-1-preferences.jsonl").write_text(json.dumps({"chosen": "The mauve shade comes with the lamp."}))
    (window / "conversation.md").write_text("Where is my parcel number 3, please?")
    write(window / "upload.json", lines(*EXPORT))
    (run.path / "exports").mkdir()
    with zipfile.ZipFile(run.path / "exports" / "adapter.zip", "w") as packed:
        packed.writestr("x/lookup/train.jsonl", "wombat")
    studio.workspace.discard(RunDirectory.create(home, Recipe(), run.data, "Run 2", "Shop").path, "Run 2")
    studio.erasure.erase(dataset, "1").wait(DEADLINE)
    assert holding(root, SECRETS) == set()
    assert studio.questions.saved() == {"Hard ones": ("Where is my parcel, and why?",)}
    assert (window / "conversation.md").exists() and (run.path / "leak.json").exists()
    assert (run.path / "parity" / "gguf.json").exists() and (other / "parity" / "gguf.json").exists()
    assert not list(run.path.rglob("*.zip")) or {file.name for file in run.path.rglob("*.zip")} == {"other.zip"}


def test_everybody_else_stays(studio, dataset, run):
    folder = studio.tickets.get(dataset).folder
    others = {entry.ticket: entry for side in ("train", "heldout") for entry in DataSet(folder).conversations(side)}
    studio.erasure.erase(dataset, "2").wait(DEADLINE)
    data = DataSet(folder)
    left = {entry.ticket: entry for side in ("train", "heldout") for entry in data.conversations(side)}
    assert left == {name: entry for name, entry in others.items() if name not in ("1", "2")}
    assert data.report.train + data.report.heldout == data.report.conversations_kept == len(left) == 17
    assert data.report.tickets_read == data.report.conversations_kept + sum(data.report.dropped.values())
    assert (run.path / "other.zip").exists() and run.has_adapter()
    assert studio.playground.heldout_tickets([], dataset)


def test_the_plan_says_it_beforehand_and_changes_nothing(studio, dataset, run):
    before = holding(studio.workspace.root, SECRETS)
    planned = studio.erasure.plan(dataset, "1")
    assert planned == studio.erasure.plan(dataset, "2") and planned.learnt == ("Run 1",)
    assert holding(studio.workspace.root, SECRETS) == before


def test_what_was_done_is_written_down_without_the_person(studio, dataset, run):
    studio.erasure.erase(dataset, "1").wait(DEADLINE)
    file = studio.workspace.root / "deleted_customers.jsonl"
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["learnt"] == ["Run 1"] and file.stat().st_mode & 0o777 == 0o600
    assert any("A customer was deleted" in note.text for _, note in run.history.read().notes)


def test_a_run_that_another_program_trains_is_left_alone_and_nothing_is_deleted(studio, dataset, run):
    before = holding(studio.workspace.root, SECRETS)
    code = "import sys; from pathlib import Path; from engine.training.runs.ownership import claim\n"
    code += f"held = claim(Path({str(run.path)!r})); print('held', flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError):
            studio.erasure.erase(dataset, "1").wait(DEADLINE)
        assert holding(studio.workspace.root, SECRETS) == before
        other.stdin.close()


def test_a_data_set_of_one_customer_is_deleted_as_a_whole_or_not_at_all(studio, tmp_path):
    export = write(tmp_path / "one.json", lines(EXPORT[0]))
    made = studio.tickets.prepare([export], "One").wait(DEADLINE)
    with pytest.raises(TicketsError, match="Nothing would be left"):
        studio.erasure.plan(made, "1")
    with pytest.raises(TicketsError, match="no ticket 99"):
        studio.erasure.plan(made, "99")
