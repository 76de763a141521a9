"""What the options about who gets in come to, and what is refused before anything starts."""

from pathlib import Path

import pytest

from engine.errors import StudioError
from ui.server.doors.entry import read_entry
from ui.server.doors.users import VARIABLE, read_users

DATA = Path(__file__).parent / "data"
PAIR = (DATA / "localhost.pem", DATA / "localhost-key.pem")


@pytest.fixture
def users(tmp_path):
    """A file with two users that its owner alone can read."""
    file = tmp_path / "users"
    file.write_text("# who may come in\nanna:a:b\n\nbo:secret\n")
    file.chmod(0o600)
    return file


def test_users_are_read_from_the_option_a_file_or_the_environment(users):
    assert read_users("anna:a:b", None, {}) == {"anna": "a:b"}
    assert read_users("", users, {}) == {"anna": "a:b", "bo": "secret"}
    assert read_users("", None, {VARIABLE: "anna:a\nbo:b"}) == {"anna": "a", "bo": "b"}
    assert read_users("", None, {}) == {}


@pytest.mark.parametrize("auth", ["anna", "anna:", ":secret"])
def test_half_a_login_is_refused(auth, tmp_path):
    (tmp_path / "users").write_text(auth)
    for given in ((auth, None, {}), ("", tmp_path / "users", {}), ("", None, {VARIABLE: auth})):
        with pytest.raises(StudioError, match="user:password") as caught:
            read_users(*given)
        assert "secret" not in str(caught.value)


def test_users_in_two_places_twice_or_nowhere_are_refused(users, tmp_path):
    with pytest.raises(StudioError, match="--auth and in --auth-file"):
        read_users("anna:a", users, {})
    with pytest.raises(StudioError, match="twice"):
        read_users("", None, {VARIABLE: "anna:a\nanna:b"})
    (tmp_path / "empty").write_text("# nobody\n")
    with pytest.raises(StudioError, match="names no user"):
        read_users("", tmp_path / "empty", {})
    with pytest.raises(StudioError, match="cannot be read"):
        read_users("", tmp_path / "missing", {})


def test_the_network_demands_a_login_and_is_warned_of_plain_http(users):
    with pytest.raises(StudioError, match="others in the network"):
        read_entry("0.0.0.0", 7860)
    assert "can be read on their way" in read_entry("0.0.0.0", 7860, auth_file=users).cautions[0]
    assert read_entry("0.0.0.0", 7860, auth_file=users, certificate=PAIR[0], key=PAIR[1]).cautions == ()
    assert read_entry("127.0.0.1", 7860).cautions == ()


def test_a_password_that_others_can_read_is_told(users):
    [said] = read_entry("127.0.0.1", 7860, "anna:a").cautions
    assert "list of processes" in said
    users.chmod(0o644)
    [said] = read_entry("127.0.0.1", 7860, auth_file=users).cautions
    assert f"chmod 600 {users}" in said


def test_no_token_says_what_it_gives_up():
    entry = read_entry("127.0.0.1", 7860, token=False)
    assert not entry.asks_token
    assert "everybody who uses this computer" in entry.cautions[0]


def test_a_login_takes_the_place_of_the_token(users):
    assert read_entry("127.0.0.1", 7860).asks_token
    assert not read_entry("127.0.0.1", 7860, auth_file=users).asks_token


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ((PAIR[0], None), "--ssl-keyfile is missing"),
        ((None, PAIR[1]), "--ssl-certfile is missing"),
        ((PAIR[1], PAIR[0]), "no certificate and its key"),
        ((PAIR[0], Path("missing.pem")), "no certificate and its key"),
        ((PAIR[0], DATA / "locked-key.pem"), "no certificate and its key"),
    ],
)
def test_a_certificate_that_does_not_work_is_told_at_once(pair, said):
    with pytest.raises(StudioError, match=said):
        read_entry("127.0.0.1", 7860, certificate=pair[0], key=pair[1])


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:7860"), ("::1", "http://[::1]:7860"), ("0.0.0.0", "http://localhost:7860")],
)
def test_the_address_is_one_that_a_browser_here_can_open(host, address, users):
    assert read_entry(host, 7860, auth_file=users).address == address
