"""What a record may be replaced by: a run that loses nothing of it; anything with `--replace`."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError, Note

Network = tuple[str, Path]
RECORD = Path("reports/runs/x/sod")


@pytest.fixture()
def maps(root: Path, here: Path) -> Path:
    """Maps of SOD: the masks, darker."""
    folder = here / "given"
    folder.mkdir()
    for path in (root / "SOD" / "GT").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 2).save(folder / path.name)
    return folder


def score(maps: Path, root: Path, *more: str) -> int:
    command = ["score", str(maps), "--dataset", "sod", "--name", "x", "--data-root", str(root), "--quiet"]
    return main([*command, *more])


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in RECORD.iterdir()}


def change(path: Path) -> None:
    Image.fromarray(np.asarray(Image.open(path)) // 3).save(path)


def test_other_weights_are_refused_before_a_map_is_written(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = here / "other.pth"
    torch.save({"gain": torch.tensor(5.0)}, other)
    command = ["run", network[0], "--name", "x", "--device", "cpu", "--data-root", str(root), "--quiet"]
    command += ["--datasets", "sod", "--weights"]
    assert main([*command, str(network[1])]) == 0
    before = contents()
    made = {path: path.read_bytes() for path in Path("maps/x/sod").iterdir()}
    capsys.readouterr()
    assert main([*command, str(other)]) == 2
    said = capsys.readouterr().err
    assert "holds a record of maps of other weights (weights: " in said and "was " in said
    assert "--replace" in said and said.count("\n") == 1
    assert contents() == before and {path: path.read_bytes() for path in Path("maps/x/sod").iterdir()} == made
    assert main([*command, str(network[1])]) == 0, "the same cell once more"
    assert main([*command, str(other), "--replace"]) == 0
    assert contents()["run.json"] != before["run.json"]


def test_what_counts_as_the_same_cell(root: Path, network: Network, here: Path) -> None:
    def run(**more: object) -> sb.Run:
        options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu", **more}
        return sb.evaluate(network[0], "sod", **options)

    run(limit=2)
    run(batch=1)  # more images, and another batch size
    with pytest.warns(Note, match="gone with it: where its maps are"):
        run(keep_maps=False)
    run()
    with pytest.raises(InputError, match=r"maps of other settings \(precision: bf16, was fp32\)"):
        run(precision="bf16")
    picture = root / "SOD" / "images" / "3096.jpg"
    Image.fromarray(np.asarray(Image.open(picture))[::-1]).save(picture)
    with pytest.raises(InputError, match=r"maps of other settings \(images: [0-9a-f]{12}"):
        run()
    assert run(replace="same data").scored == 3
    with pytest.raises(InputError, match="3 images, the new one would hold 2"):
        run(limit=2, replace="same data")
    with pytest.raises(InputError, match="replace: expected True, False or 'same data', found 'yes'"):
        run(replace="yes")


def test_other_software_may_repeat_a_run(
    root: Path, network: Network, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodbench.results.environment import versions

    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    sb.evaluate(network[0], "sod", **options)
    installed = versions()
    monkeypatch.setattr("sodbench.cell_key.versions", lambda: {**installed, "torch": "99"})
    monkeypatch.setattr("sodbench.results.new_run.maps_digest", lambda folder, images, pattern: "0" * 64)
    with pytest.warns(Note, match=r"gone with it: its maps, which are others now \(package torch: 99, was "):
        sb.evaluate(network[0], "sod", **options)


def test_other_maps_are_refused(
    maps: Path, root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(maps, root) == score(maps, root) == 0
    copied = here / "copied"
    shutil.copytree(maps, copied)
    assert score(copied, root) == 0, "the same maps from elsewhere"
    before = contents()
    change(maps / "8049.png")
    capsys.readouterr()
    assert score(maps, root) == 2
    assert "holds a record of other maps (maps: " in capsys.readouterr().err
    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    with pytest.raises(InputError, match="a record of maps that were made elsewhere"):
        sb.evaluate(network[0], "sod", **options)
    assert contents() == before and not Path("maps").exists()
    assert score(maps, root, "--replace") == 0


def test_a_part_grows_by_the_same_maps_only(maps: Path, root: Path, here: Path) -> None:
    part = here / "part"
    part.mkdir()
    shutil.copy(maps / "8049.png", part)  # not the first one
    assert score(part, root, "--allow-missing") == 0
    change(maps / "8049.png")
    assert score(maps, root) == 2
    shutil.copy(part / "8049.png", maps)
    assert score(maps, root) == 0
    (maps / "3096.png").rename(here / "3096.png")
    assert score(maps, root, "--allow-missing") == 2, "fewer"
    assert sb.load_runs("reports")[0].scored == 3


def test_as_many_images_but_not_the_same(
    maps: Path, root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (maps / "3096.png").rename(here / "3096.png")
    assert score(maps, root, "--allow-missing") == 0
    (here / "3096.png").rename(maps / "3096.png")
    (maps / "8143.png").unlink()
    capsys.readouterr()
    assert score(maps, root, "--allow-missing") == 2
    assert "2 images, of which the new one would lack 1: 8143" in capsys.readouterr().err


def test_maps_that_changed_are_other_maps_to_rescore(root: Path, network: Network, here: Path) -> None:
    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    run = sb.evaluate(network[0], "sod", protocols=["pysodmetrics", "basnet2019"], **options)
    with pytest.warns(Note, match=r"gone with it: the scores .*@basnet2019"):
        sb.rescore(run, protocols="pysodmetrics", reports="reports")
    change(here / "maps/x/sod/8049.png")
    with pytest.raises(InputError, match=r"a record of other maps \(maps: [0-9a-f]{12}.*--replace"):
        sb.rescore(run, reports="reports")
    assert sb.rescore(run).scored == 3, "without a record nothing is lost"


def test_predicted_maps_scored_as_if_made_elsewhere(root: Path, network: Network, here: Path) -> None:
    """The same files, so the scores stay; how they were made does not, and a note says so."""
    options = {"weights": network[1], "data_root": root, "name": "x", "device": "cpu"}
    sb.evaluate(network[0], "sod", **options)
    with pytest.warns(Note, match="gone with it: the curves of the images, how its maps were predicted"):
        sb.score_maps("maps/x/sod", "sod", name="x", data_root=root, image_curves=False)
    sb.evaluate(network[0], "sod", reports="none", keep_maps=False, **options)
    with pytest.raises(InputError, match="maps that were predicted and not kept"):
        sb.score_maps("maps/x/sod", "sod", name="x", data_root=root, reports="none")


def test_merged_shards_are_compared(maps: Path, root: Path, here: Path) -> None:
    assert score(maps, root) == 0
    change(maps / "8049.png")
    for shard in ("1/2", "2/2"):
        assert score(maps, root, "--shard", shard) == 0
    with pytest.raises(InputError, match="a record of other maps"):
        sb.merge("reports", "reports")
    assert sb.merge("reports", "reports", replace=True)[0].scored == 3
