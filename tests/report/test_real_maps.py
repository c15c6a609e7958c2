"""The three published methods on SOD, from maps to leaderboard: numbers that others computed."""

import json
from pathlib import Path

import pytest

from sodbench.cli.main import main
from sodbench.data.folder import open_dataset, pair_maps
from sodbench.reporting.selection import Selection
from sodbench.reporting.table import make_table
from sodbench.results.loading import load_runs
from sodbench.results.new_run import new_run
from sodbench.results.saving import save_run
from sodbench.scoring import score_files

METHODS = ("Amulet", "DSS", "PiCANet")


@pytest.fixture(scope="module")
def reports(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of the three methods under the default protocol and that of the BASNet paper."""
    folder = tmp_path_factory.mktemp("sod")
    dataset = open_dataset("sod", shared_data)
    for method in METHODS:
        maps = shared_data / "SOD" / "maps" / method
        pairs = [(sample.name, path, sample.mask) for sample, path in pair_maps(dataset, maps).pairs]
        tables = score_files(pairs, ("pysodmetrics", "basnet2019"), ["MAE", "F"])
        save_run(folder, new_run(method, dataset, tables, maps=maps))
    return folder


def test_the_leaderboard_holds_the_known_numbers(reports: Path, shared_data: Path) -> None:
    known = json.loads((shared_data / "SOD/published/pysodmetrics_1.6.2_results.json").read_text())
    selection = Selection(protocols=["pysodmetrics", "basnet2019"])
    rows = make_table(load_runs(reports), selection).frame.set_index("method")
    for method in METHODS:
        assert rows.at[method, "maxF@pysodmetrics"] == pytest.approx(known[method]["maxF_avgcurve"], abs=1e-9)
        assert rows.at[method, "MAE@pysodmetrics"] == pytest.approx(known[method]["MAE"], abs=1e-9)
        # 255 bins instead of 256 levels, max instead of min-max: the family agrees to three digits
        assert rows.at[method, "maxF@basnet2019"] == pytest.approx(
            known[method]["maxF_from_meanPR"], abs=5e-4
        )
    printed = [f"{rows.at['DSS', f'maxF@{protocol}']:.4f}" for protocol in ("pysodmetrics", "basnet2019")]
    assert printed == ["0.8038", "0.8439"]


def test_the_report_of_real_maps_has_pictures_and_published_rows(reports: Path) -> None:
    options = ["--protocols", "basnet2019", "--published", "basnet2019", "--gallery", "1", "--figures", "f"]
    assert main(["report", "--format", "markdown", "html", *options, "--reports", str(reports)]) == 0
    text = (reports / "leaderboard.md").read_text()
    assert "| *DSS+* — [BASNet paper, Table 2](https://doi.org/10.1109/CVPR.2019.00766) |" in text
    assert "| *.124* (−.003) | *.846* (−.002) |" in text
    assert len(list((reports / "gallery" / "sod").iterdir())) >= 10
    assert (reports / "figures" / "f-sod.pdf").exists()
