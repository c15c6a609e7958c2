"""`report --attributes` and `compare --attributes` from real files to every format, and without pictures."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.run_attributes import attributes_of

STEMS = [f"{number:02d}" for number in range(24)]
HOSTILE = "<b>|$x_1$ & =1"
CARD = f"""
title = "Own"
location = "{{folder}}"
[count]
pairs = 24
[[layouts]]
name = "own"
images = "images"
masks = "masks"
[attributes.lists]
indoor = "attributes/indoor.txt"
rare = ["03", "04"]
empty = []
'{HOSTILE}' = "attributes/indoor.txt"
"""
FORMATS = ("markdown", "html", "latex", "csv", "json")
REPORT = ("report", "--attributes", "--figures", "--formats")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the card of a set of 24 pairs, the maps of two methods, and their records."""
    top = tmp_path_factory.mktemp("attributes")
    for folder in ("own/images", "own/masks", "own/attributes", "maps/A", "maps/B", "datasets"):
        (top / folder).mkdir(parents=True)
    draw = np.random.default_rng(3)
    for number, stem in enumerate(STEMS):
        mask = np.zeros((40, 50), np.uint8)
        side = 8 if number % 2 else 25  # 3 % and 31 % of the image
        mask[5 : 5 + side, 10 : 10 + side] = 255
        picture = draw.integers(0, 90, (40, 50, 3)) + (mask[:, :, None] // 2)
        Image.fromarray(picture.astype(np.uint8)).save(top / f"own/images/{stem}.png")
        Image.fromarray(mask).save(top / f"own/masks/{stem}.png")
        for name, strength in (("A", 0.8), ("B", 0.8 if number % 2 else 0.45)):
            saliency = mask * strength + draw.integers(0, 50, mask.shape)
            Image.fromarray(saliency.astype(np.uint8)).save(top / f"maps/{name}/{stem}.png")
    (top / "own/attributes/indoor.txt").write_text("\n".join(STEMS[:12]))
    (top / "datasets/own.toml").write_text(CARD.replace("{folder}", "../own"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        for name in ("A", "B"):
            sb.score_maps(f"maps/{name}", "own", name=name, self_check=False)
        attributes_of(sb.load_runs("reports")[0])
    return top


@pytest.fixture
def here(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, and the working directory."""
    folder = tmp_path / "work"
    shutil.copytree(scored, folder)
    monkeypatch.chdir(folder)
    return folder


def stored(here: Path) -> Path:
    (path,) = (here / "reports/attributes").iterdir()
    return path


def test_every_format_has_every_group(here: Path, capsys) -> None:
    assert main([*REPORT, *FORMATS]) == 0
    printed = capsys.readouterr().out.split()
    for ending in ("md", "tex", "csv", "json"):
        assert f"reports/attributes.{ending}" in printed
    rows = json.loads(Path("reports/attributes.json").read_text())["rows"]
    groups = {(row["attribute"], row["group"]): row["images"] for row in rows}
    assert groups[("all", "all images")] == 24 and groups[("size", "small")] == 12
    assert groups[("list", "indoor")] == 12 and groups[("list", "rare")] == 2
    assert groups[("list", "empty")] == groups[("objects", "none")] == 0
    assert {row["metric"] for row in rows} == {"MAE", "maxF", "S"}
    of_size = [row for row in rows if row["attribute"] != "contrast"]
    by = {(row["group"], row["method"], row["metric"]): row for row in of_size}
    medium = by["medium", "B", "MAE"]
    assert medium["largest_fall"] and medium["low"] < medium["score"] < medium["high"]
    assert medium["fall"] == pytest.approx(medium["score"] - by["all images", "B", "MAE"]["score"])
    assert by["rare", "A", "S"]["low"] is None and by["empty", "A", "S"]["score"] is None
    with Path("reports/attributes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    markdown = Path("reports/attributes.md").read_text()
    assert "| list | indoor | 12 |" in markdown and "| empty | 0 | no images |" in markdown
    assert "nan" not in markdown and r"&lt;b&gt;\|\$x\_1\$ &amp; =1" in markdown
    page = Path("reports/index.html").read_text()
    assert "<h3>Scores by attribute</h3>" in page and "no images</td>" in page
    assert "&lt;b&gt;|$x_1$ &amp; =1" in page and "<b>|" not in page
    tex = Path("reports/attributes.tex").read_text()
    assert r"\$x\_1\$ \& =1" in tex and r"\blacktriangledown" in tex and "no images" in tex


def test_the_group_scores_are_those_of_its_images(here: Path) -> None:
    written = sb.report("reports", formats=["json"], figures=[], metrics=["MAE", "maxE"], attributes=True)
    rows = json.loads(written.documents[-1].read_text())["rows"]
    (run,) = (run for run in sb.load_runs("reports") if run.name == "B")
    values = run.tables["pysodmetrics"].per_image["MAE"]
    row = next(r for r in rows if (r["group"], r["method"], r["metric"]) == ("indoor", "B", "MAE"))
    assert row["score"] == pytest.approx(values[STEMS[:12]].mean())
    assert {row["metric"] for row in rows} == {"MAE", "maxE"}


def test_the_command_and_the_function_write_the_same(here: Path, capsys) -> None:
    assert main([*REPORT, *FORMATS]) == 0
    names = [*(f"attributes.{ending}" for ending in ("md", "tex", "csv", "json")), "index.html"]
    by_command = {name: (here / "reports" / name).read_bytes() for name in names}
    for name in names:
        (here / "reports" / name).unlink()
    sb.report("reports", formats=FORMATS, figures=[], attributes=True)
    assert {name: (here / "reports" / name).read_bytes() for name in names} == by_command


def test_without_the_option_nothing_is_new(here: Path, capsys) -> None:
    assert main(["report", "--formats", *FORMATS, "--figures"]) == 0
    assert main(["compare", "A", "B", "--json", "--resamples", "100"]) == 0
    answer = json.loads(capsys.readouterr().out.partition("{")[2].join(("{", "")))
    assert "attributes" not in answer
    assert not list(Path("reports").glob("attributes.*"))
    assert "Scores by attribute" not in Path("reports/index.html").read_text()


def test_stored_attributes_do_without_the_pictures(here: Path, capsys) -> None:
    assert main([*REPORT, "json", "--reports", "reports", "--metrics", "S"]) == 0
    first, kept = Path("reports/attributes.json").read_bytes(), stored(here).read_bytes()
    shutil.rmtree("own")
    assert main([*REPORT, "json", "--metrics", "S"]) == 0
    assert Path("reports/attributes.json").read_bytes() == first and stored(here).read_bytes() == kept


def test_lists_are_read_again_and_masks_are_not(here: Path, capsys, monkeypatch) -> None:
    Path("own/attributes/indoor.txt").write_text("\n".join(STEMS[:5]))
    monkeypatch.setattr("sodbench.run_attributes.measure", None)  # would fail if it were called
    assert main([*REPORT, "json", "--metrics", "S"]) == 0
    rows = json.loads(Path("reports/attributes.json").read_text())["rows"]
    assert {row["images"] for row in rows if row["group"] == "indoor"} == {5}
    assert json.loads(stored(here).read_text())["listed"]["indoor"] == 5


def test_one_line_says_where_to_measure(here: Path, capsys) -> None:
    shutil.rmtree("own")
    shutil.rmtree("reports/attributes")
    assert main([*REPORT, "markdown"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sodbench: error: own: no attributes: ") and error.count("\n") == 1
    assert "run 'sodbench report --attributes' where the data set is and copy own-" in error
    assert main(["compare", "A", "B", "--attributes"]) == 2
    assert not list(Path("reports").glob("*.md")) and not Path("reports/attributes").exists()


def test_one_set_without_attributes_does_not_keep_the_others_from_being_shown(here: Path) -> None:
    shutil.copytree("own/masks", "masks")
    sb.score_maps("maps/A", "gone", masks="masks", name="A")
    shutil.rmtree("masks")
    written = sb.report("reports", formats=["markdown"], figures=[], metrics=["S"], attributes=True)
    text = Path("reports/attributes.md").read_text()
    assert "## Own" in text and "## gone" not in text
    assert [note for note in written.notes if note.startswith("gone: no attributes: ")]


def test_a_list_of_strangers_is_refused_and_nothing_is_left(here: Path, capsys) -> None:
    Path("own/attributes/indoor.txt").write_text("00\nnobody\nnowhere.jpg\n")
    before = sorted(Path("reports").rglob("*"))
    assert main([*REPORT, "markdown"]) == 2
    error = capsys.readouterr().err
    assert "own.toml: attributes.lists.indoor: 2 of 3 names are no images of own: nobody, nowhere;" in error
    assert sorted(Path("reports").rglob("*")) == before


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("schema",), 2, "expected attributes with schema 1"),
        (("dataset_digest",), "0" * 64, "dataset_digest: expected"),
        (("measures", "area"), [0.5], "measures.area: expected 24 values, found 1"),
        (("measures", "contrast"), ["x"] * 24, "measures.contrast"),
        (("measures", "width"), [-1.0] * 24, "measures.width: expected values of 0 or more"),
        (("images",), None, "images"),
    ],
)
def test_a_damaged_file_is_named(here: Path, capsys, place, value, says: str) -> None:
    path = stored(here)
    content = json.loads(path.read_text())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
    assert main([*REPORT, "json"]) == 2
    error = capsys.readouterr().err
    assert path.name in error and says in error and "delete it" in error and error.count("\n") == 1


def test_other_definitions_are_measured_again(here: Path) -> None:
    path = stored(here)
    today = path.read_bytes()
    path.write_text(json.dumps({"schema": 1, "definitions": 0, "anything": []}))
    attributes_of(sb.load_runs("reports")[0])
    assert path.read_bytes() == today


def test_compare_tests_within_groups(here: Path, capsys) -> None:
    options = ["compare", "A", "B", "--attributes", "--resamples", "500", "--metrics", "MAE", "S"]
    assert main(options) == 0
    printed = capsys.readouterr().out
    assert "A and B on own by attribute: MAE" in printed and "A and B on own by attribute: S" in printed
    assert "Holm's correction over the groups of one metric" in printed
    assert "not tested on own, fewer than 10 images: size: large (no images)" in printed
    assert "list: rare (2 images), list: empty (no images)" in printed
    assert main([*options, "--json"]) == 0
    within = json.loads(capsys.readouterr().out)["attributes"]
    of_size = [one for one in within["comparisons"] if one["attribute"] == "size"]
    tests = {(one["group"], one["metric"]): one for one in of_size}
    # B is worse on the larger objects alone
    assert tests["medium", "MAE"]["corrected"] < 0.05 < tests["small", "MAE"]["corrected"]
    assert {"attribute": "list", "group": "rare", "images": 2, "dataset": "own"} in within["untested"]
    page = sb.compare(*sb.load_runs("reports"), metrics=["MAE"], resamples=100, attributes=True)._repr_html_()
    assert "A and B on own by attribute: MAE" in page


def test_the_figure_needs_the_option(here: Path, capsys) -> None:
    with pytest.raises(InputError, match="the figure 'attributes' shows scores by attribute"):
        sb.report("reports", figures=["attributes"])
    assert main(["report", "--attributes", "--figures", "attributes", "--metrics", "S"]) == 0
    assert Path("reports/figures/attributes-own.svg").stat().st_size > 10_000
    assert "](figures/attributes-own.svg)" in Path("reports/attributes.md").read_text()
    assert main(["compare", "--parity", "A", "B", "--attributes", "--dataset", "own"]) == 2
