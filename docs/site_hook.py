"""Hook of mkdocs: README.md is the home page, and files outside docs/ that pages link to are in the site.

In the repository, all links are relative paths that work where the files are read. In the site, README.md is
`index.md`, docs/NAME is `NAME`, and every other file of the repository is `project/NAME`.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

TOP = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")  # outside docs/
LINK = re.compile(r"(?<=\]\()([^)\s#]+)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages outside docs/ and, in turn, the files outside docs/ that pages link to."""
    waiting = [*PAGES, *(_in_repository(file.src_uri) for file in files.documentation_pages())]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith("docs/"):
            files.append(File.generated(config, _in_site(path), abs_src_path=str(TOP / path)))
        if path.endswith(".md"):
            linked = {_target(path, link) for link in LINK.findall((TOP / path).read_text(encoding="utf-8"))}
            new = {one for one in linked if one and not one.startswith("docs/")} - seen
            waiting += sorted(new)
            seen |= new
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns the links of the repository into those of the site."""
    path = _in_repository(page.file.src_uri)
    folder = Path(page.file.src_uri).parent

    def moved(link: re.Match[str]) -> str:
        target = _target(path, link[0])
        return Path(os.path.relpath(_in_site(target), folder)).as_posix() if target else link[0]

    return LINK.sub(moved, markdown)


def _target(path: str, link: str) -> str | None:
    """The file of the repository that a link on the page at `path` leads to."""
    target = Path(os.path.normpath((TOP / path).parent / link))
    return target.relative_to(TOP).as_posix() if target.is_relative_to(TOP) and target.is_file() else None


def _in_site(path: str) -> str:
    if path == "README.md":
        return "index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else f"project/{path}"


def _in_repository(uri: str) -> str:
    if uri == "index.md":
        return "README.md"
    return uri.removeprefix("project/") if uri.startswith("project/") else f"docs/{uri}"
