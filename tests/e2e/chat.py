"""A company's chat as a webhook knows it: is told of questions, verifies who tells, and passes people's answers on."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from doorward.approval.channels.signature import Message, SignatureError, key_of, sign, verify
from doorward.net.tls import client_context
from tests.e2e.log import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Json = dict[str, Any]


@dataclass(slots=True)
class Chat:
    """What it was told, and how it answers to that."""

    port: int = 0
    status: int = 204
    told: list[Json] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Why messages were not believed."""
    lets_go: threading.Event = field(default_factory=threading.Event)
    """Until it is set, a chat of status 0 says nothing at all."""

    def config(self, **more: Any) -> Json:
        """How a gateway declares it; its secret lies in `hook.secret`."""
        url = f"http://127.0.0.1:{self.port}/doorward"
        return {"url": url, "plain_http": True, "private": True, "secret": "${file:hook.secret}", **more}

    def of(self, kind: str) -> list[Json]:
        """What it was told of one kind."""
        return [message["data"] for message in self.told if message["type"] == kind]

    def asked(self, count: int = 1) -> Json:
        """The latest question, once it has been told so many."""
        until(lambda: len(self.of("approval.asked")) >= count)
        return self.of("approval.asked")[-1]


@contextmanager
def chatting() -> Iterator[Chat]:
    """A chat on a free port."""
    chat = Chat()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            message = Message(self.headers["webhook-id"], self.headers["webhook-timestamp"], body)
            try:
                verify(key_of(SECRET), message, self.headers["webhook-signature"], time.time())
            except SignatureError as error:
                chat.wrong.append(str(error))
            if not chat.status:
                chat.lets_go.wait(60)
                return
            if 200 <= chat.status < 300:
                # Before the answer: whoever has it knows that this is known.
                chat.told.append(json.loads(body))
            self.send_response(chat.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    chat.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        chat.lets_go.set()
        server.shutdown()
        server.server_close()


def passed_on(url: str, ca_file: Path, said: Json, message_id: str, name: str = "chat", secret: str = SECRET) -> tuple[int, Json]:
    """Status and body of what the gateway says to an answer."""
    body = json.dumps(said).encode()
    message = Message(message_id, str(int(time.time())), body)
    headers = {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": message.timestamp,
        "webhook-signature": sign(key_of(secret), message),
    }
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=20, context=client_context(str(ca_file)))
    try:
        connection.request("POST", f"/hooks/approvals/{name}", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
