"""API keys: shown once, kept as a hash, revoked at once, in every program that has the workspace open."""

import json
import threading

import pytest

from engine.errors import StudioError
from engine.serving.keys import FILE, NOTED, ApiKeys


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path, clock) -> ApiKeys:
    return ApiKeys(tmp_path, clock)


def test_a_key_is_shown_once_and_only_its_hash_is_kept(keys, tmp_path):
    made, secret = keys.make("  Zendesk \n webhook ")
    assert made.name == "Zendesk webhook"
    assert secret.startswith("tt-")
    assert len(secret) > 43
    assert secret.endswith(made.ends)
    kept = (tmp_path / FILE).read_text()
    assert secret not in kept
    assert secret[3:-4] not in kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert keys.check(secret).id == made.id
    assert keys.make("another")[1] != secret


@pytest.mark.parametrize("shown", ["", "tt-", "tt-" + "a" * 43, "\ud800", "x" * 100_000])
def test_anything_else_lets_nobody_in(keys, shown):
    keys.make("Zendesk")
    assert keys.check(shown) is None


def test_a_revoked_key_is_refused_at_once_by_other_programs_too(keys, tmp_path):
    made, secret = keys.make("Zendesk")
    other = ApiKeys(tmp_path)
    assert other.check(secret) is not None
    assert other.holds(made.id)
    keys.revoke(made.id)
    assert other.check(secret) is None
    assert not other.holds(made.id)
    assert keys.all() == []
    with pytest.raises(StudioError, match="not here any more"):
        keys.revoke(made.id)


def test_when_a_key_was_last_used_is_noted_once_a_minute(keys, clock, tmp_path):
    _, secret = keys.make("Zendesk")
    assert keys.all()[0].used is None
    keys.check(secret)
    assert keys.all()[0].used == 1000.0
    clock.now += NOTED - 1
    keys.check(secret)
    assert keys.all()[0].used == 1000.0
    clock.now += 2
    keys.check(secret)
    assert ApiKeys(tmp_path).all()[0].used == clock.now


def test_two_keys_do_not_have_one_name_and_none_is_without(keys):
    keys.make("Zendesk")
    with pytest.raises(StudioError, match="called 'Zendesk'"):
        keys.make(" Zendesk ")
    with pytest.raises(StudioError, match="empty"):
        keys.make("  ")


def test_keys_that_are_made_at_the_same_time_are_all_there(keys, tmp_path):
    start = threading.Barrier(4)

    def make(number):
        start.wait(60)
        ApiKeys(tmp_path).make(f"key {number}")

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(key.name for key in keys.all()) == [f"key {number}" for number in range(4)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": 1}', '{"keys": [{"id": "x"}]}'])
def test_a_damaged_file_lets_nobody_in_and_is_told(keys, tmp_path, text):
    made, secret = keys.make("Zendesk")
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StudioError, match="damaged"):
        keys.check(secret)
    assert not keys.holds(made.id)


def test_the_hash_is_of_the_key_alone_so_that_it_can_be_made_elsewhere(keys, tmp_path):
    import hashlib

    _, secret = keys.make("Zendesk")
    [entry] = json.loads((tmp_path / FILE).read_text())["keys"]
    assert entry["hash"] == hashlib.sha256(secret.encode()).hexdigest()
