"""The tool that takes guards out: what it finds, what is left, and that its lists are of today's files."""

import ast

from tests.guard_check import ALLOWED, ROOT, TESTS, guards, without

SOURCE = """
def take(self, wanted, ready):
    with self._lock:
        if wanted is None and ready:
            raise ValueError
        if wanted:
            self.count += 1
        name = wanted or "default"
    with suppress(OSError):
        gone()
    try:
        return [each for each in self.all if each]
    except KeyError:
        return name
    finally:
        self.count = 0
    while ready() or wanted:
        wait()
"""
FOUND = [
    "take, lock: with self._lock: if wanted is None and ready: raise ValueError",
    "take, check: wanted is None and ready",
    "take, part: ready",
    "take, part: wanted is None",
    "take, condition: wanted",
    "take, suppress: with suppress(OSError): gone()",
    "take, filter: each",
    "take, handler: return name",
    "take, finally: self.count = 0",
    "take, part: ready()",
    "take, part: wanted",
    "take, while: ready() or wanted",
]


def test_every_kind_of_guard_is_found_and_defaults_are_none():
    assert [str(guard) for guard in guards(ast.parse(SOURCE))] == FOUND


def test_one_guard_is_taken_out_at_a_time():
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for number, text in enumerate(FOUND):
        left = without(SOURCE, number)
        compile(left, text, "exec")
        changed = [line for line in left.splitlines() if line not in whole]
        assert len(changed) == 1, text
    assert "if False:\n            raise ValueError" in without(SOURCE, 1)
    assert "if True:\n            self.count += 1" in without(SOURCE, 4)


def test_what_is_allowed_and_what_is_run_is_still_there():
    known = {(name, str(guard)) for name in TESTS for guard in guards(ast.parse((ROOT / name).read_text()))}
    assert set(ALLOWED) <= known
    assert all((ROOT / test.split("::")[0]).is_file() for tests in TESTS.values() for test in tests)
