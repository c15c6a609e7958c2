"""A tree of saliency maps in one call: layouts, patterns, resizing; what is left out and what fails."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.map_tree import find_map_folders
from sodbench.errors import InputError
from sodbench.map_scoring import score_maps
from sodbench.merging import merge
from sodbench.record_audit import audit
from sodbench.rescoring import rescore
from sodbench.results.loading import load_runs
from sodbench.scoring import score_files
from sodbench.tree_scoring import score_tree

FAST = {"metrics": ["MAE", "F"], "self_check": False}
METHODS = ("DSS", "PiCANet")


def _as_png(path: Path, levels: np.ndarray) -> None:
    Image.fromarray(levels).save(path.with_suffix(".png"))


def _as_npy(path: Path, levels: np.ndarray) -> None:
    np.save(path.with_suffix(".npy"), (levels / 255).astype(np.float32)[None])


def _as_tiff(path: Path, levels: np.ndarray) -> None:
    Image.fromarray((levels / 255).astype(np.float32)).save(path.with_suffix(".tif"))


@pytest.fixture()
def tree(root: Path, tmp_path: Path) -> Path:
    """Maps of two methods on the small ECSSD and SOD of `root`: trees/<method>/<data set>/<name>.png."""
    top = tmp_path / "trees"
    random = np.random.default_rng(7)
    for method in ("A", "B_x"):
        for dataset, masks in (("ECSSD", "ground_truth_mask"), ("sod", "GT")):
            folder = top / method / dataset
            folder.mkdir(parents=True)
            for path in (root / dataset.upper() / masks).iterdir():
                mask = np.asarray(Image.open(path)).astype(float)
                noisy = np.clip(0.8 * mask + random.integers(0, 50, mask.shape), 0, 255)
                Image.fromarray(noisy.astype(np.uint8)).save(folder / path.name)
    return top


@pytest.mark.parametrize(
    ("layout", "write"),
    [
        ("{method}/{dataset}", _as_png),
        ("maps-{method}/{dataset}_test", _as_npy),
        ("{dataset}/x/{method}", _as_tiff),
    ],
)
def test_real_maps_score_the_same_in_any_form(
    shared_data: Path, here: Path, layout: str, write: Callable[[Path, np.ndarray], None]
) -> None:
    for method in METHODS:
        folder = here / "tree" / layout.replace("{method}", method).replace("{dataset}", "SOD")
        folder.mkdir(parents=True)
        for path in sorted((shared_data / "SOD" / "maps" / method).iterdir())[:12]:
            write(folder / f"{path.stem}_sal", np.asarray(Image.open(path).convert("L")))
    scores = score_tree(
        "tree", layout, pattern="{name}_sal", allow_missing=True, data_root=shared_data, metrics=["MAE", "S"]
    )
    runs = {run.name: run for run in load_runs()}
    assert [run.name for run in scores.runs] == [*runs] == sorted(METHODS)
    for method, run in runs.items():
        sod = shared_data / "SOD"
        names = [str(name) for name in run.tables["pysodmetrics"].per_image.index]
        files = [(name, sod / "maps" / method / f"{name}.png", sod / "GT" / f"{name}.png") for name in names]
        original = score_files(files, metrics=["MAE", "S"])["pysodmetrics"]
        found = run.tables["pysodmetrics"].per_image
        np.testing.assert_array_equal(found.to_numpy(), original.per_image.to_numpy())
        assert run.count == "12/300" and run.provenance.map_pattern == "{name}_sal"
        assert run.provenance.float_maps == (None if write is _as_png else "round(255 x)")
    assert audit().summary.startswith("2 of 2 records are as they were scored; 24 of 24 images")


@pytest.mark.parametrize(
    ("layout", "folders"),
    [
        ("{method}/{dataset}", {"Net/ecssd": ("Net", "ecssd"), "Net/HKU_IS": ("Net", "hku-is")}),
        ("{dataset}/{method}/", {"dut-o/Net": ("Net", "dut-omron"), "Duts/a b": ("a b", "duts-te")}),
        ("./r-{method}.d/{dataset}_test/maps", {"r-a.b.d/SOD_test/maps": ("a.b", "sod")}),
        ("{method}_{dataset}", {"U2_Net_DUTS-TE": ("U2_Net", "duts-te"), "x_sod": ("x", "sod")}),
        ("{dataset}-{method}", {"hku-is-test-Net": ("Net", "hku-is-test"), "sod-test": ("test", "sod")}),
        ("out/{method}", {"out/Net": ("Net", None)}),
    ],
)
def test_layouts(tmp_path: Path, layout: str, folders: dict[str, tuple[str, str | None]]) -> None:
    for folder in (*folders, ".hidden/sod"):
        (tmp_path / folder).mkdir(parents=True)
    found = find_map_folders(tmp_path, layout)
    where = {one.folder.relative_to(tmp_path).as_posix(): (one.method, one.dataset) for one in found.folders}
    assert where == folders and not found.unknown


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ("{dataset}", "no {method}"),
        ("{method}/{method}", "{method} twice"),
        ("{method}/{dataset}/{name}.png", "--pattern"),
        ("{method}/{set}", "unknown field"),
        ("{method}{dataset}", "nothing between"),
        ("/{method}/{dataset}", "without .."),
        ("../{method}", "without .."),
        ("", "no {method}"),
    ],
)
def test_bad_layouts_are_one_line(tree: Path, here: Path, layout: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        score_tree(tree, layout)
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_the_command_scores_a_tree_and_says_what_it_left_out(
    root: Path, tree: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tree / "A" / "sod", tree / "A" / "sodd")
    shutil.copytree(tree / "A" / "sod", tree / "A" / "DUT-OMRON")
    (tree / "logs" / "ecssd" / "2019").mkdir(parents=True)
    shutil.copy(tree / "A" / "sod" / "3096.png", tree / "A" / "sod" / "extra.png")
    command = [
        "score",
        str(tree),
        "--layout",
        "{method}/{dataset}",
        "--data-root",
        str(root),
        "--allow-missing",
    ]
    assert main([*command, "--metrics", "MAE", "--json"]) == 0
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert [(row["name"], row["dataset"], row["scored"]) for row in printed["results"]] == [
        ("A", "ecssd", 6),
        ("A", "sod", 3),
        ("B_x", "ecssd", 6),
        ("B_x", "sod", 3),
    ]
    assert printed["failed"] == []
    assert {Path(one["folder"]).name: one["reason"] for one in printed["left_out"]} == {
        "sodd": "no data set has this name",
        "DUT-OMRON": "dut-omron is not in the data root",
        "ecssd": "it holds folders, and no maps",
    }
    assert [(one["names"], one["count"]) for one in printed["extra_maps"]] == [(["extra"], 1)]
    assert "A/sodd" in err and "A/DUT-OMRON" in err and "A/sod (1: extra)" in err
    assert "18/18" in err, "one progress bar for the whole tree"
    assert len(load_runs()) == 4
    # as each folder alone
    alone = score_maps(tree / "B_x" / "sod", "sod", data_root=root, metrics="MAE", reports=None)
    assert printed["results"][3]["scores"] == dict(alone.tables["pysodmetrics"].scores)


def test_a_folder_that_fails_does_not_spoil_the_others(
    root: Path, tree: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "A" / "sod" / "8049.png").write_bytes(b"no picture")
    command = ["score", str(tree), "--layout", "{method}/{dataset}", "--data-root", str(root), "--quiet"]
    assert main([*command, "--metrics", "MAE"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    lines = [line for line in err.splitlines() if line.startswith("sodbench: error: ")]
    assert len(lines) == 1 and "A on sod was not scored: " in lines[0] and "8049.png" in lines[0]
    assert "3 of 4 folders of maps were scored" in err
    assert {(run.name, run.dataset) for run in load_runs()} == {
        ("A", "ecssd"),
        ("B_x", "ecssd"),
        ("B_x", "sod"),
    }


def test_all_problems_are_found_before_anything_is_scored(root: Path, tree: Path, here: Path) -> None:
    (tree / "A" / "sod" / "8049.png").unlink()
    shutil.copy(tree / "B_x" / "ECSSD" / "0001.png", tree / "B_x" / "ECSSD" / "0001.npy")
    with pytest.raises(InputError) as raised:
        score_tree(tree, data_root=root, **FAST)
    message = str(raised.value)
    assert message.startswith("2 problems in 4 folders") and "1 of 3 maps of sod are missing: 8049" in message
    assert "two maps of one image: 0001.npy and 0001.png" in message
    with pytest.raises(InputError, match="two folders of the maps of A on ecssd"):
        shutil.copytree(tree / "A" / "ECSSD", tree / "A" / "ecssd")
        score_tree(tree, data_root=root, **FAST)
    with pytest.raises(InputError, match="names the data sets: leave dataset out"):
        score_tree(tree, dataset="sod", data_root=root, **FAST)
    with pytest.raises(InputError, match=r"no folder fits the layout.*it holds the folders A, B_x"):
        score_tree(tree, "maps/{method}", dataset="sod", data_root=root, **FAST)
    assert not (here / "reports").exists()


def test_a_tree_of_one_data_set(root: Path, tree: Path, here: Path) -> None:
    scores = score_tree(tree, "{method}/sod", dataset="sod", data_root=root, **FAST)
    masks = score_tree(tree, "{method}/sod", masks=root / "SOD" / "GT", reports=None, **FAST)
    assert [(run.name, run.dataset) for run in scores.runs] == [("A", "sod"), ("B_x", "sod")]
    assert [run.values() for run in masks.runs] == [run.values() for run in scores.runs]
    assert [run.dataset for run in masks.runs] == ["GT", "GT"]


def test_maps_are_resized_by_the_filter_that_the_record_names(
    root: Path, tree: Path, here: Path, tmp_path: Path
) -> None:
    small, by_hand = tmp_path / "small", tmp_path / "by-hand"
    small.mkdir()
    by_hand.mkdir()
    for path in (tree / "A" / "sod").iterdir():
        picture = Image.open(path)
        less = picture.resize((24, 20), Image.Resampling.BOX)
        less.save(small / path.name)
        less.resize(picture.size, Image.Resampling.LANCZOS).save(by_hand / path.name)
    job = {"data_root": root, "protocols": ["pysodmetrics", "salod"]}
    with pytest.raises(InputError, match=r"3 maps differ in size.*score --resize bilinear"):
        score_maps(small, "sod", **job)
    with pytest.warns(UserWarning) as notes:
        run = score_maps(small, "sod", name="A", resize="lanczos", **job)
    said = " ".join(str(note.message) for note in notes)
    assert (
        "another size than its mask, resized (lanczos); 3 of 3 maps are so" in said
        and "--resize lanczos is not used under salod" in said
    )
    assert run.provenance.map_resize == "lanczos" == run.provenance.depends_on["resize"]
    assert run.provenance.self_check is not None and run.provenance.self_check.done
    same = score_maps(by_hand, "sod", reports=None, data_root=root)
    assert same.values() == {
        name: value for name, value in run.values().items() if name.endswith("pysodmetrics")
    }
    # a protocol with a rule of its own keeps it
    own = score_maps(small, "sod", reports=None, data_root=root, protocols="salod")
    assert own.values() == {name: value for name, value in run.values().items() if name.endswith("salod")}
    (recorded,) = load_runs()
    assert audit(data_root=root).failed == () and rescore(recorded).values() == run.values()
    assert (
        main(["show", "A", "3096", "--out", "sheet.png"]) == 0 and Path("sheet.png").stat().st_size > 10_000
    )
    with pytest.raises(InputError, match="resize is 'cubic'; expected one of nearest, bilinear"):
        score_maps(small, "sod", resize="cubic", **job)
    # the key of a record without it stays as it was
    plain = score_maps(tree / "A" / "sod", "sod", data_root=root, reports=None)
    assert "resize" not in plain.provenance.depends_on and plain.provenance.map_resize is None


def test_shards_of_a_tree_are_merged(root: Path, tree: Path, here: Path) -> None:
    for path in [*(tree / "A" / "sod").iterdir()][:2]:
        _as_npy(path, np.asarray(Image.open(path)))
        path.unlink()
    assert (
        main(["datasets", "verify", "sod", "--maps", str(tree / "A" / "sod"), "--data-root", str(root)]) == 0
    )
    whole = score_tree(tree, data_root=root, reports=None, **FAST)
    for shard in ("1/2", "2/2"):
        score_tree(tree, data_root=root, shard=shard, **FAST)
    merged = merge("reports", "merged")
    assert [run.values() for run in merged] == [run.values() for run in whole.runs]
    assert [run.provenance.float_maps for run in merged] == [None, "round(255 x)", None, None]
    assert [run.provenance.maps_sha256 for run in merged] == [
        run.provenance.maps_sha256 for run in whole.runs
    ]
