"""GGUFs replayed by the real llama.cpp, in this process: whole ones pass, and broken ones fail."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.export.parity import jobs
from engine.export.parity.certificate import read_certificate
from engine.export.parity.judging import Judgement, judge
from engine.export.parity.replay import TOOLS, read_result, write_job
from engine.export.parity.tolerances import tolerance_for
from engine.training.runs.directory import RunDirectory
from tests.engine.export.conftest import export
from tests.engine.export.parity.test_broken import edit_tensors
from tests.engine.export.parity.test_certifying import certified

pytest.importorskip("xllamacpp", reason="needs llama.cpp: pip install xllamacpp")

ADAPTER = ("gguf-adapter", "with-base-f16")


def judged(format_, quantisation, folder: Path, reference, work: Path) -> Judgement:
    from engine.export.parity.tools import with_llama_cpp

    job = jobs.job_for(format_, folder, Path, ("nf4", True), Path)
    write_job(work / "job.json", job, reference)
    with_llama_cpp.main(str(work / "job.json"), str(work / "result.json"))
    limits = tolerance_for(format_, quantisation, reference.compute_type)
    return judge(reference, read_result(work / "result.json"), limits)


def altered_run(run: RunDirectory, home: Path, **config) -> RunDirectory:
    """A copy of a run, with other settings in its adapter's configuration."""
    copy = RunDirectory(Path(shutil.copytree(run.path, home / run.path.name)))
    file = copy.adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | config))
    return copy


@pytest.mark.parametrize(("format_", "quantisation"), [("gguf", "f16"), ("gguf", "q8_0"), ADAPTER])
def test_a_whole_gguf_passes(format_, quantisation, certified_run, asked, tmp_path):
    folder = export(certified_run, tmp_path / "it", format_, quantisation=quantisation)
    found = judged(format_, quantisation, folder, asked, tmp_path)
    assert found.verdict == "passed", found.reasons
    assert found.figures.prompts_alike == found.figures.answers == 12
    assert found.figures.free == 2


@pytest.mark.parametrize(("format_", "quantisation"), [("gguf", "q8_0"), ADAPTER])
def test_a_gguf_with_alpha_doubled_fails(format_, quantisation, certified_run, asked, tmp_path):
    broken = altered_run(certified_run, tmp_path, lora_alpha=32)
    folder = export(broken, tmp_path / "it", format_, quantisation=quantisation)
    found = judged(format_, quantisation, folder, asked, tmp_path)
    assert found.verdict == "failed"
    assert "nats from what the playground thinks" in found.reasons[0]


@pytest.mark.parametrize(("format_", "quantisation"), [("gguf", "f16"), ("gguf", "q8_0"), ADAPTER])
def test_a_gguf_with_a_layer_left_out_fails(format_, quantisation, certified_run, asked, tmp_path):
    broken = altered_run(certified_run, tmp_path)
    left_out = "layers.1.self_attn.v_proj.lora_B"
    edit_tensors(broken.adapter / "adapter_model.safetensors", lambda name, tensor: tensor * (left_out not in name))
    folder = export(broken, tmp_path / "it", format_, quantisation=quantisation)
    found = judged(format_, quantisation, folder, asked, tmp_path)
    assert found.verdict == "failed"
    assert "nats from what the playground thinks" in found.reasons[0]


@pytest.mark.parametrize(("format_", "quantisation"), [("gguf", "f16"), ADAPTER])
def test_a_gguf_whose_stop_token_was_removed_fails(format_, quantisation, certified_run, asked, tmp_path):
    """llama.cpp knows the common stop tokens by their names, so that the name is taken away too."""
    folder = export(certified_run, tmp_path / "it", format_, quantisation=quantisation)
    file = next(file for file in folder.glob("*.gguf") if not file.name.endswith("-lora.gguf"))
    assert len(STOP) == len(b"<|no_end|>")
    file.write_bytes(file.read_bytes().replace(STOP, b"<|no_end|>"))
    ends_at(file, "</s>")
    found = judged(format_, quantisation, folder, asked, tmp_path)
    assert found.verdict == "failed"
    assert found.figures.prompts_alike == found.figures.answers, "conversations are written down as before"
    assert found.reasons[0].startswith("It does not end an answer at token")
    assert found.figures.ran_on > 0


