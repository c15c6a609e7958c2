"""A web server on this machine that sends what a case says, in a process of its own."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .case import Answer


@contextmanager
def serving(answer: Callable[[str], Answer]) -> Iterator[str]:
    """Serves until the block ends; yields the server's address, `http://127.0.0.1:PORT`."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = os.fork()
    if not process:
        try:
            _serve(listener, answer)
        finally:
            os._exit(0)
    listener.close()
    try:
        yield url
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)


def _serve(listener: socket.socket, answer: Callable[[str], Answer]) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                request = connection.recv(65536).decode("latin-1").split()
                if len(request) > 1:
                    _send(connection, answer(request[1]))
            except OSError:
                pass  # the other side has hung up


def _send(connection: socket.socket, answer: Answer) -> None:
    length = len(answer.body) * answer.repeats if answer.length is None else answer.length
    headers = [("Connection", "close"), *answer.headers]
    if length >= 0 and answer.repeats >= 0:
        headers.append(("Content-Length", str(length)))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection.sendall(f"HTTP/1.1 {answer.status} Corpus\r\n{head}\r\n".encode("latin-1"))
    sent = 0
    while sent != answer.repeats:
        if answer.pause:
            time.sleep(answer.pause)
        connection.sendall(answer.body)
        sent += 1
