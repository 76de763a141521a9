"""The command line, each command in a process of its own, as what a person types is."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.tickets.dataset.provenance import Origin
from engine.training.runs.directory import RunDirectory
from tests.forked import run
from tests.tiny import write_data

ROOT = Path(__file__).parents[2]


def engine(*words, expect=0):
    """Run a command; return its stdout and stderr."""
    done = run("-m", "engine", *words)
    assert done.returncode == expect, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def last_line(stdout):
    return json.loads(stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(tiny_model, tmp_path_factory):
    """A run of a few steps made with 'train'."""
    folder = tmp_path_factory.mktemp("cli")
    data = write_data(folder / "data")
    settings = ["max_steps=30", "epochs=10", "batch_size=4", "accumulation=1", "learning_rate=0.01", "max_length=64"]
    words = ["train", "--data", data, "--run", folder / "run", "--model", tiny_model, "--workspace", folder / "ws"]
    out, err = engine(*words, *(word for setting in settings for word in ("--set", setting)))
    return folder, out, err


@pytest.fixture(scope="module")
def exported(trained):
    """The run's adapter as a .zip, which 'export' has written and replayed; and what it has said."""
    folder, *_ = trained
    file = folder / "a.zip"
    out, _ = engine("export", "--run", folder / "run", "--format", "adapter", "--out", file)
    return file, last_line(out)


def test_judge_says_whether_a_run_was_worth_it_and_leaves_it_in_its_folder(trained):
    folder, *_ = trained
    words = ["judge", "--run", folder / "run", "--tickets", "3", "--workspace", folder / "ws"]
    out, err = engine(*words)
    told, kept = last_line(out), json.loads((folder / "run" / "verdict.json").read_text())
    assert told["verdict"] == kept["sentence"] and told["kind"] == kept["kind"]
    assert told["headline"] == kept["headline"] and told["more"] == kept["more"]
    assert len(kept["tickets"]) == 3 and kept["heldout"] == 4
    assert "of 12 answers" in err, "four models; the nearest answer is copied"
    assert any("conversations" in advice for advice in told["advice"]), "it learnt from too few"
    again, err = engine(*words)
    assert last_line(again)["figures"] == told["figures"] and "of 12 answers" not in err, "nothing is asked twice"


