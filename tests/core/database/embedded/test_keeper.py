"""The keeper's protocol, its log, and that it stays small."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mgw.core.database.embedded import keeper
from mgw.core.database.embedded.keeper import address
from mgw.core.database.embedded.keeper.wire import LINE_LIMIT_BYTES, decode, encode, receive

from .conftest import PATIENCE_S, is_running, query


@pytest.fixture
def pinned(server, monkeypatch):
    """A pinned server, and its home as the working directory, so that the address of its socket is short."""
    status = server.start()
    monkeypatch.chdir(server.home)
    return status


def converse(*lines: bytes) -> list[dict]:
    """Send lines on one connection and return the answer to each."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect("keeper.sock")
        answers = []
        for line in lines:
            connection.sendall(line)
            answers.append(receive(connection))
        return answers


def test_a_status_is_answered_without_a_lease(pinned):
    (answer,) = converse(b'{"protocol": 1, "op": "status"}\n')
    assert answer["protocol"] == 1
    assert answer["status"]["pid"] == pinned.pid
    assert answer["status"]["leases"] == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\n", "malformed"),
        (b"[]\n", "malformed"),
        (b"\xff\xfe\n", "malformed"),
        (b'{"protocol": 1, "op": "dance"}\n', "dance"),
        (b'{"protocol": 1, "op": ["lease"]}\n', "no operation"),
        (b'{"protocol": 1}\n', "no operation"),
        (b'{"protocol": 2, "op": "lease"}\n', "another version"),
    ],
)
def test_nonsense_is_refused_and_the_connection_and_the_keeper_go_on(pinned, line, said):
    refused, answered = converse(line, encode(op="lease"))
    assert said in refused["error"]
    assert answered["status"]["leases"] == 1
    assert is_running(pinned.keeper_pid)


def test_a_line_without_end_is_cut_off(pinned):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect("keeper.sock")
        with pytest.raises(ConnectionError):  # reset or broken pipe, whichever comes first
            connection.sendall(b"x" * LINE_LIMIT_BYTES * 64)
    assert converse(encode(op="status"))[0]["status"]["pid"] == pinned.pid


def test_a_message_in_pieces_is_put_together(pinned):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect("keeper.sock")
        for byte in encode(op="status"):
            connection.sendall(bytes([byte]))
        assert receive(connection)["status"]["pid"] == pinned.pid


def test_stop_is_obeyed_whatever_version_asks(pinned):
    assert converse(b'{"protocol": 99, "op": "stop"}\n') == [{"protocol": 1}]


def test_messages_round_trip():
    message = {"op": "lease", "text": "größer \udce9\n"}
    assert encode(**message).count(b"\n") == 1
    assert decode(encode(**message)) == {"protocol": 1, **message}


def test_the_keeper_imports_itself_and_the_light_part_of_the_standard_library():
    program = "import sys; sys.path.append(sys.argv[1]); import keeper.service; print('\\n'.join(sys.modules))"
    folder = Path(keeper.__file__).parents[1]
    command = [sys.executable, "-I", "-S", "-c", program, str(folder)]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "keeper.service" in loaded
    assert not loaded & {"mgw", "psycopg", "numpy", "msgspec", "pathlib", "tempfile", "inspect", "asyncio", "logging"}


def test_the_keeper_is_detached_from_whoever_started_it(pinned):
    assert os.getsid(pinned.keeper_pid) != os.getsid(0)
    descriptors = {str(each.readlink()) for each in Path(f"/proc/{pinned.keeper_pid}/fd").iterdir()}
    assert "/dev/null" in descriptors
    assert not any("/dev/pts" in each for each in descriptors)


def test_the_log_of_the_server_cannot_grow_for_ever(server):
    with server.lease():
        pass
    server.stop()
    log = server.home / "server.log"
    log.write_bytes(b"an old line of the log\n" * 250_000)
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]
    server.stop()
    assert log.stat().st_size < 1_000_000
    assert "ready to accept connections" in log.read_text()
    assert 4_000_000 < (server.home / "server.log.1").stat().st_size < 4_300_000


def test_urls_are_encoded_byte_by_byte():
    assert address.libpq_url("/a b/ä,%/x-._~") == "postgresql://mgw@/mgw?host=%2Fa%20b%2F%C3%A4%2C%25%2Fx-._~&port=5432"


def test_a_socket_address_fits_or_not_to_the_byte():
    fifty = "/" + "x" * 49
    room = 107 if sys.platform == "linux" else 103
    assert address.fits(fifty, "s" * (room - 51))
    assert not address.fits(fifty, "s" * (room - 50))
    assert not address.fits("/ä,b", "s")


def test_answers_are_json_lines(pinned):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("keeper.sock")
        connection.sendall(encode(op="status"))
        assert json.loads(connection.makefile().readline())["status"]["keeper_pid"] == pinned.keeper_pid
