"""From the export to the certificate and back: fresh processes, with nothing of this program in them."""

import json
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine.base_holder import BaseHolder
from engine.chat.adapters import bank_of
from engine.errors import Cancelled, StudioError
from engine.export.format import Choices, Format
from engine.export.making import make
from engine.export.parity.certificate import read_certificate
from engine.export.parity.certifying import certify
from engine.export.parity.verify import verify
from engine.export.records import Brought
from engine.export.registry import format_of
from engine.export.source import ExportSource
from engine.studio import Studio
from engine.task import Task
from engine.workspace import Workspace
from tests.processes import children


def certified(run, out: Path, format_: str | Format = "adapter", report=lambda *_: None, **choices) -> Path:
    bases = BaseHolder(run.path / "cache")
    try:
        source = ExportSource.of_run(run, bases, run.path / "cache")
        chosen = format_of(format_) if isinstance(format_, str) else format_
        return make(source, chosen, out, Choices(**choices), report, certify=certify)
    finally:
        bases.close()


@pytest.fixture(scope="module")
def zipped(certified_run, tmp_path_factory) -> Path:
    return certified(certified_run, tmp_path_factory.mktemp("zipped") / "mine.zip")


def unpacked(zipped: Path, folder: Path) -> Path:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def test_an_export_says_in_its_zip_its_card_and_its_run_that_it_answers_as_tested(zipped, certified_run, tmp_path):
    folder = unpacked(zipped, tmp_path / "it")
    made, reference = read_certificate(folder)
    assert made.verdict == "passed"
    assert made.sentence.startswith("It answers as the playground does. It takes the playground's token at 100.0%")
    assert (made.held_out, made.own) == (4, 8)
    assert "peft" in made.tool
    assert reference is not None
    assert set(made.files) == {file.name for file in folder.iterdir()} - {"parity.json", "passport.json"}
    card = (folder / "README.md").read_text()
    assert card.count("## Does it answer as what was tested?") == 1
    assert made.sentence in card
    kept = json.loads((certified_run.path / "parity" / "adapter.json").read_text())
    assert kept["verdict"] == "passed"


def test_one_that_passes_with_other_words_here_and_there_does_not_say_that_it_answers_the_same(zipped, tmp_path):
    made, _ = read_certificate(unpacked(zipped, tmp_path / "it"))
    packed_tightly = replace(made, figures={**made.figures, "agreement": 0.92})
    assert packed_tightly.sentence.startswith("It answers nearly as the playground does, as near as its format allows")


def test_no_word_of_a_ticket_leaves_with_the_certificate(zipped, certified_run, tmp_path, asked):
    _, reference = read_certificate(unpacked(zipped, tmp_path / "it"))
    stays = [answer for answer in asked.answers if not answer.travels]
    assert len(stays) == 4
    assert not {answer.prompt for answer in stays} & {answer.prompt for answer in reference.answers}
    text = (tmp_path / "it" / "parity.json").read_text()
    for answer in stays:
        assert answer.turns[-1]["content"] not in text
        assert ", ".join(map(str, answer.prompt)) not in " ".join(text.split())
    assert len(json.loads((certified_run.path / "parity" / "questions.json").read_text())["answers"]) == 12


def test_an_export_is_verified_from_its_zip_on_another_computer(zipped, tiny_model, tmp_path):
    found = verify(zipped, tmp_path, str(tiny_model), lambda *_: None)
    assert [(check.name, check.passed) for check in found.checks] == [
        ("files", True),
        ("base", True),
        ("answers", True),
    ]
    assert found.passed
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_changed_after_the_certificate_is_named(zipped, tmp_path):
    folder = unpacked(zipped, tmp_path / "it")
    (folder / "adapter_config.json").write_text("{}")
    (folder / "more.txt").write_text("hello")
    (folder / "parity.json").write_text((folder / "parity.json").read_text() + "\n")
    found = verify(folder, tmp_path, "", lambda *_: None)
    assert not found.passed
    assert (
        found.checks[0].sentence == "Changed since: adapter_config.json, parity.json. Not in the certificate: more.txt."
    )


def test_another_base_is_named_before_anything_is_loaded(zipped, other_tiny_model, tmp_path):
    stages: list[str] = []
    found = verify(zipped, tmp_path, str(other_tiny_model), lambda stage, _: stages.append(stage))
    assert [(check.name, check.passed) for check in found.checks] == [("files", True), ("base", False)]
    assert "has other weights than" in found.checks[1].sentence
    assert not any("Replaying" in stage for stage in stages)


def test_a_base_that_is_not_here_is_asked_for(zipped, tmp_path):
    with pytest.raises(StudioError, match="Name it with --base"):
        verify(zipped, tmp_path, "", lambda *_: None)


def test_a_damaged_certificate_is_told_in_words(zipped, tmp_path):
    folder = unpacked(zipped, tmp_path / "it")
    for damaged in ("", "[]", '{"version": 1, "certificate": {}, "reference": null}', '{"version": 99}'):
        (folder / "parity.json").write_text(damaged)
        with pytest.raises(StudioError, match=r"damaged|another version"):
            verify(folder, tmp_path, "", lambda *_: None)
    (folder / "parity.json").unlink()
    with pytest.raises(StudioError, match="no parity certificate"):
        verify(folder, tmp_path, "", lambda *_: None)


