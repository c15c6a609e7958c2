"""Downloads from servers that harm or waste: bounded in bytes, time and attempts, with nothing lost."""

import gzip
import hashlib
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from misbehaving_server import Site, running

from sodbench.data.card import Archive
from sodbench.data.getting import download as module
from sodbench.data.getting.download import DownloadError, download

CONTENT = np.random.default_rng(3).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    with running() as site:
        site.files["/a.zip"] = CONTENT
        yield site


def archive(site: Site, path: str = "/a.zip", **known: object) -> Archive:
    return Archive(address=site.url + path, name=path[1:], **known)  # type: ignore[arg-type]


def send(
    headers: dict[str, object], body: Callable[[BaseHTTPRequestHandler], None], status: int = 200
) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Connection": "close", **headers}.items():
            request.send_header(name, str(value))
        request.end_headers()
        body(request)

    return answer


def write(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(body)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    for _ in range(2000):  # 200 MB, should nobody stop reading
        request.wfile.write(CONTENT[:100_000])


def endless_chunks(request: BaseHTTPRequestHandler) -> None:
    for _ in range(2000):
        request.wfile.write(b"186a0\r\n" + CONTENT[:100_000] + b"\r\n")


@pytest.mark.parametrize("known", [{}, {"size": 1_000_000}])
@pytest.mark.parametrize(
    "answer", [send({}, endless), send({"Transfer-Encoding": "chunked"}, endless_chunks)]
)
def test_an_endless_body(site: Site, tmp_path: Path, known: dict[str, object], answer: object) -> None:
    site.answers["/a.zip"] = answer  # type: ignore[assignment]
    with pytest.raises(DownloadError, match=r"a\.zip: the server sends more than 1,000,000 bytes"):
        download(archive(site, **known), "http", tmp_path, at_most=1_000_000)
    assert list(tmp_path.iterdir()) == [] and site.count("/a.zip") == 1


def test_a_body_that_is_announced_too_large_is_not_begun(site: Site, tmp_path: Path) -> None:
    site.answers["/a.zip"] = send({"Content-Length": 10**15}, endless)
    with pytest.raises(DownloadError, match=r"announces 1,000,000,000,000,000 bytes, expected 500 at most"):
        download(archive(site, size=500), "http", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_card_says(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="announces 300,000 bytes, expected 299,999 at most"):
        download(archive(site, size=299_999), "http", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_than_was_announced_is_not_read(site: Site, tmp_path: Path) -> None:
    site.answers["/a.zip"] = send(
        {"Content-Length": len(CONTENT)}, lambda request: request.wfile.write(CONTENT * 2) and None
    )
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT


def test_a_body_packed_unasked(site: Site, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    headers = {"Content-Encoding": "gzip", "Content-Length": len(bomb)}
    for path in ("/a.zip", "/a.tar.gz"):
        site.answers[path] = send(headers, write(bomb))
    with pytest.raises(DownloadError, match=r"Content-Encoding gzip.*unasked"):
        download(archive(site), "http", tmp_path)
    assert list(tmp_path.iterdir()) == []
    # some servers announce a .tar.gz as packed: it arrives as it is
    assert download(archive(site, "/a.tar.gz"), "http", tmp_path).read_bytes() == bomb


@pytest.mark.parametrize("piece", [1000, 40_000])
def test_small_pieces_add_up(site: Site, tmp_path: Path, piece: int) -> None:
    """Every connection is cut after less than a chunk."""
    whole = 7 * piece
    site.files["/a.zip"] = CONTENT[:whole]
    site.etags["/a.zip"] = '"one"'
    site.cuts["/a.zip"] = [piece] * 6
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT[:whole]
    starts = [int(wanted.split("=")[1].rstrip("-")) if wanted else 0 for _, wanted in site.asked]
    assert starts == list(range(0, whole, piece))


def test_a_stalled_connection_is_taken_up(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", (5, 0.2))
    pieces = []

    def stall(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(CONTENT[:5000])
        pieces.append(5000)
        del site.answers["/a.zip"]
        time.sleep(0.6)

    site.answers["/a.zip"] = send({"Content-Length": len(CONTENT)}, stall)
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT
    assert pieces == [5000] and site.asked[1][1] == "bytes=5000-"


def test_a_trickle_is_given_up_and_kept(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 0.2)

    def trickle(request: BaseHTTPRequestHandler) -> None:
        for place in range(200):
            request.wfile.write(CONTENT[place : place + 1])
            time.sleep(0.01)

    site.answers["/a.zip"] = send({"Content-Length": len(CONTENT)}, trickle)
    with pytest.raises(DownloadError, match=r"bytes came in .*expected 1,000 per second; call again"):
        download(archive(site, sha256=SHA), "http", tmp_path)
    site.answers.clear()
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT
    assert site.asked[-1][1] not in (None, "bytes=0-")


@pytest.mark.parametrize(
    "content_range", ["bytes 0-299999/300000", "bytes 7-8/9", "nonsense", "bytes 5000-4/x", ""]
)
def test_another_range_than_asked_for(site: Site, tmp_path: Path, content_range: str) -> None:
    site.cuts["/a.zip"] = [5000] + [0] * 9
    with pytest.raises(DownloadError):
        download(archive(site, sha256=SHA), "http", tmp_path)

    def wrong(request: BaseHTTPRequestHandler) -> None:
        del site.answers["/a.zip"]
        site.cuts.clear()
        request.wfile.write(CONTENT[:100])

    site.answers["/a.zip"] = send({"Content-Range": content_range}, wrong, status=206)
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT


def test_a_server_that_always_sends_another_range(site: Site, tmp_path: Path) -> None:
    site.answers["/a.zip"] = send({"Content-Range": "bytes 9-99/100"}, lambda request: None, status=206)
    with pytest.raises(DownloadError, match=r"another part than asked for \(5 attempts"):
        download(archive(site), "http", tmp_path)


def test_a_whole_part_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    """A process was killed between the last byte and the renaming."""
    site.cuts["/a.zip"] = [5000] + [0] * 9
    with pytest.raises(DownloadError):
        download(archive(site, sha256=SHA), "http", tmp_path)
    next(path for path in tmp_path.iterdir() if path.suffix == ".part").write_bytes(CONTENT)
    site.answers["/a.zip"] = send({"Content-Range": "bytes */300000"}, lambda request: None, status=416)
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("scheme", ["file:///etc/hostname", "ftp://127.0.0.1/a.zip", "data:text/plain,x"])
def test_other_schemes(site: Site, tmp_path: Path, scheme: str) -> None:
    site.redirects["/a.zip"] = scheme
    for address in (archive(site), Archive(address=scheme, name="a.zip")):
        with pytest.raises(DownloadError):
            download(address, "http", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_is_named_even_where_the_digest_is_known(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"] = b"\n<!DOCTYPE html><html>sign in</html>"
    with pytest.raises(DownloadError, match="web page"):
        download(archive(site, sha256=SHA), "http", tmp_path)
    assert list(tmp_path.iterdir()) == []
