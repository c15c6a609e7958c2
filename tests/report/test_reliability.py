"""The reliability diagram from the command line: scored, recorded, reported, compared, audited."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from report.browser import DRIVER, FOUND, Browser
from sodbench.cli.main import main
from sodbench.files import sha256_of
from sodbench.metrics.families.calibration import BINS, OBJECT, PIXELS
from sodbench.reporting.figures import draw
from sodbench.reporting.page_data import CURVES as PAGE_CURVES
from sodbench.reporting.page_data import RELIABILITY, packed_curves
from sodbench.reporting.reliability_figure import bands
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import make_table
from sodbench.results.loading import load_runs, read_records

METHODS = ("binary", "soft", "$odd_")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight masks, soft maps that err near the boundary, and the same maps binarised."""
    root = tmp_path_factory.mktemp("calibration")
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :50]
    for name in ("masks", *METHODS):
        (root / name).mkdir()
    for index in range(8):
        distance = np.hypot(y - 20, x - 22) - 8 - index
        true = distance + random.normal(0, 3) < 0
        soft = 255 / (1 + np.exp(distance / 1.8))  # nearly how often the mask reaches there
        files = {
            "masks": true * 255,
            "soft": soft,
            "binary": (soft > 127) * 255,
            "$odd_": np.clip(soft * 0.5 + 40, 0, 255),
        }
        for name, values in files.items():
            Image.fromarray(values.astype(np.uint8)).save(root / name / f"{index}.png")
    return root


def scored(root: Path, reports: Path, *options: str, methods: tuple[str, ...] = METHODS) -> None:
    for method in methods:
        command = ["score", str(root / method), "--masks", str(root / "masks"), "--dataset", "own", "--quiet"]
        assert main([*command, "--name", method, "--reports", str(reports), *options]) == 0


@pytest.fixture(scope="module")
def reports(folders: Path) -> Path:
    scored(
        folders,
        folders / "reports",
        "--metrics",
        "MAE",
        "F",
        "calibration",
        "--protocols",
        "pysodmetrics",
        "raw",
    )
    return folders / "reports"


def test_the_report_shows_the_diagram_in_every_format(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = ["--formats", "markdown", "html", "latex", "csv", "json", "--figures", "pr", "reliability"]
    assert main(["report", "--reports", str(reports), "--intervals", "--gallery", "0", *formats]) == 0
    files = [reports / "figures" / f"reliability-own.{ending}" for ending in ("svg", "png", "pdf")]
    ElementTree.parse(files[0])
    assert np.asarray(Image.open(files[1]).convert("L")).std() > 5
    assert files[2].read_bytes().startswith(b"%PDF")
    text = (reports / "leaderboard.md").read_text(encoding="utf-8")
    assert "| ECE ↓ | MCE ↓ | Brier ↓ |" in text
    assert text.index("figures/pr-own.svg") < text.index(
        "![Reliability diagram on own](figures/reliability-own.svg)"
    )
    page = (reports / "index.html").read_text(encoding="utf-8")
    assert "figures/reliability-own.pdf" in page and 'data-chart="reliability"' in page
    packed = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])["datasets"][0]["curves"]
    assert packed["names"] == [*PAGE_CURVES, *RELIABILITY] and packed["bins"] == BINS
    assert r"\mathrm{ECE}$" in (reports / "leaderboard.tex").read_text(encoding="utf-8")
    row = pd.read_csv(reports / "leaderboard.csv").set_index("method").loc["soft"]
    for metric in ("ECE", "MCE", "Brier"):
        full = f"{metric}@pysodmetrics"
        assert 0 < row[f"low:{full}"] < row[full] < row[f"high:{full}"] < 1


