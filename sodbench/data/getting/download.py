"""Downloads files: broken connections are resumed, and files with wrong content are deleted.

What a server can make this program do has bounds: the bytes of one file (the card's size, or a stated limit),
the time without a byte, the time at a trickle, and the attempts that bring nothing.

pooch stores the file and checks its digest; this module gives it a downloader that resumes. Files on Drive
need the optional package gdown.
"""

import hashlib
import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.data.card import Archive
from sodbench.data.getting.limits import GB
from sodbench.errors import InputError
from sodbench.files import sha256_of, write_text
from sodbench.json_text import read_json, to_json

if TYPE_CHECKING:
    import requests
    from tqdm import tqdm

ATTEMPTS = 5  # in a row without a single new byte
PAUSE = 1.0  # seconds before the second attempt, doubled for each further one
CHUNK = 1 << 16  # bytes read at once; what has come is written at once, however little it is
TIMEOUT = (15, 60)  # seconds to connect, and between two bytes
LEAST, WINDOW = 1000, 120.0  # bytes per second, at least, over so many seconds
MOST = 16 * GB  # bytes of a file of which nothing is known
_A_PAGE = "a web page, not an archive (the link has changed or asks for a login)"
PAGES = (b"<!doctype", b"<html", b"<?xml")


class DownloadError(Exception):
    """A mirror did not deliver the file, and why; the next mirror is tried."""


def download(archive: Archive, kind: str, folder: Path, progress: bool = False, at_most: int = MOST) -> Path:
    """Downloads an archive into `folder`, and checks its size and digest.

    `at_most`: the bytes that it may have where its size is not known. An interrupted download is kept as a
    `.part` file and resumed by the next call. Raises DownloadError.
    """
    target = folder / archive.name
    target.unlink(missing_ok=True)
    if kind == "drive":
        _from_drive(archive, target, progress)
    else:
        _from_web(archive, target, progress, archive.size or at_most)
    try:
        check(target, archive)
    except DownloadError:
        target.unlink()
        raise
    return target


