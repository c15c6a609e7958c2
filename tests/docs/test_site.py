"""The site builds without a warning and loads nothing from other servers (needs the extra sodbench[docs])."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
pytest.importorskip("mkdocs")


def _build(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_site(tmp_path: Path) -> None:
    done = _build(TOP, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    for name in (
        "index",
        "tutorials/score",
        "commands/run",
        "project/SECURITY",
        "project/baselines/weights/index",
    ):
        assert tmp_path / "site" / f"{name}.html" in pages, name
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]* src=[\"']?([^\"' >]+)", text)
        loaded += re.findall(
            r"<link[^>]* rel=[\"']?(?:stylesheet|preload|icon)[^>]* href=[\"']?([^\"' >]+)", text
        )
        assert [address for address in loaded if re.match(r"(https?:)?//", address)] == [], page
    index = (tmp_path / "site" / "search" / "search_index.json").read_text(encoding="utf-8")
    for words in ("tutorials/score.html", "commands/run.html", "project/SECURITY.html"):
        assert f'"location":"{words}' in index, f"the search does not find {words}"


def test_a_broken_link_stops_the_build(tmp_path: Path) -> None:
    for name in (
        "docs",
        "baselines",
        "suites",
        "mkdocs.yml",
        "README.md",
        *("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    ):
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy
        copy(TOP / name, tmp_path / name)
    page = tmp_path / "docs" / "scale.md"
    page.write_text(page.read_text() + "\n[broken](no-such-page.md)\n")
    done = _build(tmp_path, tmp_path / "site")
    assert done.returncode == 1 and "no-such-page.md" in done.stderr
