"""Take the guards out of a file one at a time, and tell which of them no test misses.

    python tests/guard_check.py                        all files of TESTS
    python tests/guard_check.py engine/base_holder.py  some of them
    python tests/guard_check.py --list                 the guards, without trying any

Run by hand, when the files named in TESTS change; it takes minutes. A guard is what keeps something from being done by
the wrong thread, at the wrong time or twice: a lock, a check that raises or returns, a condition or a part of one, a
filter, a cleaning-up, a handler of errors. Each is taken out of a copy of the tree; then the tests of its file are run
there, up to the first that fails. A guard in ALLOWED is one that no test can miss, with the reason.

The heavy libraries are imported once, and every trial is a fork of that process.
"""

import argparse
import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAUSED = "test_pause_in_the_window_gives_memory_back_until_the_run_goes_on_or_is_stopped"
RUNS = [
    "tests/engine/training/runs/test_queue.py",
    "tests/engine/training/runs/test_run_state.py",
    "tests/engine/training/runs/test_two_programs.py",
    "tests/engine/training/runs/test_queue_process.py",
    "tests/engine/test_two_bases.py",
    "tests/engine/training/test_faults.py",
    f"tests/engine/training/test_pausing.py::{PAUSED}",
]
"""Of a run that waits or is in progress."""
TESTS = {
    "engine/base_holder.py": ["tests/engine/test_base_holder.py"],
    "engine/training/runs/job.py": RUNS,
    "engine/training/runs/queue.py": RUNS,
    "engine/services/runs.py": [
        "tests/engine/test_studio.py",
        "tests/engine/test_two_bases.py",
        "tests/engine/test_damage.py",
        "tests/engine/training/runs/test_run_state.py",
        "tests/engine/training/runs/test_two_programs.py",
        "tests/engine/training/test_faults.py",
    ],
    "engine/services/playground.py": [
        "tests/engine/test_studio.py",
        "tests/engine/test_two_bases.py",
        "tests/engine/test_damage.py",
        "tests/engine/test_asked_in_training.py",
    ],
    "engine/services/adapters.py": ["tests/engine/test_studio.py", "tests/engine/test_damage.py"],
    "engine/studio.py": [
        "tests/engine/test_studio.py",
        "tests/engine/test_two_bases.py",
        "tests/engine/training/runs/test_run_state.py",
        "tests/engine/training/runs/test_two_programs.py",
        "tests/engine/training/test_faults.py",
        "tests/engine/test_damage.py",
    ],
    "engine/training/runs/directory.py": [
        "tests/engine/training/runs/test_run_state.py",
        "tests/engine/training/runs/test_two_programs.py",
        "tests/engine/training/runs/test_queue_process.py",
        "tests/engine/training/test_faults.py",
    ],
    "engine/training/runs/ownership.py": [
        "tests/engine/training/runs/test_run_state.py",
        "tests/engine/training/runs/test_two_programs.py",
        "tests/engine/training/runs/test_two_programs.py",
    ],
    "engine/training/runs/index.py": ["tests/engine/training/runs/test_index.py"],
    "engine/training/runs/changes.py": ["tests/engine/training/runs/test_index.py"],
    "engine/training/runs/catalogue.py": [
        "tests/engine/training/test_beginning.py",
        "tests/engine/test_studio.py",
        "tests/engine/training/runs/test_index.py",
        "tests/engine/training/runs/test_run_state.py",
        "tests/engine/test_studio.py",
    ],
    "engine/training/runs/history_reader.py": [
        "tests/engine/training/runs/test_history.py",
        "tests/engine/training/test_faults.py",
    ],
    "engine/locks.py": ["tests/engine/test_workspace_lock.py"],
    "engine/workspace_lock.py": ["tests/engine/test_workspace_lock.py"],
    "engine/workspace.py": ["tests/engine/test_workspace.py", "tests/engine/test_damage.py"],
}
"""File -> the tests that have to miss its guards, the quick ones first."""
LEFT_OUT = ["test_a_run_killed_in_the_middle_is_interrupted_and_resumes_with_the_same_losses"]
"""Tests that take too long for that."""
ALLOWED: dict[tuple[str, str], str] = {
    ("engine/training/runs/history_reader.py", "_read, check: size == self._seen"): "spares opening the events",
    ("engine/base_holder.py", "line_up, lock: with self._changed: self._line.append(lease)"): (
        "an append is one step of the interpreter; the lock is for a Python without its great lock"
    ),
    ("engine/training/runs/queue.py", "_work, lock: with self._lock: if not self._jobs: self._thread = None return"): (
        "it keeps a run from being queued between two steps of the interpreter"
    ),
    ("engine/training/runs/queue.py", "seen, condition: state != job.state"): "spares a write for each event",
    ("engine/studio.py", "warm_up, condition: not self._warm.is_set()"): "a second thread finds all imported",
    (
        "engine/services/runs.py",
        "_check_here, condition: not self.queue.knows(run)",
    ): "what trains here trains nowhere else",
    ("engine/training/runs/changes.py", "note_change, lock: with _lock: _latest.append(folder)"): (
        "between its two steps nothing is called at which a test could let another thread go on"
    ),
    ("engine/training/runs/changes.py", "since, lock: with _lock: new = _count - mark"): (
        "between its two steps nothing is called at which a test could let another thread go on"
    ),
    ("engine/training/runs/ownership.py", "writing, finally: lock.release()"): (
        "CPython gives it back with the last reference; the words are for readers and other Pythons"
    ),
}
"""(File, guard as it is printed) -> why no test can miss it."""
LOCKS = ("lock", "changed", "changing", "registry", "beginning", "last_change(", "writing(", "kept_out(")
"""What tells a context that others wait for, by a part of its name."""
PATIENCE = 4.0
"""A trial that takes so many times as long as the tests take undisturbed hangs, which counts as missed."""
TEST_SECONDS = 20.0
"""How long one test may take, where those of the file do not take twice as long together."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that can be taken out of a syntax tree."""

    line: int
    function: str
    """The innermost one that it is in."""
    kind: str
    text: str
    """What is taken out, as source."""
    take_out: Callable[[], None]
    """Changes the tree that it was found in."""

    def __str__(self) -> str:
        return f"{self.function}, {self.kind}: {self.text}"


