"""A process that serves one archive, slowly, and cuts the connection where the address says so."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from signal import SIGKILL

PIECES, PAUSE = 12, 0.02  # the body comes in so many pieces, with so many seconds between them


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    """Yields the server's address.

    `/whole/NAME` gives the content; `/cut/N-M/NAME` ends the first answer after N bytes, the second after M.
    """
    asked: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            begin = int(wanted.group(1)) if wanted else 0
            cuts = re.match(r"/cut/([\d-]+)/", self.path)
            ends = [int(end) for end in cuts.group(1).split("-")] if cuts else []
            number = asked.get(self.path, 0)
            asked[self.path] = number + 1
            end = ends[number] if number < len(ends) else len(content)
            self.send_response(206 if begin else 200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(content) - begin))
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            size = len(content) // PIECES + 1
            try:
                for start in range(begin, end, size):
                    self.wfile.write(content[start : min(start + size, end)])
                    time.sleep(PAUSE)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the reader was killed

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    process = os.fork()
    if process == 0:
        try:
            server.serve_forever()
        finally:
            os._exit(0)
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.server_close()
        os.kill(process, SIGKILL)
        os.waitpid(process, 0)
