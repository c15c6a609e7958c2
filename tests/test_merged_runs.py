"""Shards of real maps, joined: the record of one process, or one line that says why not."""

import json
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError, Note
from sodbench.results.integrity import differences
from sodbench.results.shard_records import read_shard, shard_folder, shard_folders
from sodbench.shard import Shard

TABLES = ("scores.parquet", "curves.parquet", "image_curves.parquet")
# what a merged record says otherwise
OWN = ("started", "seconds", "command", "self_check", "shards")


@pytest.fixture()
def maps(root: Path, here: Path) -> Path:
    """Maps of the six images of ECSSD: the masks of others."""
    folder = here / "maps" / "theirs"
    folder.mkdir(parents=True)
    masks = sorted((root / "ECSSD" / "ground_truth_mask").iterdir())
    for mask, other in zip(masks, [*masks[1:], masks[0]], strict=True):
        shutil.copyfile(other, folder / mask.name)
    return folder


@pytest.fixture()
def shards(maps: Path, root: Path) -> Path:
    """A reports folder with three shards of the maps' scores."""
    for number in (1, 2, 3):
        sb.score_maps(maps, "ecssd", data_root=root, reports="parts", shard=Shard(number, 3))
    return Path("parts")


def _record(reports: Path | str, name: str, dataset: str = "ecssd") -> tuple[dict, dict[str, bytes]]:
    """run.json without what is a process's own, and the bytes of the tables."""
    folder = Path(reports) / "runs" / name / dataset
    content = json.loads((folder / "run.json").read_text())
    content["provenance"] = {key: value for key, value in content["provenance"].items() if key not in OWN}
    return content, {table: (folder / table).read_bytes() for table in TABLES}


