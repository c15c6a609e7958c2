"""A web server on this machine that misbehaves as told: cuts connections, sends wrong bytes, redirects."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What the server gives: files by path, and faults by path."""

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.cuts: dict[str, list[int]] = {}  # how many bytes each of the next answers sends before the cut
        self.errors: dict[str, list[int]] = {}  # status codes of the next answers
        # what answers instead, given the request; it may send anything
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.no_ranges: set[str] = set()
        self.asked: list[tuple[str, str | None]] = []  # path and Range header of every request
        self.lock = threading.Lock()

    def count(self, path: str) -> int:
        return Counter(path for path, _ in self.asked)[path]


@contextmanager
def running() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path, wanted = self.path, self.headers.get("Range")
            with site.lock:
                site.asked.append((path, wanted))
                error = site.errors[path].pop(0) if site.errors.get(path) else None
                cut = site.cuts[path].pop(0) if site.cuts.get(path) else None
            if path in site.answers:
                self.close_connection = True
                with suppress(OSError):
                    site.answers[path](self)
                return None
            if error:
                return self.answer(error, b"")
            if path in site.redirects:
                return self.answer(302, b"", {"Location": site.redirects[path]})
            if path not in site.files:
                return self.answer(404, b"")
            content, etag = site.files[path], site.etags.get(path, "")
            headers = {"ETag": etag} if etag else {}
            begin = int(re.findall(r"\d+", wanted)[0]) if wanted and path not in site.no_ranges else 0
            if begin and self.headers.get("If-Range", etag) != etag:
                begin = 0
            if begin > len(content):
                return self.answer(416, b"")
            if begin:
                headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self.answer(206 if begin else 200, content[begin:], headers, cut)

        def answer(
            self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign, assignment]  # clients that hang up
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
