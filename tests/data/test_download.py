"""Downloads from a server that cuts connections, sends wrong bytes, redirects and changes its mind."""

import hashlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from misbehaving_server import Site, running

from sodbench.data.card import Archive
from sodbench.data.getting import download as module
from sodbench.data.getting.download import DownloadError, download

CONTENT = np.random.default_rng(3).integers(0, 256, 900_000, dtype=np.uint8).tobytes()
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    with running() as site:
        site.files["/a.zip"] = CONTENT
        yield site


def archive(site: Site, path: str = "/a.zip", **known: object) -> Archive:
    return Archive(address=site.url + path, name="a.zip", **known)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "known", [{}, {"sha256": SHA}, {"md5": hashlib.md5(CONTENT).hexdigest()}, {"size": len(CONTENT)}]
)
def test_a_file_arrives(site: Site, tmp_path: Path, known: dict[str, object]) -> None:
    path = download(archive(site, **known), "http", tmp_path)
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("known", [{}, {"sha256": SHA}])
def test_cut_connections_are_taken_up(site: Site, tmp_path: Path, known: dict[str, object]) -> None:
    site.etags["/a.zip"] = '"one"'
    site.cuts["/a.zip"] = [300_000, 1, 200_000]
    assert download(archive(site, **known), "http", tmp_path).read_bytes() == CONTENT
    starts = [int(wanted.split("=")[1].rstrip("-")) if wanted else 0 for _, wanted in site.asked]
    assert len(starts) == 4 and starts == sorted(starts) and starts[1] > 200_000
    assert names(tmp_path) == ["a.zip"]


def test_without_a_tag_or_digest_a_part_is_not_trusted(site: Site, tmp_path: Path) -> None:
    site.cuts["/a.zip"] = [300_000]
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in site.asked] == [None, None]


def test_a_later_call_goes_on_where_the_first_broke_off(site: Site, tmp_path: Path) -> None:
    site.etags["/a.zip"] = '"one"'
    site.cuts["/a.zip"] = [400_000] + [0] * 20
    with pytest.raises(DownloadError, match="call again to go on"):
        download(archive(site), "http", tmp_path)
    site.cuts.clear()
    site.asked.clear()
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT
    assert len(site.asked) == 1 and site.asked[0][1] is not None
    assert int(site.asked[0][1].split("=")[1].rstrip("-")) > 300_000


def test_a_file_that_changed_meanwhile_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.etags["/a.zip"] = '"one"'
    site.cuts["/a.zip"] = [400_000] + [0] * 20
    with pytest.raises(DownloadError):
        download(archive(site), "http", tmp_path)
    site.cuts.clear()
    site.files["/a.zip"], site.etags["/a.zip"] = CONTENT[::-1], '"two"'
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT[::-1]


def test_a_server_that_cannot_resume(site: Site, tmp_path: Path) -> None:
    site.no_ranges.add("/a.zip")
    site.cuts["/a.zip"] = [400_000]
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_dropped(site: Site, tmp_path: Path) -> None:
    site.cuts["/a.zip"] = [400_000] + [0] * 20
    with pytest.raises(DownloadError):
        download(archive(site, sha256=SHA), "http", tmp_path)
    part = next(path for path in tmp_path.iterdir() if path.suffix == ".part")
    part.write_bytes(CONTENT + b"more")
    site.cuts.clear()
    assert download(archive(site, sha256=SHA), "http", tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"size": 5}])
def test_wrong_bytes_do_not_stay(site: Site, tmp_path: Path, known: dict[str, object]) -> None:
    with pytest.raises(DownloadError, match=r"a\.zip"):
        download(archive(site, **known), "http", tmp_path)
    assert names(tmp_path) == []


def test_a_web_page_is_not_an_archive(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"] = b"\n<!DOCTYPE html><html>sign in</html>"
    with pytest.raises(DownloadError, match="web page"):
        download(archive(site), "http", tmp_path)
    assert names(tmp_path) == []


def test_redirects_are_followed_but_not_for_ever(site: Site, tmp_path: Path) -> None:
    site.redirects.update({"/old": site.url + "/older", "/older": "/a.zip", "/loop": "/loop"})
    assert download(archive(site, "/old"), "http", tmp_path).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="redirects"):
        download(archive(site, "/loop"), "http", tmp_path)


def test_errors_of_the_server(site: Site, tmp_path: Path) -> None:
    site.errors["/a.zip"] = [503, 500, 429]
    assert download(archive(site), "http", tmp_path).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="404"):
        download(archive(site, "/none"), "http", tmp_path)
    assert site.count("/none") == 1
    site.errors["/a.zip"] = [503] * 20
    with pytest.raises(DownloadError, match=r"503.*5 attempts"):
        download(archive(site), "http", tmp_path)


def test_no_server_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    with running() as site:
        pass
    with pytest.raises(DownloadError, match="the connection failed"):
        download(archive(site), "http", tmp_path)
    with pytest.raises(DownloadError):
        download(Archive("nonsense", "a.zip"), "http", tmp_path)


def test_drive_goes_through_gdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def fake(**options: object) -> str | None:
        asked.append(options)
        if options["id"] == "private":
            return None
        if options["id"] == "broken":
            raise RuntimeError("Too many users\nhave viewed")
        Path(str(options["output"])).write_bytes(CONTENT)
        return str(options["output"])

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=fake))
    path = download(Archive("file-id", "a.zip", sha256=SHA), "drive", tmp_path)
    assert path.read_bytes() == CONTENT and asked[0]["resume"] is True
    path.unlink()
    for address, message in (("private", "not delivered"), ("broken", "Too many users have viewed")):
        with pytest.raises(DownloadError, match=message):
            download(Archive(address, "a.zip"), "drive", tmp_path)
    with pytest.raises(DownloadError, match="wrong content"):
        download(Archive("file-id", "a.zip", sha256="0" * 64), "drive", tmp_path)
    assert names(tmp_path) == []
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(DownloadError, match=r"pip install 'sodbench\[drive\]'"):
        download(Archive("file-id", "a.zip"), "drive", tmp_path)