@pytest.mark.skipif(
    not (FOUND and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
def test_the_page_draws_the_diagram(folders: Path, reports: Path, tmp_path: Path, chromium: Browser) -> None:
    plain = tmp_path / "plain"
    scored(folders, plain, "--metrics", "MAE", "F", methods=("soft",))
    button = "document.querySelector('[data-chart=reliability]')"
    chromium.resize(1440, 900)
    chromium.log("browser")
    for folder, hidden in ((plain, True), (reports, False)):
        options = ["--formats", "html", "--figures", "--gallery", "0", "--reports", str(folder)]
        assert main(["report", *options]) == 0
        chromium.open(folder / "index.html")
        chromium.run("document.querySelector('.curves').scrollIntoView({behavior: 'instant'})")
        chromium.wait("document.querySelector('.charts path.line')")
        assert chromium.run(f"return {button}.hidden") is hidden
    chromium.run(f"{button}.click()")
    lines = chromium.run(
        "return [...document.querySelectorAll('.charts figure')]"
        ".map(f => [f.querySelector('figcaption').textContent, f.querySelectorAll('path.line').length])"
    )
    assert lines == [
        ["Reliability of the map as a probability; dashed: calibrated", len(METHODS)],
        ["Share of the pixels with a value of at most x", len(METHODS)],
    ]
    assert chromium.log("browser") == []


def test_mae_prefers_the_saturated_maps_and_brier_does_not(reports: Path) -> None:
    values = {run.name: run.values() for run in load_runs(reports)}
    assert values["binary"]["MAE@raw"] < values["soft"]["MAE@raw"]
    assert values["binary"]["Brier@raw"] > values["soft"]["Brier@raw"]
    # of a binary map all three are its share of wrong pixels
    for metric in ("ECE", "Brier"):
        assert values["binary"][f"{metric}@raw"] == pytest.approx(values["binary"]["MAE@raw"], abs=1e-12)
    # the protocol stretches the map for MAE, never for calibration
    assert values["$odd_"]["MAE@pysodmetrics"] != values["$odd_"]["MAE@raw"]
    for metric in ("ECE", "MCE", "Brier"):
        assert values["$odd_"][f"{metric}@pysodmetrics"] == values["$odd_"][f"{metric}@raw"]


def test_the_same_records_draw_the_same_bytes(reports: Path, tmp_path: Path) -> None:
    runs = load_runs(reports)
    table = make_table(runs, Selection(protocols=["raw"]))
    one, two = (draw(runs, table, tmp_path / name, ("reliability",), ("svg",)) for name in ("one", "two"))
    (first,), (second,) = one["own"]["reliability"], two["own"]["reliability"]
    assert first.read_bytes() == second.read_bytes()


def test_bands_are_the_bootstrap_of_the_share_of_object(reports: Path) -> None:
    table = next(run for run in load_runs(reports) if run.name == "soft").tables["raw"]
    pixels, objects = (np.asarray(table.image_curves[name], float) for name in (PIXELS, OBJECT))
    low, high = bands(table, 300)
    draws = np.random.default_rng(0).integers(0, 8, (300, 8))
    drawn = np.array([objects[rows].sum(axis=0) / pixels[rows].sum(axis=0) for rows in draws])
    assert low == pytest.approx(np.quantile(drawn, 0.025, axis=0), abs=1e-9)
    assert high == pytest.approx(np.quantile(drawn, 0.975, axis=0), abs=1e-9)
    assert (low <= high).all() and (low < high).any()


def test_a_record_without_the_curves_of_images_is_drawn_without_bands(folders: Path, tmp_path: Path) -> None:
    scored(folders, tmp_path, "--metrics", "calibration", "--no-image-curves", methods=("binary",))
    (run,) = load_runs(tmp_path)
    assert bands(run.tables["pysodmetrics"]) is None
    # no pixel lies between the outermost bins
    share = run.tables["pysodmetrics"].curves[PIXELS].to_numpy()[:BINS]
    assert (share[1:-1] == 0).all() and share.sum() == pytest.approx(1)
    kinds = ("pr", "reliability")
    drawn = draw([run], make_table([run], Selection()), tmp_path / "figures", kinds, ("svg",))
    assert drawn["own"]["reliability"] and not drawn["own"]["pr"]
    assert not read_records(tmp_path).problems


def test_runs_that_did_not_record_it_have_no_diagram(folders: Path, reports: Path, tmp_path: Path) -> None:
    scored(folders, tmp_path, "--metrics", "MAE", "F", methods=("soft",))
    (plain,) = load_runs(tmp_path)
    assert not draw([plain], make_table([plain], Selection()), tmp_path, ("reliability",))["own"][
        "reliability"
    ]
    assert packed_curves([plain], "pysodmetrics")["names"] == list(PAGE_CURVES)
    both = [plain, *(run for run in load_runs(reports) if run.name == "binary")]
    assert draw(both, make_table(both, Selection()), tmp_path, ("reliability",), ("svg",))["own"][
        "reliability"
    ]
    assert packed_curves(both, "pysodmetrics")["names"] == [*PAGE_CURVES, *RELIABILITY]


def test_compare_tests_the_errors_of_the_pooled_bins(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "binary", "soft", "--reports", str(reports), "--resamples", "200", "--json"]
    assert main([*command, "--metrics", "ECE", "Brier"]) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]
    scores = {run.name: run.values() for run in load_runs(reports)}
    assert [one["metric"] for one in found] == ["ECE", "Brier"]
    for one in found:
        full = f"{one['metric']}@pysodmetrics"
        expected = scores["binary"][full] - scores["soft"][full]
        assert one["better"] == "lower" and one["difference"]["value"] == pytest.approx(expected, abs=1e-6)


def test_audit_passes_the_record_and_names_one_with_other_bins(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(folders, tmp_path, "--metrics", "MAE", "calibration", methods=("soft",))
    assert main(["audit", str(tmp_path), "--quiet"]) == 0
    record = tmp_path / "runs" / "soft" / "own"
    path = record / "image_curves.parquet"
    frame = pd.read_parquet(path)
    assert {len(row) for row in frame[PIXELS]} == {BINS}
    frame.assign(**{PIXELS: [row[:10] for row in frame[PIXELS]]}).to_parquet(path)
    content = json.loads((record / "run.json").read_text())
    content["files"][path.name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    (record / "run.json").write_text(json.dumps(content))
    capsys.readouterr()
    assert main(["audit", str(tmp_path), "--quiet"]) == 1
    assert "binPixels does not hold 15 bins per image" in capsys.readouterr().out
