"""`sodbench stress`: one network on corrupted images."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sodbench
from sodbench.cli.main import main
from sodbench.data.corruptions import KINDS, corrupt, moved_mask
from sodbench.data.images import read_image, read_mask
from sodbench.errors import InputError, Note
from sodbench.evaluation import evaluate
from sodbench.models import load_baseline
from sodbench.results.stress_record import load_stress
from sodbench.robustness import Stress

Network = tuple[str, Path]
FOLDER = Path("reports/stress/mynet.create/sod")


def command(root: Path, network: Network, *more: str) -> list[str]:
    spec, weights = network
    words = ["stress", spec, "--weights", str(weights), "--data-root", str(root), "--device", "cpu"]
    return [*words, "--quiet", "--datasets", "sod", *more]


def stressed(root: Path, network: Network, **options: object) -> Stress:
    (result,) = sodbench.stress(
        network[0], "sod", weights=network[1], data_root=root, device="cpu", **options
    )  # type: ignore[arg-type]
    return result


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["gaussian-noise", "elastic", "jpeg"])
def test_scores_are_those_of_a_run_on_corrupted_files(
    root: Path, network: Network, here: Path, kind: str
) -> None:
    record = stressed(root, network, kinds=kind, severities=4, reports=None).record
    loaded = load_baseline(network[0]).load(network[1])
    clean = evaluate(loaded, "sod", data_root=root, reports=None, device="cpu")
    assert record.clean == clean.values()
    images, masks = root / "SOD" / "images", root / "SOD" / "GT"
    for path in sorted(images.iterdir()):
        made, mask = corrupt(read_image(path), kind, 4, path.stem), read_mask(masks / f"{path.stem}.png")
        Image.fromarray(moved_mask(mask, kind, 4, path.stem)).save(masks / f"{path.stem}.png")
        path.unlink()
        Image.fromarray(made).save(path.with_suffix(".png"))
    corrupted = evaluate(loaded, "sod", data_root=root, reports=None, device="cpu")
    (cell,) = record.cells
    assert cell.scores == corrupted.values()
    (fall,) = record.falls("S@pysodmetrics").values()
    assert fall == clean.values()["S@pysodmetrics"] - corrupted.values()["S@pysodmetrics"]
    (rise,) = record.falls("MAE@pysodmetrics").values()
    assert rise == corrupted.values()["MAE@pysodmetrics"] - clean.values()["MAE@pysodmetrics"]


def test_a_squeezed_image_is_scored_at_its_own_size(root: Path, network: Network, here: Path) -> None:
    result = stressed(root, network, kinds="aspect", severities=[5], reports=None)
    (cell,) = result.record.cells
    assert cell.kind == "aspect" and len(result.examples) == 3
    for one in result.examples:
        assert one.corrupted.shape == (40, 12, 3)
        assert one.mask.shape == one.saliency_map.shape == one.clean_map.shape == (40, 48)


def test_the_command_prints_a_table_and_writes_record_figure_and_sheet(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(root)
    assert main(command(root, network, "--kinds", "noise", "jpeg", "--severities", "5", "1")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sod (3 of 300 images), protocol pysodmetrics: fall of S")
    assert lines[1].split() == ["kind", "sev.", "1", "sev.", "5", "mean", "S↑", "MAE↓", "maxF↑", "wF↑"]
    record = load_stress(Path("reports"), "mynet.create", "sod")
    assert record is not None and len(record.cells) == 10 and record.severities == [1, 5]
    rows = {line.split()[0]: line.split()[1:] for line in lines[2:]}
    falls = record.falls("S@pysodmetrics")
    printed = rows["speckle-noise"]
    assert printed[:2] == [f"{falls['speckle-noise', severity]:.3f}" for severity in (1, 5)]
    assert printed[2] == f"{(falls['speckle-noise', 1] + falls['speckle-noise', 5]) / 2:.3f}"
    assert rows["all"][-4:] == [
        f"{record.mean_fall(f'{metric}@pysodmetrics'):.3f}" for metric in ("S", "MAE", "maxF", "wF")
    ]
    worst = max(falls, key=lambda place: falls[place])
    assert any(f"largest fall: {worst[0]} at severity {worst[1]}" in line for line in lines)
    assert sorted(path.name for path in FOLDER.iterdir()) == [
        "falls.pdf",
        "falls.png",
        "falls.svg",
        "stress.json",
        "worst.png",
    ]
    with Image.open(FOLDER / "worst.png") as sheet:
        assert sheet.width == 880
    provenance = record.provenance
    assert provenance.baseline is not None and provenance.baseline.endswith("mynet.py:create")
    assert provenance.data_folder == "data-root:SOD" and provenance.versions["pillow"]
    assert files(root) == before  # no file of the data set is touched
    assert not Path("maps").exists()


def test_cells_that_agree_are_used_again(
    root: Path, network: Network, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stressed(root, network, kinds="fog", severities=[1, 2]).record
    with pytest.warns(Note, match=r"sod: 2 of 4 cells are taken from the record of mynet.create"):
        result = stressed(root, network, kinds=["fog", "snow"], severities=[1, 2], progress=True)
    assert result.reused == 2 and result.record.clean == first.clean
    assert [cell for cell in result.record.cells if cell.kind == "fog"] == list(first.cells)
    whole = stressed(root, network, kinds=["fog", "snow"], severities=[1, 2], reports="elsewhere").record
    assert whole.cells == result.record.cells
    # what is all recorded is not predicted but for the sheet, and the record keeps what was not asked for
    monkeypatch.setattr("sodbench.robustness.predicting.StressPredictor.measure", None)
    again = stressed(root, network, kinds="snow", severities=2)
    assert again.reused == 1 and [cell.kind for cell in again.record.cells] == ["snow"]
    kept = load_stress(Path("reports"), "mynet.create", "sod")
    assert kept is not None and len(kept.cells) == 4


def test_a_record_of_other_images_is_not_lost(root: Path, network: Network, here: Path) -> None:
    stressed(root, network, kinds="fog", severities=1)
    before = files(Path("reports"))
    with pytest.raises(
        InputError, match=r"other images and masks \(3 images there, 2 here\); --replace replaces it"
    ):
        stressed(root, network, kinds="fog", severities=1, limit=2)
    with pytest.raises(InputError, match=r"other metrics pysodmetrics \("):
        stressed(root, network, kinds="fog", severities=1, metrics=["MAE"])
    with Path(network[0].partition(":")[0]).open("a", encoding="utf-8") as source:
        source.write("# changed\n")
    with pytest.raises(InputError, match=r"with other network \(3 images there, 3 here\)"):
        stressed(root, network, kinds="fog", severities=2)
    assert files(Path("reports")) == before
    record = stressed(root, network, kinds="fog", severities=1, limit=2, replace=True).record
    assert record.images == 2 and load_stress(Path("reports"), "mynet.create", "sod") == record


def test_several_methods_stand_in_one_table(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--kinds", "brightness", "--severities", "1", "3", "--metrics", "MAE")
    other = Path(network[0].partition(":")[0]).with_name("other.py")
    shutil.copy(network[0].partition(":")[0], other)
    assert main(command(root, network, *more)) == 0
    assert main(command(root, (f"{other}:create", network[1]), *more)) == 0
    capsys.readouterr()
    names = ["mynet.create", "other.create"]
    assert main(["stress", *names, "--datasets", "sod", "--show", "--metrics", "MAE"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert "rise of MAE↓" in lines[0]
    assert lines[1].split() == names
    (row,) = (line.split()[1:] for line in lines if line.strip().startswith("brightness"))
    assert row[:3] == row[3:]  # the same network
    assert Path("reports/stress/sod.png").is_file()
    assert main(["stress", *names, "--datasets", "sod", "--show", "--json"]) == 0
    (one, two) = json.loads(capsys.readouterr().out)["stress"]
    assert one["name"] == names[0] and one["cells"] == two["cells"]
    stressed(root, network, kinds="fog", severities=1, metrics=["MAE"])  # which the other lacks
    assert main(["stress", *names, "--datasets", "sod", "--show", "--metrics", "MAE"]) == 0
    shown = capsys.readouterr()
    assert shown.out == out and "note: sod: 2 cells are recorded for all; others are left out" in shown.err
    stressed(root, network, kinds="brightness", severities=1, metrics=["MAE"], limit=1, replace=True)
    assert main(["stress", *names, "--datasets", "sod", "--show"]) == 2
    assert "different images (1 and 3 of them)" in capsys.readouterr().err
    assert main(["stress", *names, "--datasets", "sod", "--weights", "x.pth"]) == 2
    assert "--weights: one file, found 2 baselines" in capsys.readouterr().err


def test_show_needs_a_record(root: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "basnet-tiny", "--datasets", "sod", "--show"]) == 2
    assert (
        "no stress record; make it with: sodbench stress basnet-tiny --datasets sod"
        in capsys.readouterr().err
    )


def test_a_damaged_image_is_one_line_and_leaves_nothing(
    root: Path, network: Network, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = root / "SOD" / "images" / "8143.jpg"
    path.write_bytes(path.read_bytes()[:400])
    assert main(command(root, network, "--kinds", "fog")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sodbench: error: ") and "8143.jpg" in line
    assert not Path("reports").exists()


def test_an_interruption_leaves_nothing(
    root: Path, network: Network, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def interrupted(image: np.ndarray, *place: object) -> np.ndarray:
        done.append(place)
        if len(done) > 4:
            raise KeyboardInterrupt
        return image

    monkeypatch.setattr("sodbench.data.corruptions.corrupt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stressed(root, network)
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("cells", 0, "severity"), 6, "cells[0].severity: expected 1 to 5, found 6"),
        (("cells", 0, "kind"), "hail", "cells[0].kind: expected a kind of corruption"),
        (("clean",), 3, "clean: expected a table"),
        (("schema",), 2, "later version"),
    ],
)
def test_a_record_is_checked_when_it_is_read(
    root: Path, network: Network, here: Path, place: tuple[str | int, ...], value: object, says: str
) -> None:
    stressed(root, network, kinds="fog", severities=1)
    path = FOLDER / "stress.json"
    content = json.loads(path.read_text())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(InputError) as error:
        stressed(root, network, kinds="fog", severities=1)
    assert str(path) in str(error.value) and says in str(error.value)
    assert stressed(root, network, kinds="fog", severities=1, replace=True).reused == 0


def test_a_network_without_salient_regions_is_refused(root: Path, here: Path, tmp_path: Path) -> None:
    file = tmp_path / "flat.py"
    file.write_text(FLAT)
    with pytest.raises(InputError, match=r"all 3 maps of the clean images of sod are constant"):
        sodbench.stress(f"{file}:create", "sod", data_root=root, kinds="fog", severities=1, device="cpu")
    assert not Path("reports").exists()


FLAT = """
import torch


class Flat(torch.nn.Module):
    def forward(self, x):
        return 0.5 + 0 * x.mean(1, keepdim=True)


def create():
    return Flat()


create.baseline = {
    "input": {"height": 32, "width": 32}, "output": {"kind": "probability", "stretch": False}
}
"""


def test_the_documentation_names_every_kind() -> None:
    page = (Path(__file__).parents[1] / "docs" / "stress.md").read_text()
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert rows >= set(KINDS)
