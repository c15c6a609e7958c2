"""Every relative link of every page leads to a file and to a heading that exist. No link is fetched."""

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _pages() -> list[str]:
    if not (TOP / ".git").exists():
        pytest.skip("needs the repository to list its pages")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    return subprocess.run(listed, cwd=TOP, capture_output=True, text=True, check=True).stdout.split()


def _problems(pages: list[str], top: Path = TOP) -> list[str]:
    problems = []
    for page in pages:
        for link in LINK.findall(FENCED.sub("", (top / page).read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", link):
                if not link.startswith(("https://", "http://", "mailto:")):
                    problems.append(f"{page}: {link}: unknown kind of address")
                continue
            file, _, heading = link.partition("#")
            target = Path(os.path.normpath((top / page).parent / file)) if file else top / page
            if not target.is_relative_to(top) or not target.is_file():
                problems.append(f"{page}: {link}: no such file")
            elif heading and heading not in _headings(target.read_text(encoding="utf-8")):
                problems.append(f"{page}: {link}: no such heading")
    return problems


def _headings(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings; the site's are the same (mkdocs.yml)."""
    lines = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}


def test_all_relative_links_lead_somewhere() -> None:
    pages = _pages()
    assert {"README.md", "docs/reports.md", "docs/commands/index.md"} <= set(pages)
    assert _problems(pages) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("# Two words, and `code`\n")
    (tmp_path / "a.md").write_text(
        "[1](docs/b.md#two-words-and-code) [2](docs/b.md#three) [3](docs/c.md) [4](ftp:x) [5](../a.md)\n"
        "```\n[6](nowhere.md)\n```\n"
    )
    assert [problem.split(": ")[1] for problem in _problems(["a.md"], tmp_path)] == [
        "docs/b.md#three",
        "docs/c.md",
        "ftp:x",
        "../a.md",
    ]


def test_every_page_is_in_the_menu_of_the_site() -> None:
    menu = (TOP / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [page.removeprefix("docs/") for page in _pages() if page.startswith("docs/")]
    assert [page for page in pages if f": {page}\n" not in menu] == []
