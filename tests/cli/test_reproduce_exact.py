"""`sodbench reproduce` of what needs no network: the numbers are bit-identical, or they do not agree."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.evaluation import evaluate
from sodbench.map_scoring import score_maps
from sodbench.reproduction import reproduce

RECORD = Path("reports/runs/x/sod")


def edit(record: Path, by: float, metric: str = "MAE") -> None:
    """Moves a score in run.json."""
    content = json.loads((record / "run.json").read_text())
    content["protocols"]["pysodmetrics"]["scores"][metric] += by
    (record / "run.json").write_text(json.dumps(content))


@pytest.fixture()
def scored(root: Path, here: Path) -> Path:
    """The record of maps that were made elsewhere: the masks, darker."""
    (here / "maps").mkdir()
    for path in (root / "SOD" / "GT").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 3 * 2).save(here / "maps" / path.name)
    score_maps(here / "maps", "sod", name="x", data_root=root)
    return here / RECORD


@pytest.mark.parametrize("by", [1e-9, -5e-4])
def test_an_edited_number_of_maps_made_elsewhere_does_not_agree(
    root: Path, scored: Path, by: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {one.agrees for one in reproduce(scored, data_root=root).numbers} == {"to the bit"}
    edit(scored, by)
    job = ["reproduce", str(scored), "--data-root", str(root)]
    assert main([*job, "--tolerance", "0.5"]) == 1
    said = capsys.readouterr().out
    assert "MAE@pysodmetrics is" in said and "note: the record was changed" in said
    failed = [line.split()[1] for line in said.splitlines() if line.startswith("no ")]
    assert failed == ["MAE@pysodmetrics"]


def test_an_edited_number_of_a_network_does_not_agree_where_the_maps_are_the_same(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    evaluate(network[0], "sod", weights=network[1], data_root=root, name="x", device="cpu", metrics="MAE")
    assert not reproduce(here / RECORD, data_root=root, trust=True).failed
    edit(here / RECORD, 5e-4)
    (failed,) = reproduce(here / RECORD, data_root=root, trust=True).failed
    assert failed.name == "MAE@pysodmetrics"


def test_the_tolerance_is_for_maps_that_a_network_predicts_otherwise(
    root: Path, network: tuple[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(network[0], "sod", weights=network[1], data_root=root, name="x", device="cpu", metrics="MAE")
    from sodbench import map_delivery

    def brighter(probability: np.ndarray, *rest: object) -> np.ndarray:
        return np.minimum(original(probability, *rest).astype(int) + 1, 255).astype(np.uint8)

    original = map_delivery.finish
    monkeypatch.setattr(map_delivery, "finish", brighter)
    strict = reproduce(here / RECORD, data_root=root, trust=True, tolerance=0, out="strict")
    assert [one.name for one in strict.failed] == ["MAE@pysodmetrics"]
    loose = reproduce(here / RECORD, data_root=root, trust=True, tolerance=0.1, out="loose")
    assert not loose.failed and any("the maps differ" in note for note in loose.notes)
    edit(here / RECORD, 1e-6)  # within the tolerance, and yet not what the record's images say
    assert [
        one.name
        for one in reproduce(here / RECORD, data_root=root, trust=True, tolerance=0.1, out="b").failed
    ]


def test_an_ad_hoc_record_and_undefined_scores_agree(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("maps", "masks"):
        (here / name).mkdir()
        for number in range(2):
            Image.fromarray(np.full((20, 20), 90 * number, np.uint8)).save(here / name / f"{number}.png")
    (here / "strict.toml").write_text('based_on = "pysodmetrics"\nf_left_out = ["empty-mask"]\n')
    job = ["score", "maps", "--masks", "masks", "--dataset", "mine", "--protocols", "strict.toml", "salod"]
    assert main([*job, "--name", "x", "--quiet"]) == 0
    scores = json.loads((here / "reports/runs/x/mine/run.json").read_text())["protocols"]["strict"]["scores"]
    assert scores["maxF"] is None
    capsys.readouterr()
    assert main(["reproduce", "reports/runs/x/mine", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)["numbers"]
    assert {row["agrees"] for row in numbers} == {"to the bit"}
    assert {"maxF@strict", "wF@salod"} & {row["name"] for row in numbers}


def test_a_record_whose_files_were_changed_is_refused(
    root: Path, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = scored / "scores.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(bytes(content))
    assert main(["reproduce", str(scored), "--data-root", str(root)]) == 2
    assert "scores.parquet was changed" in capsys.readouterr().err


def test_a_record_of_a_forged_protocol_is_refused(
    root: Path, scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((scored / "run.json").read_text())
    content["protocols"]["pysodmetrics"]["fields"]["mae_scale"] = "255"
    (scored / "run.json").write_text(json.dumps(content))
    assert main(["reproduce", str(scored), "--data-root", str(root)]) == 2
    assert "'pysodmetrics'" in (said := capsys.readouterr().err) and "mae_scale" in said


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a training writes, as far as reproduce reads it."""
    path = Path(__file__).resolve().parents[2] / "baselines" / "weights" / "basnet-tiny.training.json"
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["provenance"], None, "provenance: expected a table"),
        (["provenance"], ..., "provenance: missing"),
        (["provenance", "versions"], [], "provenance.versions: expected a table"),
        (["weights"], {}, "weights.sha256: missing"),
        (["weights"], "x", "weights: expected a table"),
        (["best"], ..., "best: missing"),
        (["best", "iteration"], "x", "best.iteration: expected a whole number"),
        (["datasets"], 3, "datasets: expected a table"),
        (["datasets", "sample-train"], 3, "datasets.sample-train: expected a table"),
        (["losses"], 3, "losses: expected a table"),
        (["losses", "loss"], "x", "losses.loss: expected a number"),
        (["baseline"], 3, "baseline: expected text"),
        (["recipe"], 3, "recipe: expected a table"),
    ],
)
def test_a_training_record_of_wrong_types_is_one_line(
    training: dict,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    path: list[str],
    value: object,
    message: str,
) -> None:
    content = json.loads(json.dumps(training))
    *parents, last = path
    place = content
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    (here / "training.json").write_text(json.dumps(content))
    assert main(["reproduce", "training.json"]) == 2
    assert message in capsys.readouterr().err
    shutil.rmtree(here / "reproduced", ignore_errors=True)