# ---- finding and taking out


def guards(tree: ast.Module) -> list[Guard]:
    """Return the guards of a module in the order of their lines."""
    found = list(_guards_in(tree, ""))
    return sorted(found, key=lambda guard: (guard.line, guard.kind, guard.text))


def _guards_in(node: ast.AST, function: str) -> Iterator[Guard]:
    """The guards under a node."""
    for child in ast.iter_child_nodes(node):
        name = child.name if isinstance(child, ast.FunctionDef) else function
        tested = isinstance(node, ast.If | ast.While) and child is node.test
        for line, kind, text, take_out in _guards_at(child, tested=tested):
            yield Guard(line, name, kind, text, take_out)
        yield from _guards_in(child, name)


def _guards_at(node: ast.AST, *, tested: bool) -> Iterator[tuple[int, str, str, Callable[[], object]]]:
    """The guards that a node is: line, kind, source and how to take it out.

    Of 'or', only one that is tested, since the others give a default.
    """
    match node:
        case ast.With():
            for item in node.items:
                if kind := _kind_of_context(item):
                    text = f"with {_source(item)}: {_source(node.body[0])}"
                    yield node.lineno, kind, text, lambda item=item: setattr(item, "context_expr", _nothing())
        case ast.If() if not _is_typing(node):
            exits = isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break)
            kind, instead = ("check", False) if exits else ("condition", True)
            yield node.lineno, kind, _source(node.test), lambda: setattr(node, "test", ast.Constant(instead))
        case ast.While() if not isinstance(node.test, ast.Constant):
            yield node.lineno, "while", _source(node.test), lambda: setattr(node, "test", ast.Constant(True))
        case ast.BoolOp() if isinstance(node.op, ast.And) or tested:
            for index, part in enumerate(node.values):
                yield part.lineno, "part", _source(part), lambda index=index: node.values.pop(index)
        case ast.comprehension():
            for index, test in enumerate(node.ifs):
                yield test.lineno, "filter", _source(test), lambda index=index: node.ifs.pop(index)
        case ast.Try() if node.finalbody:
            text = _source(node.finalbody[0])
            yield node.finalbody[0].lineno, "finally", text, lambda: setattr(node, "finalbody", [ast.Pass()])
        case ast.ExceptHandler() if not isinstance(node.body[-1], ast.Raise):
            yield node.lineno, "handler", _source(node.body[0]), lambda: setattr(node, "body", [ast.Raise()])


