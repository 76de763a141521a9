"""Uploads that are too large, too many, or do not fit on the disk, to the program as a person starts it."""

import resource
import shutil
import socket

import httpx
import pytest

from tests.program import running
from tests.ui.server.doors.conftest import bearer

UPLOAD = "/gradio_api/upload"
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    with running(tmp_path_factory.mktemp("uploads"), "--max-upload", "0.002") as started:
        yield started


@pytest.fixture
def client(program):
    with httpx.Client(base_url=program.address, timeout=60, headers=bearer(program)) as made:
        yield made


def left_behind(program):
    """Half files."""
    return [entry for entry in (program.workspace / "cache" / "window").glob("tmp*") if entry.is_file()]


def files(size, count=1):
    return [("files", (f"export {number}.csv", b"a" * size)) for number in range(count)]


def test_what_is_small_enough_is_taken(program, client):
    [path] = client.post(UPLOAD, files=files(MEGABYTE)).json()
    assert path.endswith("export 0.csv")


def test_too_much_is_refused_in_words_however_it_is_announced(program, client):
    body = client.build_request("POST", UPLOAD, files=files(3 * MEGABYTE))
    content, kind = body.read(), {"Content-Type": body.headers["content-type"]}
    pieces = (content[start : start + 65_536] for start in range(0, len(content), 65_536))
    for answer in (
        client.post(UPLOAD, content=content, headers=kind),
        client.post(UPLOAD, content=pieces, headers=kind),
    ):
        assert answer.status_code == 413
        assert "at most 2.0 MB are taken" in answer.text
        assert "python -m engine prepare" in answer.text
    assert left_behind(program) == []


def test_an_upload_is_refused_before_it_is_sent_when_it_announces_too_much(program):
    head = f"POST {UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {10**15}\r\n"
    with socket.create_connection(("127.0.0.1", program.port), timeout=30) as line:
        line.sendall(f"{head}Authorization: Bearer {program.key}\r\n\r\n".encode())
        assert b" 413 " in line.recv(4096).split(b"\r\n")[0]


def test_too_many_files_are_refused_in_words(program, client):
    answer = client.post(UPLOAD, files=files(1, 1001))
    assert answer.status_code == 413
    assert "More than 1,000 files" in answer.text
    assert ".zip" in answer.text
    assert left_behind(program) == []


def test_a_disk_that_takes_no_more_is_told_in_words_and_no_half_file_stays(program, client):
    number = program.process.pid
    before = resource.prlimit(number, resource.RLIMIT_FSIZE)
    resource.prlimit(number, resource.RLIMIT_FSIZE, (MEGABYTE, before[1]))
    try:
        answer = client.post(UPLOAD, files=files(int(1.5 * MEGABYTE)))
    finally:
        resource.prlimit(number, resource.RLIMIT_FSIZE, before)
    assert answer.status_code == 507
    assert "could not be used" in answer.text
    assert "Check the disk" in answer.text
    assert left_behind(program) == []
    assert client.post(UPLOAD, files=files(10)).status_code == 200


def test_an_upload_that_is_broken_off_leaves_nothing(program, client):
    def broken():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n' + b"a" * 100_000
        raise httpx.ReadError("gone")

    with pytest.raises(httpx.ReadError):
        client.post(UPLOAD, content=broken(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    for _ in range(100):
        if not left_behind(program):
            break
        client.get("/")
    assert left_behind(program) == []


def test_a_cache_that_was_emptied_by_hand_is_made_again(program, client):
    shutil.rmtree(program.workspace / "cache" / "window")
    assert client.post(UPLOAD, files=files(10)).status_code == 200
    assert (program.workspace / "cache" / "window").stat().st_mode & 0o077 == 0


def test_no_user_key_is_needed_to_be_refused(program):
    assert httpx.post(program.address + UPLOAD, files=files(1)).status_code == 401
