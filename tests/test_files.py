"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from sodbench.files import atomic_path, sha256_of, write_text


def test_a_failure_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "file.txt"
    write_text(path, "first")
    with pytest.raises(RuntimeError), atomic_path(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_digest_of_a_known_text(tmp_path: Path) -> None:
    write_text(tmp_path / "abc", "abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