def _kind_of_context(item: ast.withitem) -> str:
    """'lock', 'suppress' for errors that are ignored, or nothing."""
    text = ast.unparse(item)
    return "suppress" if "suppress(" in text else "lock" if any(name in text for name in LOCKS) else ""


def _nothing() -> ast.expr:
    return ast.parse("__import__('contextlib').nullcontext()", mode="eval").body


def _is_typing(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id in {"TYPE_CHECKING", "__name__"}


def _source(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


def without(source: str, number: int) -> str:
    """Return a module's source without its guard of that number."""
    tree = ast.parse(source)
    guards(tree)[number].take_out()
    return ast.unparse(ast.fix_missing_locations(tree))


# ---- trying


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what git knows of the tree, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def import_heavy() -> None:
    """Import what every trial needs, and forget this program's own modules again: a trial has its own."""
    os.environ["OMP_NUM_THREADS"] = "1"  # a fork has one thread
    sys.path.insert(0, str(ROOT))
    import pytest  # noqa: F401

    import tests.conftest  # noqa: F401
    from engine.training import qlora_trainer  # noqa: F401

    sys.path.remove(str(ROOT))
    for name in [name for name in sys.modules if name.split(".")[0] in {"engine", "tests", "ui"}]:
        del sys.modules[name]


def passes(tree: Path, tests: list[str], undisturbed: float | None = None) -> tuple[bool, str]:
    """Run tests on a tree in a fork; return whether all pass, and the output's last words.

    Args:
        tree: The copy.
        tests: Files in it.
        undisturbed: How many seconds they take when all is well; None sets no limit.
    """
    log = tree.with_suffix(".log")
    seconds = undisturbed and PATIENCE * undisturbed
    options = [f"--timeout={max(TEST_SECONDS, undisturbed / 2)}", "--timeout-method=thread"] if undisturbed else []
    process = os.fork()
    if process == 0:
        _run_pytest(tree, [*options, *(test for test in tests if (tree / test.split("::")[0]).exists())], log)
    ended, status = _wait_for(process, seconds)
    tail = " ".join(log.read_text(errors="replace").split()[-40:])
    return ended and os.waitstatus_to_exitcode(status) == 0, tail if ended else f"hangs: {tail}"


def _run_pytest(tree: Path, words: list[str], log: Path) -> None:
    code = 1
    try:
        os.setsid()  # so that its children can be ended with it
        with log.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        import pytest

        left_out = ["-k", f"not ({' or '.join(LEFT_OUT)})"]
        code = int(pytest.main(["-n", "0", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *left_out, *words]))
    finally:
        os._exit(code)


def _wait_for(process: int, seconds: float | None) -> tuple[bool, int]:
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return True, status
        time.sleep(0.05)
    os.killpg(process, signal.SIGKILL)
    return False, os.waitpid(process, 0)[1]


def check(tree: Path, name: str, after: int) -> list[Guard]:
    """Try the guards of a file after a line; return those that no test misses."""
    source, tests, missed = (ROOT / name).read_text(encoding="utf-8"), TESTS[name], []
    began = time.monotonic()
    sound, told = passes(tree, tests)
    assert sound, f"the tests of {name} fail with all guards in place: {told}"
    undisturbed = time.monotonic() - began
    for number, guard in enumerate(guards(ast.parse(source))):
        if guard.line <= after or (name, str(guard)) in ALLOWED:
            continue
        (tree / name).write_text(without(source, number), encoding="utf-8")
        survived, told = passes(tree, tests, undisturbed)
        print(f"{name}:{guard.line}: {'NO TEST MISSES' if survived else 'ok'} {guard}", flush=True)
        if survived:
            missed.append(guard)
    (tree / name).write_text(source, encoding="utf-8")
    return missed


def main() -> None:
    """Check the files named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=list(TESTS))
    parser.add_argument("--list", action="store_true", help="only print the guards")
    parser.add_argument("--after", type=int, default=0, metavar="LINE", help="only guards after a line")
    given = parser.parse_args()
    if given.list:
        for name in given.files:
            for guard in guards(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
                print(f"{name}:{guard.line}: {guard}")
        return
    import_heavy()
    with tempfile.TemporaryDirectory() as temporary:
        tree = copy_of_the_tree(Path(temporary) / "tree")
        missed = {name: check(tree, name, given.after) for name in given.files}
    for name, left in missed.items():
        for guard in left:
            print(f"No test misses {name}:{guard.line}: {guard}")
    sys.exit(any(missed.values()))


if __name__ == "__main__":
    main()