def test_a_merged_model_is_replayed_and_one_that_its_tool_cannot_load_has_failed(certified_run, exports, tmp_path):
    """Both ways in which a replay ends, of the format that holds its base."""
    out = certified(certified_run, tmp_path / "merged", "merged")
    made, _ = read_certificate(out)
    assert made.verdict == "passed", made.sentence
    assert made.figures["rounding_kl"] > made.figures["kl"] > 0

    merged = format_of("merged")

    def write(source, choices, folder, report):
        merged.write(source, choices, folder, report)
        (folder / "model.safetensors").write_bytes(b"no weights")

    broken, _ = read_certificate(certified(certified_run, tmp_path / "broken", replace(merged, write=write)))
    assert broken.verdict == "failed"
    assert "cannot be loaded by its own tool" in broken.sentence
    assert broken.is_doubtful


def test_cancel_in_the_middle_of_a_replay_ends_its_process_and_leaves_nothing(certified_run, tmp_path):
    def cancel(stage, _):
        if stage.startswith("Replaying"):
            raise Cancelled

    with pytest.raises(Cancelled):
        certified(certified_run, tmp_path / "mine.zip", report=cancel)
    assert not list(tmp_path.iterdir())
    assert children("with_transformers") == []


def test_cancel_while_the_playground_reads_a_prompt_waits_for_no_model(certified_run, tmp_path):
    """The model stands still in the middle of a prompt until the export has ended and nothing of it is left."""
    bases, home = BaseHolder(certified_run.path / "cache"), tmp_path / "home"
    reads, go = threading.Event(), threading.Event()

    def stand_still(*_: object) -> None:
        reads.set()
        assert go.wait(120)

    source = ExportSource.of_run(certified_run, bases, certified_run.path / "cache")
    try:
        with bases.use(certified_run.recipe) as base:
            hook = bank_of(base).model.register_forward_pre_hook(stand_still)
        task = Task(
            "Exporting",
            lambda task: make(source, format_of("adapter"), home / "mine.zip", Choices(), task.report, certify=certify),
        )
        assert reads.wait(120), task.snapshot()
        task.cancel()
        assert task.ended(60), "it waits for the model"
        assert task.snapshot().state == "cancelled"
        assert list(home.iterdir()) == []
    finally:
        go.set()
        bases.close()  # once the thread that reads has let go of it
        hook.remove()


def test_a_run_without_held_out_tickets_is_asked_the_general_questions(certified_run, tmp_path, tiny_base):
    from engine.export.parity.prompts import questions

    data = Path(shutil.copytree(certified_run.data, tmp_path / "data"))
    (data / "heldout.jsonl").write_bytes(b"")
    assert all(question.travels for question in questions(data, "Be brief."))
    assert len(questions(data, "")) == 8
    own = questions(data, "", ["What is a mooring?", "Do you sell walnuts?"])
    assert [(asked.turns[-1]["content"], asked.travels) for asked in own[:2]] == [
        ("What is a mooring?", False),
        ("Do you sell walnuts?", False),
    ]
    assert len(own) == 10
    assert len(questions(certified_run.data, "", ["What is a mooring?"])) == 12, "held-out tickets come first"
    assert questions(None, "Be brief.")[0].turns[0] == {"role": "system", "content": "Be brief."}


def come_back(source: Path, workspace: Workspace, base: Path, stop_at: str = "") -> Brought:
    """Bring something in as the window does; call it off when it says that."""
    studio = Studio(workspace)
    try:
        task = studio.importing.bring_in(str(source), "Back", str(base))
        while not task.ended(0.02):
            if stop_at and task.snapshot().stage.startswith(stop_at):
                task.cancel()
        return task.wait()
    finally:
        studio.close()


def test_an_adapter_that_comes_back_has_to_give_the_answers_that_came_with_it(zipped, tiny_model, tmp_path):
    workspace = Workspace(tmp_path / "there")
    brought = come_back(zipped, workspace, tiny_model)
    assert brought.proof.verdict == "passed"
    assert brought.proof.sentence.startswith("Tried against the answers that came with it")
    [home] = workspace.adapters.iterdir()
    assert json.loads((home / "parity" / "adapter.json").read_text())["own"] == 8
    assert (home / "passport.json").is_file()


def test_one_that_was_changed_on_the_way_is_told_to_answer_otherwise(zipped, tiny_model, tmp_path):
    folder = unpacked(zipped, tmp_path / "it")
    config = folder / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"lora_alpha": 32}))
    brought = come_back(folder, Workspace(tmp_path / "there"), tiny_model)
    assert brought.proof.is_doubtful
    assert "does NOT answer as the playground does" in brought.proof.sentence


def test_calling_off_its_trial_leaves_nothing_of_it(zipped, tiny_model, tmp_path):
    workspace = Workspace(tmp_path / "there")
    with pytest.raises(StudioError, match="cancelled"):
        come_back(zipped, workspace, tiny_model, "Replaying")
    assert list(workspace.adapters.iterdir()) == []
    assert not [path for path in workspace.cache.iterdir() if path.name.endswith(".scratch")]


def test_one_that_brings_no_answers_is_tried_against_the_playground_here(certified_run, tiny_model, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(certified_run.adapter / name, bare / name)
    brought = come_back(bare, Workspace(tmp_path / "there"), tiny_model)
    assert brought.proof.verdict == "passed"
    assert "tried against the playground here" in brought.proof.sentence
