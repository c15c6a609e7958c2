"""A paper reproduced: the recorded runs of U²-Net†'s released weights, beside the paper's row."""

from pathlib import Path

import pytest

import sodbench as sb
from sodbench.results.run import Run

TOP = Path(__file__).resolve().parents[2]
# of the original code with the same weights, run and scored elsewhere
ELSEWHERE = {
    "maxF@basnet2019": 0.8472,
    "MAE@basnet2019": 0.1209,
    "relaxF@basnet2019": 0.5601,
    "wF@pysodmetrics": 0.7069,
    "S@pysodmetrics": 0.7674,
}
PRINTED = dict(zip(ELSEWHERE, (0.841, 0.124, 0.559, 0.697, 0.759), strict=True))


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {run.dataset: run for run in sb.load_runs(TOP / "reports") if run.name == "u2netp"}


def _value(run: Run, full: str) -> float:
    metric, protocol = full.split("@")
    return float(run.tables[protocol].scores[metric])


def test_all_three_data_sets_are_recorded(runs: dict[str, Run]) -> None:
    scored = {name: (run.scored, run.expected) for name, run in runs.items()}
    assert scored == {"sod": (300, 300), "ecssd": (201, 1000), "duts-te": (395, 5019)}
    for run in runs.values():
        assert set(run.tables) == {"pysodmetrics", "basnet2019"}
        assert run.provenance.command[:2] == ("sodbench", "run") and run.provenance.code["dirty"] is False


@pytest.mark.parametrize("full", ELSEWHERE)
def test_sod_agrees_with_the_original_code_and_the_paper(runs: dict[str, Run], full: str) -> None:
    value = _value(runs["sod"], full)
    assert value == pytest.approx(ELSEWHERE[full], abs=1e-3)
    assert value == pytest.approx(PRINTED[full], abs=0.015)


def test_the_report_puts_the_papers_row_below_the_measured_one(runs: dict[str, Run]) -> None:
    frame = sb.leaderboard(list(runs.values()), published=["u2net2020"], protocols=["basnet2019"])
    rows = frame.loc["sod"].reset_index()
    measured = rows.index[rows["method"] == "u2netp"][0]
    printed = rows.loc[measured + 1]
    assert (printed["method"], printed["kind"]) == ("U²-Net† (4.7 MB)", "published")
    for metric in ("maxF", "MAE", "relaxF"):
        full = f"{metric}@basnet2019"
        assert printed[full] == PRINTED[full]
        assert printed[f"difference:{full}"] == pytest.approx(_value(runs["sod"], full) - PRINTED[full])
    # parts of data sets are compared with no printed number
    assert set(frame.loc[["ecssd", "duts-te"]]["kind"]) == {"measured"}


def test_the_weights_still_give_the_recorded_scores(
    runs: dict[str, Run], shared_data: Path, tmp_path: Path
) -> None:
    """Three pictures, predicted again by the library's way."""
    run = sb.evaluate(
        "u2netp",
        "sod",
        weights=shared_data / "weights" / "u2netp_fp16.pth",
        data_root=shared_data,
        limit=3,
        protocols="basnet2019",
        device="cpu",
        maps=tmp_path / "maps",
        reports=None,
    )
    recorded = runs["sod"]
    assert run.weights_sha256 == recorded.weights_sha256
    again, before = run.tables["basnet2019"].per_image, recorded.tables["basnet2019"].per_image
    assert len(again) == 3
    for name, row in again.iterrows():
        assert row["MAE"] == pytest.approx(before.loc[name, "MAE"], abs=1e-4)
