"""Files from the net: cut connections are taken up where they broke off, wrong bytes never stay.

pooch keeps the file and checks its digest; this module gives it a downloader that resumes. Files on Drive
go through the optional package gdown.
"""

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from sodbench.data.card import Archive
from sodbench.files import sha256_of

ATTEMPTS = 5  # in a row without a single new byte
PAUSE = 1.0  # seconds before the second attempt, doubled for each further one
CHUNK = 1 << 16  # bytes; what is lost at most when a connection breaks off
TIMEOUT = (15, 60)  # seconds to connect, and between two bytes


class DownloadError(Exception):
    """A mirror that does not give the file, and why: the next mirror is tried."""


def download(archive: Archive, kind: str, folder: Path, progress: bool = False) -> Path:
    """Fetches an archive into `folder`, and checks its size and digest.

    What is interrupted is kept as a `.part` file and taken up by the next call. Raises DownloadError.
    """
    target = folder / archive.name
    target.unlink(missing_ok=True)
    if kind == "drive":
        _from_drive(archive, target, progress)
    else:
        _from_web(archive, target, progress)
    try:
        check(target, archive)
    except DownloadError:
        target.unlink()
        raise
    return target


def check(path: Path, archive: Archive) -> None:
    """Raises DownloadError if size or digest are not those of the card, or if it is a web page."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512).lstrip().lower()
        if head.startswith((b"<!doctype", b"<html", b"<?xml")):
            raise DownloadError(
                f"{path.name}: a web page, no archive (the link has changed or asks to log in)"
            )
        file.seek(0)
        if archive.md5:
            found = hashlib.file_digest(file, "md5").hexdigest()
            if found != archive.md5:
                raise DownloadError(f"{path.name}: wrong content (md5 {found}, expected {archive.md5})")
    if archive.size is not None and size != archive.size:
        raise DownloadError(f"{path.name}: {size} bytes, expected {archive.size}")
    if archive.sha256 and sha256_of(path) != archive.sha256:
        raise DownloadError(
            f"{path.name}: wrong content (sha256 {sha256_of(path)}, expected {archive.sha256})"
        )


def _from_web(archive: Archive, target: Path, progress: bool) -> None:
    import pooch

    digest = archive.sha256 or (f"md5:{archive.md5}" if archive.md5 else None)
    pooch.get_logger().setLevel(logging.WARNING)
    mark = hashlib.sha256(archive.address.encode()).hexdigest()[:8]  # a part of one mirror is not another's
    part = target.with_name(f"{target.name}.{mark}.part")
    fetch = ResumingDownloader(part, trusted=digest is not None, progress=progress)
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
        found = gdown.download(id=archive.address, output=str(target), quiet=not progress, resume=True)
    except Exception as error:  # gdown raises requests', its own and plain errors
        raise DownloadError(f"Drive file {archive.address}: {' '.join(str(error).split())}") from None
    if found is None or not target.is_file():
        raise DownloadError(
            f"Drive file {archive.address}: not given out (too many downloads, or not public)"
        )


class ResumingDownloader:
    """A pooch downloader over HTTP that keeps what it has in `part` and asks only for the rest.

    The server's ETag or date is kept beside it, so that a file that changed meanwhile is begun anew; without
    either, a part is taken up only if a digest will tell (`trusted`).
    """

    def __init__(self, part: Path, trusted: bool, progress: bool = False) -> None:
        self.part, self.trusted, self.progress = part, trusted, progress
        self.tag_file = part.with_name(part.name + ".json")

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        attempts, had = 0, self._size()
        while True:
            try:
                self._once(url)
                break
            except _Broken as cut:
                attempts = attempts + 1 if self._size() <= had else 1
                had = self._size()
                if attempts >= ATTEMPTS:
                    raise DownloadError(f"{url}: {cut} ({attempts} attempts; call again to go on)") from None
                time.sleep(PAUSE * 2 ** (attempts - 1))
        self.part.replace(output_file)
        self.tag_file.unlink(missing_ok=True)

    def _once(self, url: str) -> None:
        import requests

        have, tag = self._size(), self._tag()
        headers = {"Accept-Encoding": "identity"}
        if have and (tag or self.trusted):
            headers["Range"] = f"bytes={have}-"
            if tag:
                headers["If-Range"] = tag
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                self._receive(url, answer, have)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            reached = "broke off" if self._size() else "could not be made or broke off"
            raise _Broken(f"the connection {reached} ({type(error).__name__})") from None
        except requests.RequestException as error:
            raise DownloadError(f"{url}: {' '.join(str(error).split())}") from None

    def _receive(self, url: str, answer: Any, have: int) -> None:
        if answer.status_code == 416:  # the part is longer than the file: it belongs to another
            self.part.unlink(missing_ok=True)
            raise _Broken("the half-fetched file did not fit and was dropped")
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Broken(f"the server answers {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise DownloadError(f"{url}: the server answers {answer.status_code} {answer.reason}")
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        if answer.status_code == 206 and not resumed:
            self.part.unlink(missing_ok=True)
            raise _Broken("the server sent another part than asked for")
        start = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        self._keep_tag(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
        with self._bar(total, start) as bar, self.part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
        if total is not None and self._size() != total:
            raise _Broken(f"{self._size()} of {total} bytes came")

    def _bar(self, total: int | None, start: int) -> Any:
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
            tag = str(json.loads(self.tag_file.read_text(encoding="utf-8"))["tag"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return "" if tag.startswith("W/") else tag  # a weak tag does not promise the same bytes

    def _keep_tag(self, tag: str) -> None:
        self.tag_file.write_text(json.dumps({"tag": tag}), encoding="utf-8")


class _Broken(Exception):
    """A fault that another attempt may get over."""
