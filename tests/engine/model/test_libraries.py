"""Threads that all want to be the first to import transformers."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ALL_AT_ONCE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from engine.model.libraries import import_all
from engine.model.chat_format import load_chat_format
assert "transformers" not in sys.modules
begin = threading.Barrier(4)
def first(work):
    begin.wait()
    work()
with ThreadPoolExecutor(4) as threads:
    works = [import_all] + [lambda: load_chat_format(sys.argv[1], Path(sys.argv[1]))] * 3
    for done in [threads.submit(first, work) for work in works]:
        done.result()
import bitsandbytes
"""


def test_a_warm_up_a_count_and_a_run_may_begin_at_once_and_say_nothing_of_failures(tiny_model):
    """On processors with AVX512-BF16 the first line that a person read was 'Failed to load CPU gemm_4bit_forward'."""
    command = [sys.executable, "-c", ALL_AT_ONCE, str(tiny_model)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Failed" not in done.stderr


class Asked(Exception):
    pass


def _count(folder):
    from engine.model.chat_format import load_chat_format

    load_chat_format(str(folder), folder)


def _load(folder):
    import torch

    from engine.model.loading import load_quantised
    from engine.recipe import Recipe

    load_quantised(Recipe(model=str(folder)), folder, torch.device("cpu"), torch.float32, lambda *_: None)


def _describe(folder):
    from engine.model.chat_format import read_chat_format

    read_chat_format(folder)


@pytest.mark.parametrize(
    ("begin", "module"), [(_count, "model.chat_format"), (_load, "model.loading"), (_describe, "model.chat_format")]
)
def test_whoever_may_be_the_first_comes_through_one_door(begin, module, tmp_path, monkeypatch):
    def asked():
        raise Asked

    monkeypatch.setattr(f"engine.{module}.import_all", asked)
    with pytest.raises(Asked):
        begin(tmp_path)
