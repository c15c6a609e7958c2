"""What a record is the record of: no data set under another's name, no record lost to other data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from results.stand_in import StandInDataset, table
from sodbench.cli.main import main
from sodbench.data.folder import open_dataset, open_folders
from sodbench.errors import InputError
from sodbench.evaluation import evaluate
from sodbench.map_scoring import score_maps
from sodbench.metrics.protocol import load_protocol
from sodbench.reporting.comparison import compare
from sodbench.reporting.leaderboard import leaderboard
from sodbench.reporting.write import report
from sodbench.results.loading import load_runs
from sodbench.results.new_run import new_run


@pytest.fixture()
def pictures(tmp_path: Path) -> Path:
    """A folder of three masks, which serve as maps too."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(3):
        mask = np.zeros((20, 30), np.uint8)
        mask[5 : 10 + number, 8:20] = 255
        Image.fromarray(mask).save(folder / f"{number}.png")
    return folder


def score(maps: Path, *options: str) -> int:
    return main(["score", str(maps), "--name", "x", "--quiet", *options])


@pytest.mark.parametrize("name", ["sod", "SOD", "duts", "omron", " sod"])
def test_the_names_of_cards_are_reserved(
    pictures: Path, here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert score(pictures, "--masks", str(pictures), f"--dataset={name}") == 2
    said = capsys.readouterr().err
    assert repr(name) in said and "--data-root" in said and "choose another name" in said
    assert not (here / "reports").exists()
    with pytest.raises(InputError, match="choose another name"):
        open_folders(name, pictures)


def test_the_name_of_a_folder_of_masks_is_reserved_too(pictures: Path, tmp_path: Path, here: Path) -> None:
    (pictures.parent / "SOD").symlink_to(pictures, target_is_directory=True)
    pictures.rename(tmp_path / "ECSSD")
    assert score(tmp_path / "ECSSD", "--masks", str(tmp_path / "ECSSD")) == 2
    assert score(tmp_path / "ECSSD", "--masks", str(tmp_path / "ECSSD"), "--dataset=mine") == 0


def test_a_data_set_that_is_renamed_in_python_is_no_other(root: Path, here: Path) -> None:
    forged = replace(open_dataset("sod", root), name="ecssd")
    with pytest.raises(InputError, match=r"'ecssd'.*choose another name"):
        score_maps(root / "SOD" / "GT", forged, name="x")
    no_card = replace(open_dataset("sod", root), card=None)
    with pytest.raises(InputError, match=r"'sod'.*choose another name"):
        score_maps(root / "SOD" / "GT", no_card, name="x")


def test_a_users_own_card_is_a_card(root: Path, here: Path, pictures: Path) -> None:
    assert main(["datasets", "add", str(root / "SOD"), "--name", "birds"]) == 0
    assert score(root / "SOD" / "GT", "--dataset", "birds") == 0
    assert score(pictures, "--masks", str(pictures), "--dataset", "birds") == 2


def test_a_broken_card_of_ones_own_stops_nothing_else(pictures: Path, here: Path) -> None:
    (here / "datasets").mkdir()
    (here / "datasets" / "broken.toml").write_text("title = ")
    assert score(pictures, "--masks", str(pictures), "--dataset", "mine") == 0
    assert len(load_runs("reports")) == 1
    assert score(pictures, "--masks", str(pictures), "--dataset", "omron") == 2
    assert score(pictures, "--masks", str(pictures), "--dataset", "broken") == 2


def test_a_record_is_replaced_only_by_one_of_the_same_data(
    pictures: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ["--masks", str(pictures), "--dataset", "mine"]
    assert score(pictures, *job) == 0
    before = (here / "reports/runs/x/mine/run.json").read_bytes()
    assert score(pictures, *job) == 0  # the same data
    Image.fromarray(np.full((20, 30), 255, np.uint8)).save(pictures / "0.png")
    capsys.readouterr()
    with monkeypatch.context() as patch:  # refused before a map is scored
        patch.setattr("sodbench.scoring.score_samples", None)
        assert score(pictures, *job) == 2
    said = capsys.readouterr().err
    assert "reports/runs/x/mine" in said and "other masks" in said and "--replace" in said
    assert (here / "reports/runs/x/mine/run.json").read_bytes() != b"" != before
    assert score(pictures, *job, "--replace") == 0
    assert score(pictures, *job) == 0


def test_a_full_record_is_not_replaced_by_a_part(
    pictures: Path, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    (part / "0.png").write_bytes((pictures / "0.png").read_bytes())
    job = ["--masks", str(pictures), "--dataset", "mine", "--allow-missing"]
    assert score(part, *job) == 0
    assert score(part, *job) == 0  # a part by a part
    assert score(pictures, *job) == 0  # a part by the whole
    capsys.readouterr()
    assert score(part, *job) == 2
    assert "a record of 3 images, the new one would hold 1" in capsys.readouterr().err
    assert load_runs("reports")[0].scored == 3
    assert score(part, *job, "--replace") == 0
    assert load_runs("reports")[0].scored == 1


def test_a_limited_run_does_not_replace_a_full_one_and_says_so_before_it_predicts(
    root: Path, network: tuple[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    evaluate(network[0], "sod", limit=2, **options)
    with pytest.raises(InputError, match=r"2 images.*would hold 1;"):  # limited then and now
        evaluate(network[0], "sod", limit=1, **options)
    evaluate(network[0], "sod", **options)  # these two images are among them
    with monkeypatch.context() as patch:
        patch.setattr("sodbench.prediction.predict_samples", None)
        with pytest.raises(InputError, match=r"3 images.*would hold 1;.*--replace"):
            evaluate(network[0], "sod", limit=1, **options)
    evaluate(network[0], "sod", limit=1, replace=True, **options)
    assert load_runs("reports")[0].scored == 1


def test_what_is_no_record_is_replaced(pictures: Path, here: Path) -> None:
    job = ["--masks", str(pictures), "--dataset", "mine"]
    folder = here / "reports/runs/x/mine"
    folder.mkdir(parents=True)
    assert score(pictures, *job) == 0
    for text in ("{", "[]", '{"scored": "3", "dataset_digest": 1}'):
        (folder / "run.json").write_text(text)
        assert score(pictures, *job) == 0


def two_meanings() -> list:
    """Two runs under protocols of one name whose conventions differ; the second is the later one."""
    runs = []
    for number, (name, beta2) in enumerate((("a", 0.3), ("b", 1.0))):
        one = table(seed=number)
        mine = replace(load_protocol("pysodmetrics"), name="mine", f_beta2=beta2)
        run = new_run(name, StandInDataset(), {"mine": replace(one, protocol=mine), "pysodmetrics": one})
        runs.append(replace(run, provenance=replace(run.provenance, started=f"2026-01-0{number + 1}")))
    return runs


def test_one_column_holds_one_convention(tmp_path: Path) -> None:
    runs = two_meanings()
    board = leaderboard(runs, protocols=["mine", "pysodmetrics"])
    assert np.isnan(board.loc[("sod", "a"), "S@mine"]) and not np.isnan(board.loc[("sod", "b"), "S@mine"])
    assert board["S@pysodmetrics"].notna().all()
    notes = report(runs, tmp_path, protocols=["mine"], figures=[]).notes
    assert any("a on SOD" in note and "'mine'" in note and "f_beta2" in note for note in notes)


def test_two_conventions_of_one_name_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"'mine'.*f_beta2.*score"):
        compare(*two_meanings(), protocol="mine", resamples=100)
    compare(*two_meanings(), protocol="pysodmetrics", resamples=100, images=0)