STOP = b"<|im_end|>"


def ends_at(file: Path, token: str) -> None:
    """Let a GGUF name another token as the one that ends answers, in its place."""
    import gguf

    reader = gguf.GGUFReader(file, "r+")
    other = reader.get_field("tokenizer.ggml.tokens").contents().index(token)
    for name in ("eos", "eot"):
        field = reader.get_field(f"tokenizer.ggml.{name}_token_id")
        field.parts[field.data[0]][0] = other
    reader.data.flush()


def test_a_gguf_of_16_bit_that_was_rounded_to_8_behind_its_back_fails(certified_run, asked, tmp_path):
    folder = export(certified_run, tmp_path / "it", "gguf", quantisation="q8_0")
    assert judged("gguf", "f16", folder, asked, tmp_path).verdict == "failed"


@pytest.mark.parametrize(("format_", "quantisation"), [("gguf", "f16"), ADAPTER])
def test_a_gguf_with_another_template_fails(format_, quantisation, certified_run, asked, tmp_path):
    import gguf

    folder = export(certified_run, tmp_path / "it", format_, quantisation=quantisation)
    file = next(file for file in folder.glob("*.gguf") if not file.name.endswith("-lora.gguf"))
    file.write_bytes(file.read_bytes().replace(b"'<|im_start|>assistant\n'", b"'<|im_start|>assistent\n'"))
    template = gguf.GGUFReader(file).get_field("tokenizer.chat_template").contents()
    assert "assistent" in template
    found = judged(format_, quantisation, folder, asked, tmp_path)
    assert found.verdict == "failed"
    assert "writes 12 of 12 conversations down in another way" in found.reasons[0]


def test_an_adapter_over_another_base_fails(certified_run, asked, other_tiny_model, tmp_path):
    """As somebody gets who takes any GGUF of the base's name."""
    from engine.model.base import load_base
    from engine.recipe import Recipe
    from engine.workspace import Workspace
    from tests.engine.export.conftest import finished_run

    other = load_base(Recipe(model=str(other_tiny_model)), tmp_path, lambda *_: None)
    run = finished_run(Workspace(tmp_path / "workspace"), certified_run.data, other)
    strange = next(export(run, tmp_path / "other", *ADAPTER[:1], quantisation=ADAPTER[1]).glob("*-base.gguf"))
    folder = export(certified_run, tmp_path / "it", ADAPTER[0], quantisation=ADAPTER[1])
    shutil.copyfile(strange, next(folder.glob("*-base.gguf")))
    assert judged(*ADAPTER, folder, asked, tmp_path).verdict == "failed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file that keeps its reader waiting")
def test_the_tool_ends_with_the_program_however_that_ends(tmp_path):
    """Its stdin is closed, as for a program that was killed, while it waits for its job."""
    os.mkfifo(tmp_path / "job.json")
    script = [sys.executable, "-I", str(TOOLS / "with_llama_cpp.py"), str(tmp_path / "job.json"), str(tmp_path / "out")]
    tool = subprocess.Popen(script, stdin=subprocess.PIPE)
    try:
        with (tmp_path / "job.json").open("wb"):  # it has come as far as its job
            assert tool.poll() is None
            tool.stdin.close()
            assert tool.wait(60) == 1
    finally:
        tool.kill()
        tool.wait()


def test_without_llama_cpp_it_says_so_in_so_many_words(certified_run, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "LLAMA_CPP", "no_such_llama_cpp")
    made, reference = read_certificate(certified(certified_run, tmp_path / "it", "gguf", quantisation="f16"))
    assert made.verdict == "not replayed"
    assert "It was not replayed on llama.cpp, which is not installed here." in made.sentence
    assert reference is None
    assert not made.is_doubtful
