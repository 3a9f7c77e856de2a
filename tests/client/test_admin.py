"""The client of the admin API: what it says when nobody answers, or answers something else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorward.client.admin import Admin, AdminError, at


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """A socket that answers its first request with these bytes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def answer_once() -> None:
        connected, _ = server.accept()
        with connected:
            connected.recv(65_536)
            connected.sendall(answer)
            connected.shutdown(socket.SHUT_WR)
            # What is left unread would reset the connection before the answer is read.
            while connected.recv(65_536):
                pass

    thread = threading.Thread(target=answer_once, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(5)
        server.close()


def test_a_missing_socket_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="there is no control socket at") as raised:
        Admin(tmp_path / "c.sock").get("/v1/status")
    assert raised.value.reason == "unreachable"


def test_a_socket_that_nobody_listens_at_is_said_to_be_left_over(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "c.sock"))
    stale.close()
    with pytest.raises(AdminError, match="nobody listens at"):
        Admin(tmp_path / "c.sock").get("/v1/status")


def test_a_path_that_no_socket_can_have_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="cannot be reached"):
        Admin(tmp_path / ("x" * 120)).get("/v1/status")


def test_a_gateway_that_says_nothing_in_time_is_said_so(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "c.sock"))
    server.listen(1)
    with server, pytest.raises(AdminError, match="did not answer in time"):
        Admin(tmp_path / "c.sock", timeout_seconds=0.05).get("/v1/status")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "ended the answer before it was whole|cannot be reached"),
        (b"nonsense\r\n\r\n", "ended the answer before it was whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "ended the answer before it was whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "something else"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", "something else"),
    ],
)
def test_an_answer_that_is_none_is_an_error(tmp_path: Path, answer: bytes, message: str) -> None:
    with answering(tmp_path / "c.sock", answer), pytest.raises(AdminError, match=message):
        Admin(tmp_path / "c.sock").get("/v1/status")


def test_a_refusal_carries_its_reason_message_and_problems(tmp_path: Path) -> None:
    body = b'{"reason": "not_taken", "message": "no", "problems": ["a:1:1: x"]}'
    head = b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(tmp_path / "c.sock", head + body), pytest.raises(AdminError) as raised:
        Admin(tmp_path / "c.sock").post("/v1/reload")
    assert (raised.value.reason, str(raised.value), raised.value.problems) == ("not_taken", "no", ("a:1:1: x",))


def test_parts_of_a_path_cannot_become_other_paths() -> None:
    assert at("agents", "a/b?c=d#e f") == "/v1/agents/a%2Fb%3Fc%3Dd%23e%20f"
