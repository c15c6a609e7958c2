"""The main job as a library: evaluate, score_maps, rescore, reproduce; the commands only call these."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.folder import open_dataset
from sodbench.errors import InputError
from sodbench.evaluation import evaluate, evaluate_all
from sodbench.map_scoring import score_maps
from sodbench.metrics import load_protocol
from sodbench.models import load_baseline
from sodbench.reproduction import reproduce
from sodbench.rescoring import rescore
from sodbench.results.loading import load_runs


@pytest.fixture()
def maps(root: Path, tmp_path: Path) -> Path:
    """Maps of SOD's three pictures: the masks, smaller by some columns."""
    folder = tmp_path / "maps" / "Mine"
    folder.mkdir(parents=True)
    for path in (root / "SOD" / "GT").iterdir():
        mask = np.asarray(Image.open(path)).copy()
        mask[:, :26] //= 3
        Image.fromarray(mask).save(folder / path.name)
    return folder


def test_evaluate_is_what_the_command_does(root: Path, network: tuple[str, Path], here: Path) -> None:
    run = evaluate(network[0], "ecssd", weights=network[1], data_root=root, device="cpu", name="a")
    command = ["run", network[0], "--weights", str(network[1]), "--data-root", str(root), "--device", "cpu"]
    assert main([*command, "--name", "b", "--datasets", "ecssd", "--quiet"]) == 0
    mine, commands = load_runs()
    assert (mine.name, commands.name) == ("a", "b")
    assert run.values() == mine.values() == commands.values() and len(run.values()) > 5
    same = {"started": "", "seconds": 0.0, "command": (), "maps": None}
    assert replace(mine.provenance, **same) == replace(commands.provenance, **same)
    pd.testing.assert_frame_equal(
        run.tables["pysodmetrics"].per_image,
        commands.tables["pysodmetrics"].per_image,
        check_index_type=False,
    )
    names = sorted(path.name for path in (here / "maps" / "a" / "ecssd").iterdir())
    assert names == [f"{n:04d}.png" for n in range(1, 7)]
    for name in names:
        first, second = (here / "maps" / r / "ecssd" / name for r in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_a_record_says_how_its_maps_were_made(root: Path, network: tuple[str, Path], here: Path) -> None:
    job = {"weights": network[1], "data_root": root, "device": "cpu", "name": "a"}
    evaluate(network[0], "ecssd", limit=4, batch=3, **job)
    (run,) = load_runs()
    then = run.provenance
    assert (then.origin, then.precision, then.batch, then.limit) == ("baseline", "fp32", 3, 4)
    assert then.baseline == "reports:../../mynet.py:create" and then.weights == "reports:../../mynet.pth"
    assert then.data_folder == "data-root:ECSSD" and then.maps == "reports:../maps/a/ecssd"
    assert run.count == "4/1000" and run.weights_sha256 is not None
    # nothing in the record hangs on this machine's folders, and yet all is found again
    assert str(root.parent) not in (here / "reports" / "runs" / "a" / "ecssd" / "run.json").read_text()
    assert run.data_folder() == root / "ECSSD"
    assert run.maps_folder().resolve() == here / "maps" / "a" / "ecssd"


def test_a_loaded_baseline_is_used_as_it_is(root: Path, network: tuple[str, Path], here: Path) -> None:
    loaded = load_baseline(network[0]).load(network[1])
    dataset = open_dataset("sod", root)
    run = evaluate(loaded, dataset, reports=None, data_root=root, protocols="raw", metrics=["MAE"])
    assert set(run.values()) == {"MAE@raw"} and not (here / "reports").exists()
    again = evaluate_all(loaded, [dataset, "ecssd", "sod"], data_root=root, protocols=load_protocol("raw"))
    assert [one.dataset for one in again] == ["sod", "ecssd"]
    assert again[0].values()["MAE@raw"] == run.values()["MAE@raw"]


def test_nothing_is_predicted_before_everything_is_checked(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    job = {"weights": network[1], "data_root": root, "device": "cpu"}
    with pytest.raises(InputError, match=r"'ecsd' \(did you mean 'ecssd'.*'sdo'"):
        evaluate_all(network[0], ["sod", "ecsd", "sdo"], **job)
    with pytest.raises(InputError, match="did you mean 'sal-eval'"):
        evaluate_all(network[0], ["sod"], protocols=["salval"], **job)
    with pytest.raises(InputError, match="batch is 0, expected 1 or more"):
        evaluate(network[0], "sod", batch=0, **job)
    with pytest.raises(InputError, match="no protocol to score under"):
        evaluate(network[0], "sod", protocols=[], **job)
    assert not (here / "maps").exists() and not (here / "reports").exists()


def test_rescoring_equals_scoring(root: Path, maps: Path, here: Path) -> None:
    run = score_maps(maps, "sod", data_root=root, protocols=["pysodmetrics", "salod"])
    assert run.name == "Mine" and run.provenance.origin == "maps"
    (recorded,) = load_runs()
    assert rescore(recorded).values() == run.values()
    other = rescore(recorded, protocols=["raw"], metrics=["MAE", "S"], reports="others")
    direct = score_maps(maps, "sod", data_root=root, protocols="raw", metrics=["MAE", "S"], reports=None)
    assert other.values() == direct.values() and set(other.values()) == {"MAE@raw", "S@raw"}
    (written,) = load_runs("others")
    assert written.values() == other.values()
    shutil.rmtree(maps)
    with pytest.raises(InputError, match="expected a folder of saliency maps, there is none"):
        rescore(recorded)


def test_rescoring_takes_the_images_of_the_run_only(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    job = {"weights": network[1], "data_root": root, "device": "cpu", "name": "net"}
    few = evaluate(network[0], "ecssd", limit=4, **job)
    evaluate(network[0], "ecssd", reports=None, **job)
    again = rescore(few, data_root=root)
    assert (again.scored, again.values()) == (4, few.values())
    next((here / "maps" / "net" / "ecssd").glob("*2.png")).unlink()
    with pytest.raises(InputError, match="1 of the 4 maps scored are missing: 0002"):
        rescore(few, data_root=root)


def test_a_single_value_does_for_a_list_and_a_path_for_a_name(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    Path("mine.toml").write_text(f'title = "Mine"\nnetwork = "{network[0]}"\n', encoding="utf-8")
    job = {"weights": network[1], "data_root": root, "device": "cpu", "metrics": "MAE", "reports": None}
    run = evaluate(Path("mine.toml"), "sod", **job)
    assert run.name == "mine" and set(run.values()) == {"MAE@pysodmetrics"}
    (again,) = evaluate_all(Path("mine.toml"), "sod", **job)
    assert again.values() == run.values()


def test_the_home_folder_is_understood_in_every_path(
    root: Path, network: tuple[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("USERPROFILE", str(here / "home"))
    job = {"data_root": root, "metrics": "MAE", "reports": None}
    evaluate(network[0], "sod", weights=network[1], maps="~/maps", **job)
    assert (here / "home" / "maps" / "sod" / "3096.png").is_file() and not Path("~").exists()
    shutil.copytree(root / "SOD" / "GT", here / "home" / "masks")
    assert score_maps("~/maps/sod", masks="~/masks", **job).count == "3/3"


def test_a_run_knows_the_data_root_of_its_data_set(root: Path, maps: Path, here: Path) -> None:
    for options in ({"data_root": str(root)}, {}):
        dataset = "sod" if options else open_dataset("sod", str(root))
        run = score_maps(maps, dataset, reports=None, metrics="MAE", **options)
        assert run.data_folder() == root / "SOD"
        assert rescore(run).values() == run.values()
    score_maps(maps, open_dataset("sod", root), metrics="MAE")
    (recorded,) = load_runs()
    assert recorded.provenance.data_folder == "data-root:SOD"
    assert not reproduce("reports/runs/Mine/sod", trust=True).failed


def test_weights_for_a_loaded_network_are_refused(root: Path, network: tuple[str, Path], here: Path) -> None:
    loaded = load_baseline(network[0]).load(network[1])
    for call in (evaluate, evaluate_all):
        with pytest.raises(InputError, match="the network is loaded already"):
            call(loaded, "sod", weights="other.pth", data_root=root)
        with pytest.raises(InputError, match="expected a name, a Baseline or a loaded one, found Logits"):
            call(loaded.network, "sod", data_root=root)


def test_an_ad_hoc_data_set_is_found_again(
    root: Path, maps: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks, images = root / "SOD" / "GT", root / "SOD" / "images"
    moved = here / "mine"
    shutil.copytree(masks, moved / "masks")
    shutil.copytree(images, moved / "pictures")
    shutil.move(str(maps), here / "maps")
    run = score_maps("maps", "my set", masks="mine/masks", images="mine/pictures", name="net")
    assert (run.dataset, run.count) == ("my set", "3/3")
    (recorded,) = load_runs()
    then = recorded.provenance
    assert then.masks == "reports:../mine/masks" and then.images == "reports:../mine/pictures"
    result = reproduce("reports/runs/net/my set", trust=True)
    assert not result.failed and {n.agrees for n in result.numbers} == {"to the bit"}
    count = len(result.numbers)
    assert str(result).endswith(f"{count} of {count} numbers agree") and "MAE@pysodmetrics" in str(result)
    assert result._repr_html_().count("<tr>") == count + 1
    with monkeypatch.context() as patch:
        patch.chdir("reports/runs/net/my set")
        assert not reproduce(".", trust=True).failed and not reproduce("run.json").failed
    # the whole folder at another place, read from another one
    shutil.copytree(here, here.parent / "copy")
    shutil.rmtree(here / "maps")
    result = reproduce(here.parent / "copy" / "reports" / "runs" / "net" / "my set", trust=True)
    assert not result.failed and len(result.numbers) > 5


def test_a_run_of_any_name_is_reproduced_in_one_folder(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    job = {"weights": network[1], "data_root": root, "device": "cpu", "metrics": "MAE"}
    run = evaluate(network[0], "sod", name="../a/b", **job)
    (record,) = here.glob("reports/runs/*/sod")
    assert not reproduce(record, data_root=root, trust=True).failed and run.name == "../a/b"
    (made,) = (here / "reproduced").iterdir()
    assert (made / "sod" / "3096.png").is_file() and not (here / "a").exists()


def test_weights_below_the_data_root_are_found_where_the_data_are(
    root: Path, network: tuple[str, Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = Path(shutil.move(network[1], root / "w.pth"))
    evaluate(network[0], "sod", weights=weights, data_root=root, device="cpu", name="net", metrics="MAE")
    (run,) = load_runs()
    assert run.provenance.weights == "data-root:w.pth"
    assert not reproduce("reports/runs/net/sod", trust=True).failed
    monkeypatch.setenv("SODBENCH_CACHE", str(here / "cache"))  # of a machine that remembers no data root
    monkeypatch.setenv("SODBENCH_DATA", str(root))
    assert not reproduce("reports/runs/net/sod", trust=True).failed


def test_a_record_of_before_origins_were_recorded_is_predicted_again(
    root: Path, network: tuple[str, Path], here: Path, maps: Path
) -> None:
    evaluate(network[0], "sod", weights=network[1], data_root=root, device="cpu", name="net", metrics="MAE")
    score_maps(maps, "sod", data_root=root, metrics="MAE")
    for name in ("net", "Mine"):
        path = here / "reports" / "runs" / name / "sod" / "run.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        del content["provenance"]["origin"]
        path.write_text(json.dumps(content), encoding="utf-8")
    assert {run.name: run.provenance.origin for run in load_runs()} == {"net": "baseline", "Mine": "maps"}
    shutil.rmtree(here / "maps" / "net")
    assert not reproduce("reports/runs/net/sod", trust=True).failed
    assert not reproduce("reports/runs/Mine/sod", trust=True).failed


def test_other_weights_of_a_network_that_brings_its_own_are_noted(root: Path, here: Path) -> None:
    text = """
from torch import nn

def create():
    network = nn.Conv2d(3, 1, 1)
    for p in network.parameters():
        nn.init.constant_(p, 0.5)
    return network
"""
    Path("own.py").write_text(text, encoding="utf-8")
    evaluate("own.py:create", "sod", data_root=root, device="cpu", name="own", metrics="MAE")
    assert not [n for n in reproduce("reports/runs/own/sod", trust=True).notes if "weights" in n]
    Path("own.py").write_text(text.replace("0.5", "0.25"), encoding="utf-8")
    notes = reproduce("reports/runs/own/sod", trust=True).notes
    assert [n for n in notes if n.startswith("the weights differ")]


def test_weights_are_found_by_their_digest(root: Path, network: tuple[str, Path], here: Path) -> None:
    evaluate(network[0], "sod", weights=network[1], data_root=root, device="cpu", name="net")
    record = here / "reports" / "runs" / "net" / "sod"
    elsewhere = here / "w.pth"
    network[1].rename(elsewhere)
    with pytest.raises(InputError, match="no such weights file; name the run's weights"):
        reproduce(record, data_root=root, trust=True)
    assert not reproduce(record, data_root=root, weights=elsewhere, trust=True).failed
    elsewhere.write_bytes(elsewhere.read_bytes() + b" ")
    with pytest.raises(InputError, match="name the right file with --weights"):
        reproduce(record, data_root=root, weights=elsewhere, trust=True)


def test_undefined_scores_agree_with_undefined_scores(root: Path, here: Path, maps: Path) -> None:
    empty = np.zeros((40, 48), np.uint8)
    for path in (root / "SOD" / "GT").iterdir():
        Image.fromarray(empty).save(path)
    score_maps(maps, "sod", data_root=root, protocols="sodsurvey", name="net")
    text = json.loads((here / "reports" / "runs" / "net" / "sod" / "run.json").read_text())
    scores = text["protocols"]["sodsurvey"]["scores"]
    assert None in scores.values()
    result = reproduce(here / "reports" / "runs" / "net" / "sod", data_root=root, trust=True)
    assert not result.failed


def test_a_picture_without_a_mask_is_refused_on_every_road(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    dataset = open_dataset("sod", root)
    first, *others = dataset.samples
    dataset = replace(dataset, samples=(replace(first, mask=None), *others))
    with pytest.raises(InputError, match="1 of 3 images have no mask: 3096"):
        evaluate(network[0], dataset, weights=network[1], data_root=root, device="cpu")
    with pytest.raises(InputError, match="1 of 3 images have no mask: 3096"):
        score_maps(root / "SOD" / "GT", dataset)
    assert not (here / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["nowhere"], {"dataset": "sod"}, "nowhere: expected a folder of saliency maps, there is none"),
        (["mynet.py"], {"dataset": "sod"}, "mynet.py: expected a folder of saliency maps, it is a file"),
        (["."], {}, "nothing to score against: name a data set"),
        (["."], {"dataset": "sod", "workers": 0}, "scoring workers is 0, expected 1 or more"),
    ],
)
def test_bad_input_is_one_line(
    root: Path,
    network: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    options: dict[str, object],
    message: str,
) -> None:
    monkeypatch.chdir(root.parent)
    with pytest.raises(InputError) as error:
        score_maps(*arguments, data_root=root, **options)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_small_record_keeps_no_curves_of_images(root: Path, maps: Path, here: Path) -> None:
    job = ["score", str(maps), "--dataset", "sod", "--data-root", str(root), "--name", "small", "--quiet"]
    assert main([*job, "--no-image-curves"]) == 0
    full = score_maps(maps, "sod", data_root=root, name="full")
    large, small = load_runs()
    files = [{path.name for path in (here / "reports/runs" / n / "sod").iterdir()} for n in ("full", "small")]
    assert files[0] - files[1] == {"image_curves.parquet"}
    assert small.values() == large.values() == full.values()
    assert not reproduce(here / "reports/runs/small/sod", trust=True).failed
    assert "small on SOD" in small._repr_html_()


def test_rescoring_keeps_how_the_maps_were_predicted(
    root: Path, network: tuple[str, Path], here: Path
) -> None:
    run = evaluate(network[0], "sod", weights=network[1], data_root=root, device="cpu", batch=2, name="net")
    (recorded,) = load_runs()
    assert run.prediction == recorded.prediction == rescore(recorded, reports="reports").prediction
    assert run.prediction is not None and run.prediction.batch == 2 and run.prediction.weights_sha256
    assert score_maps(root / "SOD" / "GT", "sod", data_root=root, reports=None).prediction is None