def _edit(folder: Path, change: Callable[[dict], object]) -> None:
    path = folder / "shard.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_three_shards_in_separate_folders_are_the_record_of_one_process(
    network: tuple[str, Path], root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", network[0], "--datasets", "ecssd", "sod", "--data-root", str(root), "--device", "cpu"]
    run += ["--weights", str(network[1]), "--quiet", "--name", "mine", "--limit", "2"]
    assert main([*run, "--reports", "whole", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    for number in (3, 1, 2):
        assert main([*run, "--reports", f"node{number}", "--shard", f"{number}/3", "--json"]) == 0
    part = json.loads(capsys.readouterr().out.splitlines()[-1])["shards"]
    assert [(one["dataset"], one["shard"], one["scored"]) for one in part] == [
        ("ecssd", "2/3", 1),
        ("sod", "2/3", 1),
    ]
    assert main(["merge", "node2", "node3", "node1", "--reports", "merged", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == whole

    for dataset in ("ecssd", "sod"):
        assert _record("merged", "mine", dataset) == _record("whole", "mine", dataset)
    (run_of_ecssd, _) = sb.load_runs("merged")
    assert not differences(run_of_ecssd)
    then = run_of_ecssd.provenance
    assert [(one.shard, one.images) for one in then.shards] == [("1/3", 1), ("2/3", 1), ("3/3", 0)]
    assert all(one.device["cpu"] and one.started for one in then.shards)
    assert then.self_check is not None
    assert len(then.self_check.images) == 2
    # found again on this machine, although the merged folder never saw the data
    assert main(["audit", "merged", "--quiet"]) == 0


def test_shards_whose_maps_are_not_kept(network: tuple[str, Path], root: Path, here: Path) -> None:
    options = {"data_root": root, "weights": network[1], "device": "cpu", "batch": 1}
    sb.evaluate(network[0], "ecssd", name="mine", reports="whole", **options)
    for shard in ("1/2", "2/2"):
        sb.evaluate(
            network[0], "ecssd", name="mine", reports="parts", keep_maps=False, shard=shard, **options
        )
    (run,) = sb.merge("parts", "merged")
    assert _record("merged", "mine")[1] == _record("whole", "mine")[1]
    assert (run.provenance.maps, run.provenance.maps_sha256) == (None, None)
    (whole,) = sb.load_runs("whole")
    assert run.provenance.depends_on == whole.provenance.depends_on


def test_scored_maps_more_shards_than_images_in_one_folder(maps: Path, root: Path) -> None:
    score = {"data_root": root, "protocols": ["pysodmetrics", "basnet2019"], "image_curves": True}
    sb.score_maps(maps, "ecssd", reports="reports", **score)
    whole = _record("reports", "theirs")
    shutil.rmtree("reports")
    for number in range(1, 9):
        part = sb.score_maps(maps, "ecssd", reports="reports", shard=f"{number}/8", **score)
        assert part.scored == (number <= 6)
    (run,) = sb.merge("reports", "reports")
    assert _record("reports", "theirs") == whole
    assert run.values() == sb.load_runs("reports")[0].values()
    assert [one.images for one in run.provenance.shards] == [1] * 6 + [0] * 2


def test_curves_of_other_lengths_are_joined_too(maps: Path, root: Path) -> None:
    score = {"data_root": root, "metrics": ["E", "HCE", "MSIoU", "calibration"], "image_curves": True}
    sb.score_maps(maps, "ecssd", reports="reports", **score)
    whole = _record("reports", "theirs")
    for number in (1, 2, 3):
        sb.score_maps(maps, "ecssd", reports="parts", shard=Shard(number, 3), **score)
    sb.merge("parts", "merged")
    assert _record("merged", "theirs") == whole


def test_what_is_asked_of_the_scores_is_that_of_the_shards(maps: Path, root: Path) -> None:
    score = {"data_root": root, "metrics": ["MAE", "wF"], "image_curves": False, "self_check": False}
    for number in (1, 2):
        sb.score_maps(maps, "ecssd", reports="parts", shard=Shard(number, 2), **score)
    (run,) = sb.merge("parts", "merged")
    alone = sb.score_maps(maps, "ecssd", reports=None, **score)
    assert run.values() == alone.values()
    assert run.provenance.depends_on == alone.provenance.depends_on
    assert run.provenance.maps_sha256 == alone.provenance.maps_sha256
    assert run.provenance.self_check is not None
    assert not run.provenance.self_check.done
    assert not Path("merged/runs/theirs/ecssd/image_curves.parquet").exists()


def test_missing_shards_are_named(shards: Path) -> None:
    shutil.rmtree(shard_folder(shards, "theirs", "ecssd", Shard(2, 3)))
    with pytest.raises(InputError, match=r"theirs on ecssd: shard 2 of 3 is missing: run it.*--shard 2/3"):
        sb.merge(shards, "merged")
    shutil.rmtree(shard_folder(shards, "theirs", "ecssd", Shard(1, 3)))
    with pytest.raises(InputError, match=r"shards 1 and 2 of 3 are missing"):
        sb.merge(shards, "merged")
    assert not Path("merged").exists()


def test_a_shard_that_is_there_twice_counts_once(shards: Path, maps: Path, root: Path) -> None:
    sb.score_maps(maps, "ecssd", data_root=root, reports="again", shard="2/3")
    with pytest.warns(Note, match=r"shard 2/3 is there twice and counts once"):
        (run,) = sb.merge([shards, "again", shards], "merged")
    assert run.scored == 6
    shutil.copyfile(maps / "0001.png", maps / "0002.png")
    sb.score_maps(maps, "ecssd", data_root=root, reports="again", shard="2/3")
    with pytest.raises(
        InputError, match=r"shard 2/3 is there twice, with other content: parts.*again.*remove"
    ):
        sb.merge([shards, "again"], "merged")


def test_splits_of_different_counts_are_not_mixed(shards: Path, maps: Path, root: Path) -> None:
    sb.score_maps(maps, "ecssd", data_root=root, reports=shards, shard="2/4")
    with pytest.raises(InputError, match=r"shards of 3 in .* and of 4 in .* are mixed; remove"):
        sb.merge(shards, "merged")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda c: c["provenance"]["versions"].update(sodbench="9.9"),
            "package versions than shard 1/3: sodbench: 9.9, was",
        ),
        (
            lambda c: c["provenance"]["versions"].update(numpy="1.0"),
            "versions than shard 1/3: numpy: 1.0",
        ),
        (
            lambda c: c["provenance"]["code"].update(commit="f" * 40),
            "sodbench than shard 1/3: commit: ffff",
        ),
        (lambda c: c.update(dataset_digest="0" * 64), "other data than shard 1/3: masks"),
        (lambda c: c.update(expected=7), "other data than shard 1/3: images expected: 7"),
        (
            lambda c: c["protocols"]["pysodmetrics"]["fields"].update(f_beta2=1.0),
            "f_beta2 of pysodmetrics: 1.0",
        ),
        (
            lambda c: c["provenance"]["depends_on"].update({"protocol pysodmetrics": "x"}),
            "protocol pysod.*: x",
        ),
        (lambda c: c.update(weights_sha256="0" * 64), "weights file: 0000"),
    ],
)
def test_a_shard_of_something_else_is_refused_by_name(
    shards: Path, change: Callable[[dict], object], says: str
) -> None:
    _edit(shard_folder(shards, "theirs", "ecssd", Shard(2, 3)), change)
    with pytest.raises(InputError, match=rf"shard 2/3 \(.*2-of-3\) .*{says}.*score it again"):
        sb.merge(shards, "merged")
    assert not Path("merged").exists()


def test_shards_whose_maps_were_found_or_resized_otherwise_are_not_mixed(maps: Path, root: Path) -> None:
    for path in sorted(maps.iterdir()):
        shutil.copyfile(path, path.with_stem(f"{path.stem}_sal"))
    score = {"data_root": root, "reports": "parts", "self_check": False}
    for number in (1, 3):
        sb.score_maps(maps, "ecssd", shard=Shard(number, 3), pattern="{name}_sal.png", **score)
    for other, says in (
        ({}, "pattern: not there, was {name}_sal.png"),
        ({"pattern": "{name}_sal.png", "resize": "nearest"}, "resize: nearest, was not there"),
    ):
        sb.score_maps(maps, "ecssd", shard="2/3", **other, **score)
        with pytest.raises(InputError, match=rf"2-of-3\) was scored otherwise than shard 1/3: {says}"):
            sb.merge("parts", "merged")
    assert not Path("merged").exists()


def test_shards_of_another_sodbench_are_refused(shards: Path) -> None:
    for folder in shard_folders(shards):
        _edit(folder, lambda content: content["provenance"]["versions"].update(sodbench="9.9"))
    with pytest.raises(InputError, match=r"scored by sodbench 9.9, this is sodbench"):
        sb.merge(shards, "merged")


def _cut(folder: Path) -> None:
    path = folder / "scores.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def _flip(folder: Path) -> None:
    path = folder / "curve_sums.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_cut, "scores.parquet has .* bytes instead of"),
        (_flip, "curve_sums.parquet was changed"),
        (lambda folder: (folder / "image_curves.parquet").unlink(), "image_curves.parquet is missing"),
        (lambda folder: (folder / "shard.json").unlink(), "no shard.json"),
        (lambda folder: (folder / "shard.json").write_text("{"), "not valid JSON"),
        (lambda folder: _edit(folder, lambda c: c.update(schema=2)), "schema 2"),
        (lambda folder: _edit(folder, lambda c: c.update(shard="9/3")), "'9/3'"),
        (lambda folder: _edit(folder, lambda c: c.pop("images")), "images: missing"),
        (lambda folder: _edit(folder, lambda c: c.update(scored=5)), "counts 5 images instead of 2"),
        (lambda folder: _edit(folder, lambda c: c["files"].pop("curve_sums.parquet")), "curve_sums.parquet"),
        (lambda folder: folder.rename(folder.with_name("1-of-4")), "copied or renamed"),
    ],
)
def test_a_damaged_shard_is_named(shards: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(shard_folder(shards, "theirs", "ecssd", Shard(2, 3)))
    with pytest.raises(InputError, match=rf"{says}.*run this shard again"):
        sb.merge(shards, "merged")
    assert not Path("merged").exists()


def test_the_whole_is_judged_for_constant_maps(root: Path, here: Path) -> None:
    from PIL import Image

    (here / "maps").mkdir()
    for mask in (root / "ECSSD" / "ground_truth_mask").iterdir():
        Image.new("L", (48, 40)).save(here / "maps" / mask.name)
    for number in (1, 2):
        sb.score_maps("maps", "ecssd", data_root=root, reports="parts", shard=Shard(number, 2))
    with pytest.raises(InputError, match=r"6 of 6 maps are constant.*--allow-constant"):
        sb.merge("parts", "merged")
    assert not Path("merged").exists()
    with pytest.warns(Note, match=r"6 of 6 maps are constant"):
        assert sb.merge("parts", "merged", allow_constant=True)[0].scored == 6
    for number in (1, 2):
        options = {"data_root": root, "reports": "parts", "allow_constant": True}
        sb.score_maps("maps", "ecssd", shard=Shard(number, 2), **options)
    with pytest.warns(Note, match=r"6 of 6"):
        sb.merge("parts", "merged")


def test_a_record_of_more_images_is_not_replaced(maps: Path, root: Path, network: tuple[str, Path]) -> None:
    sb.score_maps(maps, "ecssd", data_root=root, reports="reports")
    for map_file in sorted(maps.iterdir())[4:]:
        map_file.unlink()
    options = {"data_root": root, "reports": "reports", "allow_missing": True}
    for number in (1, 2):
        sb.score_maps(maps, "ecssd", shard=Shard(number, 2), **options)
    path = Path("reports/runs/theirs/ecssd/run.json")
    # as a record of a set that has just these six images
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "scored": content["expected"]}))
    with pytest.raises(InputError, match=r"--replace"):
        sb.merge("reports", "reports")
    assert sb.merge("reports", "reports", replace=True)[0].scored == 4


