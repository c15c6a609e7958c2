"""`sodbench publish`: a folder for any static host, from real records and files."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from report.pictured import made, nameless

import sodbench as sb
from sodbench.cli.main import main
from sodbench.publishing.page_size import size_in_bytes
from sodbench.reporting import page_parts
from sodbench.text import size_text

CARD = """
title = "Blocks"
[count]
pairs = 9
[terms]
licence = "CC BY 4.0"
redistribution = "allowed"
source = "its home page"
"""
FAST = ("--figures", "--gallery", "2")


@pytest.fixture()
def reports(here: Path) -> Path:
    made(here / "reports", here / "Blocks", {"still": 0, "fast": 3})
    nameless(here / "reports", "still")
    return here / "reports"


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_holds_all_and_leads_nowhere_else(
    reports: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--masks", "Blocks/masks", "--images", "Blocks/images", "--dataset", "blocks", "--quiet")
    for name in ("still", "fast"):  # as users score, so that records hold no path of this machine
        assert main(["score", f"Blocks/maps/{name}", "--name", name, "--replace", *where]) == 0
    capsys.readouterr()
    assert main(["publish", "site", "--figures", "pr", "--gallery", "2", "--model-card", "fast"]) == 0
    said = capsys.readouterr()
    assert "3 records" in said.out and "no thumbnails" in said.out
    assert "--pictures blocks other" in said.err
    found = files(here / "site")
    for name in ("leaderboard.md", "leaderboard.csv", "leaderboard.json", "leaderboard.tex", "LICENCES.md"):
        assert name in found
    assert "model-cards/fast.md" in found and not any(name.startswith("gallery/") for name in found)
    stated = json.loads(found.pop("published.json"))["files"]
    assert {name: one["bytes"] for name, one in stated.items()} == {n: len(b) for n, b in found.items()}
    records = {f"runs/{name}": content for name, content in files(reports / "runs").items()}
    assert {name: found[name] for name in records} == records
    # neither where the files lie here, nor that there are more of them
    assert [name for name, content in found.items() if str(here).encode() in content] == []
    assert b"Blocks/images" not in found["index.html"]
    page = found["index.html"].decode()
    assert "images, masks and maps of blocks are not shown" in page
    assert "licence: unknown; redistribution: unknown" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert main(["audit", "site", "--quiet"]) == 0
    assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []


def test_thumbnails_are_shown_where_the_card_allows_it_or_when_asked(reports: Path, here: Path) -> None:
    sb.publish(reports, "asked", figures=[], gallery=2, pictures=["blocks"])
    shown = [name for name in files(here / "asked") if name.startswith("gallery/")]
    assert {Path(name).suffix for name in shown} == {".jpg", ".png"}
    text = "".join(
        path.read_text() for path in (here / "asked").rglob("*") if path.suffix in (".html", ".js")
    )
    assert {unquote(address) for address in re.findall(r'"(gallery/[^"]+)"', text)} == set(shown)
    assert "at the publisher's request" in (here / "asked/LICENCES.md").read_text()
    (here / "datasets").mkdir()
    (here / "datasets/blocks.toml").write_text(CARD)
    written = sb.publish(reports, "allowed", figures=[], gallery=2)
    assert [name for name in files(here / "allowed") if name.startswith("gallery/")] == shown
    assert "CC BY 4.0 | allowed | its home page | thumbnails |" in (here / "allowed/LICENCES.md").read_text()
    assert [note.split(" are not shown")[0] for note in written.notes] == ["images of other"]


def test_the_table_of_a_paper_and_the_scores_of_images_beside_the_page(
    reports: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_parts, "EMBEDDED", 0)
    wide = ("--layout", "wide", "--average", "--ours", "fast")
    assert main(["publish", "site", *FAST, "--datasets", "blocks", "--average"]) == 2
    assert "average: only the wide layout has it" in capsys.readouterr().err
    assert main(["publish", "site", *FAST, "--datasets", "blocks", *wide]) == 0
    found = files(here / "site")
    parts = sum(len(content) for name, content in found.items() if name.startswith("page/"))
    assert f"site/page: {size_text(parts)}, loaded when images are shown" in capsys.readouterr().out
    assert b"](table.html)" in found["README.md"] and {"index.html", "leaderboard.md"} <= set(found)
    assert (
        main(["report", "--datasets", "blocks", "--formats", "markdown", "html", "latex", "csv", *wide]) == 0
    )
    for ending in ("md", "html", "tex", "bib", "csv"):
        assert found[f"table.{ending}"] == (reports / f"table.{ending}").read_bytes()


def test_only_a_published_folder_is_replaced(
    reports: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*more: str) -> str:
        before = files(here)
        assert main(["publish", "site", *FAST, *more]) == 2
        assert files(here) == before
        (line,) = capsys.readouterr().err.splitlines()
        return line

    (here / "site").mkdir()
    (here / "site/thesis.tex").write_text("years")
    assert "is not empty (thesis.tex)" in refused() and "is not empty" in refused("--replace")
    (here / "site/thesis.tex").unlink()
    assert main(["publish", "site", *FAST]) == 0  # an empty folder is filled
    former = files(here / "site")
    capsys.readouterr()
    assert "replace it with --replace" in refused()
    assert main(["publish", "site", *FAST, "--replace"]) == 0
    assert files(here / "site") == former  # the same records, the same bytes
    (here / "site/CNAME").write_text("example.org")
    capsys.readouterr()
    assert "holds CNAME, not written by" in refused("--replace")
    assert not list(here.glob(".site*"))


def test_a_page_over_the_limit_says_what_to_leave_out(
    reports: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = ("--figures", "--pictures", "blocks")
    assert main(["publish", "whole/site", *shown, "--gallery", "3"]) == 0
    thumbnails = [p.stat().st_size for p in (here / "whole/site/gallery").rglob("*.*g")]
    page = (here / "whole/site/index.html").stat().st_size
    capsys.readouterr()
    limit = str(page + sum(thumbnails) * 2 // 3)
    assert main(["publish", "new/site", *shown, "--gallery", "3", "--max-size", limit]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    advice = re.search(r"--gallery (\d+) makes it about", line)
    assert advice and "nothing was written" in line and not (here / "new").exists()
    assert main(["publish", "new/site", *shown, "--gallery", advice[1], "--max-size", limit]) == 0
    capsys.readouterr()
    assert main(["publish", "small", "--figures", "--max-size", "1kB"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--datasets, --methods, --metrics; blocks takes the most, 2 methods on 9 images" in line


def test_runs_that_are_not_recorded_are_written(here: Path, reports: Path) -> None:
    from results.stand_in import run

    written = sb.publish([run("own", "own")], "site", figures=[])
    assert written.records == 1
    assert [one.name for one in sb.load_runs("site")] == ["own"]


def test_a_record_that_changed_since_it_was_read_is_refused(reports: Path, here: Path) -> None:
    runs = sb.load_runs(reports)
    for path in (reports / "runs/fast").rglob("curves.parquet"):
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(sb.InputError, match=r"curves.parquet has \d+ bytes instead of"):
        sb.publish(runs, "site", figures=[])
    assert not (here / "site").exists() and not list(here.glob(".site*"))


def test_sizes_are_read_with_their_units() -> None:
    assert [size_in_bytes(size) for size in ("5MB", "2 MiB", "0.5kb", 17)] == [5_000_000, 2 << 20, 500, 17]
    for wrong in ("5 pages", "-1", "0", "MB", True, 1.5):
        with pytest.raises(sb.InputError, match="expected a size such as 5MB"):
            size_in_bytes(wrong)  # type: ignore[arg-type]