def test_prepare_writes_the_three_files_and_reports(tmp_path):
    out, err = engine("prepare", ROOT / "assets" / "sample_tickets.ndjson", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert Origin.load(tmp_path / "out").files, "how it was masked is known"
    assert report["format"] == "zendesk"
    assert {"tickets_read", "conversations_kept", "dropped", "redactions"} <= report.keys()
    counts = {}
    for name in ("train", "heldout"):
        rows = [json.loads(line) for line in (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()]
        assert all(row["ticket"] and row["messages"][-1]["role"] == "assistant" for row in rows)
        counts[name] = len(rows)
    assert counts["train"] + counts["heldout"] == report["conversations_kept"]
    assert 0.07 < counts["heldout"] / report["conversations_kept"] < 0.15
    assert last_line(out)["conversations_kept"] == report["conversations_kept"]
    assert "Reading" in err


def readable(*roots):
    """What others may look into, of files, folders and all that is in them."""
    return [path for root in roots for path in (root, *root.rglob("*")) if path.stat().st_mode & 0o077]


def test_prepare_writes_for_its_owner_alone(tmp_path):
    rows = [json.dumps({"question": f"Where is {n}?", "answer": "Here."}) for n in range(9)]
    (tmp_path / "t.jsonl").write_text("\n".join(rows))
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    for name in ("train.jsonl", "left_out.jsonl"):
        (open_folder / name).touch(0o666)
    for out in (tmp_path / "out", open_folder):
        engine("prepare", tmp_path / "t.jsonl", "--out", out)
        assert {"train.jsonl", "left_out.jsonl"} <= {path.name for path in out.iterdir()}
    assert readable(tmp_path / "out", *open_folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_prepare_that_is_told_to_end_leaves_nothing_of_the_tickets(tmp_path):
    rows = [json.dumps({"question": f"Where is my parcel {n}?", "answer": f"In van {n}."}) for n in range(20_000)]
    (tmp_path / "t.jsonl").write_text("\n".join(rows))
    command = [sys.executable, "-m", "engine", "prepare", tmp_path / "t.jsonl", "--out", tmp_path / "out"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
        assert any(line.startswith("Reading: ") for line in program.stderr)
        assert len(list(tmp_path.iterdir())) > 1
        program.terminate()
        _, err = program.communicate(timeout=240)
    assert program.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [tmp_path / "t.jsonl"]


@pytest.mark.parametrize(
    ("given", "country", "kept", "said"),
    [
        ([], "DE", False, "as in Germany (DE), guessed from 4 numbers with its prefix and 4 addresses"),
        (["--country", "none"], "", True, ""),
        (["--country", "US"], "US", True, ""),
    ],
)
def test_prepare_guesses_the_country_of_telephone_numbers_as_the_window_does(tmp_path, given, country, kept, said):
    answer = "Unser Büro: +49 30 1234560, oder direkt 030 / 98 76 54 30."
    rows = [{"question": f"Lampe {n} dunkel, Mail: a{n}@laden{n}.de", "answer": f"{n}. {answer}"} for n in range(4)]
    (tmp_path / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out, err = engine("prepare", tmp_path / "t.jsonl", "--out", tmp_path / "out", "--heldout", 0, *given)
    assert ("030 / 98 76 54 30" in (tmp_path / "out" / "train.jsonl").read_text()) is kept
    assert last_line(out)["country"] == country
    assert said in err
    assert said in last_line(out)["country_told_by"]


def test_prepare_says_when_no_country_is_told_and_whom_it_takes_for_the_support(tmp_path):
    (tmp_path / "t.csv").write_text(
        "ticket,author,text\n1,Ben,We recall it.\n1,Cara,Which lamp?\n1,Ben,The tall one.\n"
    )
    out, err = engine("prepare", tmp_path / "t.csv", "--out", tmp_path / "out", "--heldout", 0, "--agents", " ben,Eve")
    assert "Name it with --country" in err
    assert "The support is: Ben (2); customers are: Cara (1). --agents NAME,... says otherwise." in err
    assert last_line(out)["conversations_kept"] == 1
    (row,) = map(json.loads, (tmp_path / "out" / "train.jsonl").read_text().splitlines())
    assert [turn["content"] for turn in row["messages"]] == ["Which lamp?", "The tall one."]


def test_prepare_takes_a_mapping_of_columns(tmp_path):
    (tmp_path / "t.csv").write_text(
        "a;b\n" + "".join(f"Where is parcel {n}?;It comes on friday {n}.\n" for n in range(9))
    )
    words = ["prepare", tmp_path / "t.csv", "--out", tmp_path / "out", "--map", "question=a", "--map", "answer=b"]
    out, _ = engine(*words)
    assert last_line(out)["conversations_kept"] == 9


def test_a_known_failure_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    (tmp_path / "empty.json").write_text("")
    for words in (
        ["prepare", tmp_path / "empty.json", "--out", tmp_path / "out"],
        ["prepare", tmp_path / "missing.json", "--out", tmp_path / "out"],
        ["resume", tmp_path / "nothing"],
        ["export", "--run", tmp_path / "nothing", "--out", tmp_path / "x.zip"],
        ["train", "--data", tmp_path, "--run", tmp_path / "run"],
    ):
        out, err = engine(*words, expect=1)
        assert out == ""
        assert "Traceback" not in err
        assert err.strip().splitlines()[-1].endswith(".")


def test_wrong_usage_is_exit_code_2(tmp_path):
    engine("train", expect=2)
    engine("ask", "--prompt", "x", expect=2)
    engine("train", "--data", tmp_path, "--run", tmp_path / "r", "--preset", "huge", expect=2)
    engine("train", "--data", tmp_path, "--run", tmp_path / "r", "--set", "rank", expect=2)


def test_a_wrong_value_names_the_setting(tmp_path):
    _, err = engine("train", "--data", tmp_path, "--run", tmp_path / "r", "--set", "rank=0", expect=1)
    assert "0 is outside 1 to 512" in err


def test_train_reports_the_run(trained):
    folder, out, err = trained
    told = last_line(out)
    assert told["state"] == "finished"
    assert told["steps"] == 30
    assert told["heldout_best"] < 0.5 * told["heldout_before"]
    assert len(out.splitlines()) == 1
    assert "Training: step" in err
    assert (folder / "run" / "adapter" / "adapter_model.safetensors").exists()


def test_a_run_for_several_computers_is_made_and_not_started(trained):
    folder, *_ = trained
    words = ["train", "--data", folder / "data", "--run", folder / "later", "--set", "gpus=16", "--no-start"]
    assert last_line(engine(*words)[0]) == {"run": str(folder / "later"), "state": "queued"}
    assert json.loads((folder / "later" / "recipe.json").read_text())["gpus"] == 16
    assert (folder / "later" / "data" / "train.jsonl").exists()
    assert not (folder / "later" / "events.jsonl").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_many_requests_to_end_stop_a_run_as_one_does(tiny_model, tmp_path):
    data, run = write_data(tmp_path / "data"), tmp_path / "run"
    settings = ("epochs=100", "max_steps=0", "batch_size=1", "accumulation=1", "eval_steps=500", "save_steps=500")
    words = ["train", "--data", data, "--run", run, "--model", tiny_model, "--workspace", tmp_path / "ws"]
    words += [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "engine", *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        heard = []
        for line in program.stderr:
            heard.append(line)
            if "Training: step" in line:
                break
        while RunDirectory(run).status.state == "running":
            program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=240)
    assert program.returncode == 0, f"{heard}\n{err}"
    assert last_line(out)["state"] == "cancelled"
    assert RunDirectory(run).status.state == "cancelled"
    assert RunDirectory(run).checkpoint_steps()


def test_resume_refuses_a_finished_run(trained):
    folder, *_ = trained
    _, err = engine("resume", folder / "run", expect=1)
    assert "finished" in err


def test_a_run_is_for_its_owner_alone(trained, exported):
    folder, *_ = trained
    file, _ = exported
    assert readable(folder / "run", folder / "ws", file) == []


def test_ask_gives_base_and_tuned_answers(trained):
    folder, *_ = trained
    questions = folder / "questions.jsonl"
    questions.write_text('{"prompt": "where is my parcel"}\n{"messages": [{"role": "user", "content": "hello"}]}\n')
    words = ["ask", "--run", folder / "run", "--file", questions, "--max-new-tokens", 20, "--workspace", folder / "ws"]
    answers = last_line(engine(*words)[0])["answers"]
    assert [answer["prompt"] for answer in answers] == ["where is my parcel", "hello"]
    assert all(answer["base"] != answer["tuned"] for answer in answers)
    assert "workbench" in answers[0]["tuned"]
    assert answers[0]["tuned_stopped_by"] == "end"
    assert "looked_up" not in answers[0]


def test_ask_looks_tickets_up_where_data_names_a_folder_of_them(trained):
    folder, *_ = trained
    words = ["ask", "--run", folder / "run", "--prompt", "where is my parcel", "--max-new-tokens", 4]
    words += ["--workspace", folder / "ws"]
    (answer,) = last_line(engine(*words, "--data", folder / "run" / "data")[0])["answers"]
    assert answer["looked_up"]
    _, err = engine(*words, "--data", folder, expect=1)
    assert "holds no train.jsonl" in err


def test_export_writes_a_zip_from_which_ask_gives_the_same_answer(trained, exported, tiny_model):
    folder, *_ = trained
    file, told = exported
    assert told["file"].endswith("a.zip")
    assert told["parity"] == "passed"
    question = ["--prompt", "where is my parcel", "--max-new-tokens", 20, "--workspace", folder / "ws"]
    first = last_line(engine("ask", "--run", folder / "run", *question)[0])["answers"]
    second = last_line(engine("ask", "--adapter", file, "--model", tiny_model, *question)[0])["answers"]
    assert first == second
    narrow = ["--temperature", 2.0, "--top-p", 0.0]  # of the likeliest token alone: as without a temperature
    assert last_line(engine("ask", "--run", folder / "run", *question, *narrow)[0])["answers"] == first


def test_verify_says_whether_an_export_answers_as_tested_and_over_which_base(
    trained, exported, tiny_model, other_tiny_model
):
    folder, *_ = trained
    file, _ = exported
    words = ["verify", file, "--workspace", folder / "ws", "--base"]
    out, err = engine(*words, tiny_model)
    assert last_line(out)["passed"]
    assert "answers: as certified. It takes the playground's token at 100.0%" in err
    out, err = engine(*words, other_tiny_model, expect=1)
    assert not last_line(out)["passed"]
    assert "has other weights than" in err


def test_cards_says_where_a_run_would_fit_and_loads_nothing():
    out, err = engine("cards", "--model", "Qwen/Qwen3-8B", "--set", "memory=saving")
    found = {card["name"]: card for card in last_line(out)["cards"]}
    assert found["H200"]["verdict"] == "fits"
    assert {card["mode"] for name, card in found.items() if "processor" not in name} == {"saving"}
    assert "H200 141 GB: fits, saving" in err
    _, err = engine("cards", "--model", "somebody/something", expect=1)
    assert "not known before it is loaded" in err