def test_only_shards_are_no_runs(shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["report", "--reports", str(shards)], ["audit", str(shards)]):
        assert main(command) == 2
        assert "'sodbench merge parts --reports parts'" in capsys.readouterr().err
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sb.merge(shards, shards)
        assert len(sb.load_runs(shards)) == 1
    assert main(["report", "--reports", str(shards), "--formats", "markdown"]) == 0
    assert not capsys.readouterr().err


def test_a_shard_killed_while_it_is_written_leaves_the_former_one(
    shards: Path, maps: Path, root: Path
) -> None:
    """By SIGKILL, just before it is put in its place: no half of it is read, and the next one cleans up."""
    script = (
        "import os, signal, sys, sodbench.results.saving as saving; from sodbench.cli.main import main; "
        "saving._swap = lambda *_: os.kill(os.getpid(), signal.SIGKILL); sys.exit(main(sys.argv[1:]))"
    )
    call = [
        "score",
        str(maps),
        "--dataset",
        "ecssd",
        "--data-root",
        str(root),
        "--reports",
        "parts",
        "--quiet",
    ]
    folder = shard_folder(shards, "theirs", "ecssd", Shard(2, 3))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for shard in ("2/3", "1/4"):
        killed = subprocess.run([sys.executable, "-c", script, *call, "--shard", shard], check=False)
        assert killed.returncode == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in shard_folders(shards)] == ["1-of-3", "2-of-3", "3-of-3"]
    left = [path for path in folder.parent.iterdir() if path.name.startswith(".")]
    assert len(left) == 1  # the second removed what the first had left
    (run,) = sb.merge(shards, "merged")
    assert run.scored == 6
    again = [sys.executable, "-m", "sodbench", *call, "--shard", "2/3"]
    subprocess.run(again, check=True, capture_output=True)
    assert {path.name for path in folder.parent.iterdir()} == {"1-of-3", "2-of-3", "3-of-3"}


def test_a_users_files_are_not_replaced(maps: Path, root: Path) -> None:
    place = shard_folder("reports", "theirs", "ecssd", Shard(1, 2))
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes.txt"):
        sb.score_maps(maps, "ecssd", data_root=root, reports="reports", shard="1/2")
    with pytest.raises(InputError, match=r"name a reports folder"):
        sb.score_maps(maps, "ecssd", data_root=root, reports=None, shard="1/2")


def test_a_shard_record_holds_no_pickle(shards: Path) -> None:
    folder = shard_folder(shards, "theirs", "ecssd", Shard(1, 3))
    assert {path.suffix for path in folder.iterdir()} == {".json", ".parquet"}
    table = read_shard(folder, shards).table("pysodmetrics")
    assert table.per_image.to_numpy().dtype == "float64"
    assert {sums.shape for sums in table.curve_sums.values()} == {(5, 256)}
    assert {(values.shape, str(values.dtype)) for values in table.image_curves.values()} == {
        ((2, 256), "float32")
    }