def check(path: Path, archive: Archive) -> None:
    """Raises DownloadError if size or digest are not those of the card, or if the file is a web page."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512).lstrip().lower()
        if head.startswith(PAGES):
            raise DownloadError(f"{path.name}: {_A_PAGE}")
        file.seek(0)
        if archive.md5:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
            if md5 != archive.md5:
                raise DownloadError(f"{path.name}: wrong content (md5 {md5}, expected {archive.md5})")
    if archive.size is not None and size != archive.size:
        raise DownloadError(f"{path.name}: {size} bytes, expected {archive.size}")
    if archive.sha256 and (digest := sha256_of(path)) != archive.sha256.lower():
        raise DownloadError(f"{path.name}: wrong content (sha256 {digest}, expected {archive.sha256})")


def _from_web(archive: Archive, target: Path, progress: bool, at_most: int) -> None:
    import pooch

    digest = archive.sha256 or (f"md5:{archive.md5}" if archive.md5 else None)
    pooch.get_logger().setLevel(logging.WARNING)
    mark = hashlib.sha256(archive.address.encode()).hexdigest()[
        :8
    ]  # a part from one mirror is of no use for another
    part = target.with_name(f"{target.name}.{mark}.part")
    fetch = ResumingDownloader(part, trusted=digest is not None, progress=progress, at_most=at_most)
    try:
        pooch.retrieve(archive.address, digest, fname=target.name, path=target.parent, downloader=fetch)
    except ValueError as error:  # pooch's word for a wrong digest
        raise DownloadError(f"{archive.address}: wrong content ({' '.join(str(error).split())})") from None
    except OSError as error:
        raise DownloadError(f"{archive.address}: {error.strerror or error}") from None


def _from_drive(archive: Archive, target: Path, progress: bool) -> None:
    try:
        import gdown
    except ImportError:
        raise DownloadError(
            f"Drive file {archive.address}: needs the package gdown (pip install 'sodbench[drive]')"
        ) from None
    try:
        output = gdown.download(id=archive.address, output=str(target), quiet=not progress, resume=True)
    except Exception as error:  # gdown raises requests', its own and plain errors
        raise DownloadError(f"Drive file {archive.address}: {' '.join(str(error).split())}") from None
    if output is None or not target.is_file():
        raise DownloadError(
            f"Drive file {archive.address}: not delivered (too many downloads, or not public)"
        )


class ResumingDownloader:
    """A pooch downloader over HTTP that keeps what it has in `part` and requests only the rest.

    The server's ETag or date is stored beside the part, so that a file that has changed is downloaded anew.
    Without either, a part is resumed only if a digest will be checked afterwards (`trusted`).
    """

    def __init__(self, part: Path, trusted: bool, progress: bool = False, at_most: int = MOST) -> None:
        self.part, self.trusted, self.progress, self.at_most = part, trusted, progress, at_most
        self.tag_file = part.with_name(part.name + ".json")

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        attempts, had = 0, self._size()
        pace = _Pace(url)
        while True:
            try:
                self._once(url, pace)
                break
            except _Retry as cause:
                attempts = attempts + 1 if self._size() <= had else 1
                had = self._size()
                if attempts >= ATTEMPTS:
                    raise DownloadError(
                        f"{url}: {cause} ({attempts} attempts; call again to go on)"
                    ) from None
                time.sleep(PAUSE * 2 ** (attempts - 1))
        self.part.replace(output_file)
        self.tag_file.unlink(missing_ok=True)

    def _once(self, url: str, pace: "_Pace") -> None:
        import requests
        import urllib3

        if self._size() > self.at_most:
            self._drop()
        have, tag = self._size(), self._tag()
        headers = {"Accept-Encoding": "identity"}
        if have and (tag or self.trusted):
            headers["Range"] = f"bytes={have}-"
            if tag:
                headers["If-Range"] = tag
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                self._receive(url, response, have, tag, pace)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            urllib3.exceptions.HTTPError,
        ) as error:
            state = "broke" if self._size() else "failed"
            raise _Retry(f"the connection {state} ({type(error).__name__})") from None
        except requests.RequestException as error:
            raise DownloadError(f"{url}: {' '.join(str(error).split())}") from None

    def _receive(self, url: str, response: "requests.Response", have: int, tag: str, pace: "_Pace") -> None:
        status, headers = response.status_code, response.headers
        if status == 416:
            if headers.get("Content-Range") == f"bytes */{have}":
                return  # the part is the whole file
            self._drop()  # it is longer than the file: it belongs to another
            raise _Retry("the partial file did not fit and was deleted")
        if status == 429 or status >= 500:
            raise _Retry(f"the server answers {status}")
        if status not in (200, 206):
            raise DownloadError(f"{url}: the server answers {status} {response.reason}")
        new_tag = headers.get("ETag") or headers.get("Last-Modified") or ""
        length = headers.get("Content-Length", "")
        start, total = 0, int(length) if length.isdecimal() else None
        if status == 206:
            range_ = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", ""))
            if range_ is None or int(range_[1]) != have or (tag and new_tag and tag != new_tag):
                self._drop()
                raise _Retry("the server sent another part than asked for")
            start, total = have, int(range_[2]) + 1
        coding = headers.get("Content-Encoding", "identity").lower()
        # some servers call a .tar.gz packed once more; it is taken as it comes
        if coding != "identity" and not url.endswith((".gz", ".tgz")):
            raise DownloadError(f"{url}: the server packs the file (Content-Encoding {coding}), unasked")
        if (total or 0) > self.at_most:
            self._drop()
            raise DownloadError(
                f"{url}: the server announces {total:,} bytes, expected {self.at_most:,} at most"
            )
        self._keep_tag(new_tag)
        self._write(url, response, start, total, pace)
        if total is not None and self._size() != total:
            raise _Retry(f"{self._size()} of {total} bytes came")

    def _write(
        self, url: str, response: "requests.Response", start: int, total: int | None, pace: "_Pace"
    ) -> None:
        """Writes what comes as it comes, packed or not."""
        raw = response.raw
        # what has come at all, instead of waiting for a whole chunk, which a cut would lose
        read = getattr(raw, "read1", None) or raw.read
        size = start
        with self._bar(total, start) as bar, self.part.open("ab" if start else "wb", buffering=0) as file:
            while data := read(CHUNK, decode_content=False):
                if size == 0 and data.lstrip().lower().startswith(PAGES):
                    self._drop()
                    raise DownloadError(f"{url}: {_A_PAGE}")
                size += len(data)
                if size > self.at_most:
                    self._drop()
                    raise DownloadError(f"{url}: the server sends more than {self.at_most:,} bytes")
                file.write(data)
                bar.update(len(data))
                pace.check(len(data))

    def _drop(self) -> None:
        """Deletes what has come."""
        self.part.unlink(missing_ok=True)
        self.tag_file.unlink(missing_ok=True)

    def _bar(self, total: int | None, start: int) -> "tqdm[Any]":
        from tqdm import tqdm

        name = self.part.name.rsplit(".", 2)[0]
        return tqdm(
            desc=name,
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            disable=None if self.progress else True,
        )

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _tag(self) -> str:
        try:
            tag = str(read_json(self.tag_file)["tag"])
        except (InputError, KeyError, TypeError):
            return ""
        return "" if tag.startswith("W/") else tag  # a weak tag does not promise the same bytes

    def _keep_tag(self, tag: str) -> None:
        write_text(self.tag_file, to_json({"tag": tag}))


class _Pace:
    """Gives up on a server that only trickles; what has come stays for the next call."""

    def __init__(self, url: str) -> None:
        self.url, self.since, self.bytes = url, time.monotonic(), 0

    def check(self, received: int) -> None:
        """Counts bytes, and raises DownloadError where too few came in the last window."""
        self.bytes += received
        passed = time.monotonic() - self.since
        if passed < WINDOW:
            return
        if self.bytes < LEAST * passed:
            raise DownloadError(
                f"{self.url}: {self.bytes:,} bytes came in {passed:.0f} s, expected {LEAST:,} per second; "
                "call again to go on"
            )
        self.since, self.bytes = time.monotonic(), 0


class _Retry(Exception):
    """A failure after which another attempt may succeed."""
