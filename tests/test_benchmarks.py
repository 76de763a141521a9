"""Every benchmark begins: a name that has gone, or an argument that has changed, shows here and not months later."""

import importlib
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "benchmarks"
BENCHMARKS = sorted(file.stem for file in FOLDER.glob("bench_*.py"))
TINY = {
    "bench_answers": [
        *("--shape", "tiny", "--tokens", "4", "--repeats", "1", "--groups", "base", "pair", "--questions", "3")
    ],
    "bench_training": ["--shape", "tiny", "--steps", "4", "--documents", "20", "--only", "saving"],
    "bench_loading": ["--shape", "tiny"],
    "bench_import": ["--tickets", "80", "--workers", "0"],
    "bench_privacy": ["--each", "1", "--rounds", "1"],
    "bench_lookup": ["--tickets", "0"],
    "bench_unpacked_answers": ["--shape", "tiny", "--rows", "1", "2", "--rounds", "1"],
}
"""Those that do all they do in seconds, on a tiny model or few tickets, without a GPU."""


def run(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    importlib.import_module(f"tests.benchmarks.{name}").main()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_tells_its_options(name, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(name, ["--help"], monkeypatch)
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_ends_with_its_figures(name, monkeypatch, capsys, tmp_path):
    folder = ["--folder", str(tmp_path)] if name == "bench_loading" else []
    run(name, TINY[name] + folder, monkeypatch)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])
