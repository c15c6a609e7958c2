"""A record that was changed after it was written: every planted edit is found, and untouched ones pass."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sodbench.cli.main import main
from sodbench.evaluation import score_maps
from sodbench.files import sha256_of
from sodbench.metrics.protocol import protocol_names
from sodbench.results.run_files import load_runs, read_records

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with masks, maps of 'good' and 'bad', and the records of both under two protocols."""
    folder = tmp_path_factory.mktemp("made")
    random = np.random.default_rng(3)
    for name in ("masks", "good", "bad"):
        (folder / name).mkdir()
    for number in range(5):
        mask = np.zeros((24, 30), np.uint8)
        if number:  # one mask is empty: some scores of some protocols are undefined
            mask[4 : 9 + number, 6:20] = 255
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
        for name, noise in (("good", 60), ("bad", 200)):
            grey = np.clip(mask * 0.7 + random.integers(0, noise, mask.shape), 0, 255).astype(np.uint8)
            Image.fromarray(grey).save(folder / name / f"{number}.png")
    for name in ("good", "bad"):
        score_maps(
            folder / name,
            "mine",
            masks=folder / "masks",
            name=name,
            protocols=["pysodmetrics", "basnet2019"],
            reports=folder / "reports",
        )
    return folder


@pytest.fixture()
def reports(made: Path, tmp_path: Path) -> Path:
    """A copy of the records, next to the maps and masks."""
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "reports"


def change(record: Path, edit: Callable[[dict[str, Any]], object], signed: bool = True) -> None:
    """Edits run.json; `signed`: with the sizes and digests of the other files as they are now."""
    content = json.loads((record / "run.json").read_text())
    edit(content)
    if signed:
        for name in content["files"]:
            part = record / name
            content["files"][name] = {"bytes": part.stat().st_size, "sha256": sha256_of(part)}
    (record / "run.json").write_text(json.dumps(content))


def better_mae(content: dict[str, Any]) -> None:
    content["protocols"]["pysodmetrics"]["scores"]["MAE"] -= 1e-4


def raise_max_f(content: dict[str, Any]) -> None:
    content["protocols"]["basnet2019"]["scores"]["maxF"] += 1e-9


def edit_table(record: Path, name: str = "scores.parquet") -> None:
    """Better scores in a table, written as the record writes it."""
    frame = pd.read_parquet(record / name)
    column = "MAE@pysodmetrics" if name == "scores.parquet" else "F"
    frame[column] = frame[column] / 2
    frame.to_parquet(record / name, compression="zstd", index=name == "scores.parquet")


def flip(record: Path) -> None:
    """Another byte in the middle of the scores; the size stays."""
    part = record / "scores.parquet"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(bytes(content))


def table_and_size(record: Path) -> None:
    edit_table(record)

    def sizes(content: dict[str, Any]) -> None:
        content["files"]["scores.parquet"]["bytes"] = (record / "scores.parquet").stat().st_size

    change(record, sizes, signed=False)


def table_and_digest(record: Path) -> None:
    edit_table(record)
    change(record, lambda content: None)


def curves_and_digest(record: Path) -> None:
    edit_table(record, "curves.parquet")
    change(record, lambda content: None)


def fewer_rows(record: Path) -> None:
    pd.read_parquet(record / "scores.parquet").iloc[1:].to_parquet(record / "scores.parquet")
    change(record, lambda content: None)


def other_images(record: Path) -> None:
    frame = pd.read_parquet(record / "scores.parquet").rename(index={"0": "other"})
    frame.to_parquet(record / "scores.parquet")
    change(record, lambda content: None)


def an_unlisted_file(record: Path) -> None:
    change(record, lambda content: content["files"].pop("image_curves.parquet"))


def protocol_field(content: dict[str, Any]) -> None:
    content["protocols"]["basnet2019"]["fields"]["mae_scale"] = "255"


def protocol_name(content: dict[str, Any]) -> None:
    protocols = content["protocols"]
    protocols["pysodmetrics"], protocols["basnet2019"] = protocols["basnet2019"], protocols["pysodmetrics"]


EDITS = {
    "score": (lambda record: change(record, better_mae), "MAE@pysodmetrics is"),
    "score by 1e-9": (lambda record: change(record, raise_max_f), "maxF@basnet2019 is"),
    "score to null": (
        lambda record: change(record, lambda c: c["protocols"]["pysodmetrics"]["scores"].update(MAE=None)),
        "MAE@pysodmetrics is undefined",
    ),
    "bytes": (flip, "scores.parquet"),
    "table and size": (table_and_size, "scores.parquet was changed"),
    "table and digest": (table_and_digest, "MAE@pysodmetrics is"),
    "curves and digest": (curves_and_digest, "maxF@pysodmetrics is"),
    "rows": (fewer_rows, "5 images, the table of images 4"),
    "names": (other_images, "names of the images"),
    "unlisted file": (an_unlisted_file, "image_curves.parquet is not among"),
    "count": (lambda record: change(record, lambda c: c.update(scored=6, expected=6)), "6 images, the table"),
    "protocol field": (lambda record: change(record, protocol_field), "'basnet2019'.*mae_scale"),
    "protocol version": (
        lambda record: change(record, lambda c: c["protocols"]["basnet2019"]["fields"].update(version=3)),
        "'basnet2019'.*version",
    ),
    "protocol name": (lambda record: change(record, protocol_name), "'pysodmetrics'.*named 'basnet2019'"),
    "unknown score": (
        lambda record: change(record, lambda c: c["protocols"]["basnet2019"]["scores"].update(HCE=1.0)),
        "HCE@basnet2019",
    ),
    "data set": (lambda record: change(record, lambda c: c.update(dataset="sod")), "'sod'"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edited_record_is_left_out_and_named(
    reports: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, message = EDITS[kind]
    record = reports / "runs" / "good" / "mine"
    edit(record)
    if kind == "data set":
        shutil.copytree(record, reports / "runs" / "good" / "sod")
        shutil.rmtree(record)
    records = read_records(reports)
    assert [run.name for run in records.runs] == ["bad"]
    (problem,) = records.problems
    assert "good" in problem and pytest.importorskip("re").search(message, problem), problem
    with pytest.warns(UserWarning, match="good"):
        assert len(load_runs(reports)) == 1
    capsys.readouterr()
    options = ["--reports", str(reports), "--figures", "--protocols", "pysodmetrics", "basnet2019"]
    assert main(["report", *options]) == 0
    captured = capsys.readouterr()
    assert "good" in captured.err and "| good |" not in (reports / "leaderboard.md").read_text()


def test_check_leaves_an_edited_record_out_and_fails(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["check", "--reports", str(reports), "--against", str(tmp_path / "r.json")]
    assert main([*options, "--update"]) == 0
    assert main(options) == 0
    change(reports / "runs" / "good" / "mine", better_mae)
    capsys.readouterr()
    assert main(options) == 1
    captured = capsys.readouterr()
    assert "MAE@pysodmetrics is" in captured.err and "entry missing" in captured.out


def test_untouched_records_pass(made: Path) -> None:
    assert not read_records(made / "reports").problems
    assert not read_records(CHECKOUT / "reports").problems
    assert len(read_records(CHECKOUT / "reports").runs) == 3


def test_records_under_every_protocol_and_metric_pass(made: Path, tmp_path: Path) -> None:
    run = score_maps(
        made / "good",
        "mine",
        masks=made / "masks",
        name="all",
        protocols=protocol_names(),
        reports=tmp_path,
        image_curves=False,
    )
    further = replace(run, name="further")
    assert further.scored == 5
    score_maps(
        made / "good",
        "mine",
        masks=made / "masks",
        name="further",
        protocols="raw",
        metrics=["BER", "IoU", "bIoU", "SI"],
        reports=tmp_path,
    )
    assert read_records(tmp_path).problems == [] and len(load_runs(tmp_path)) == 2


def test_undefined_scores_pass(made: Path, tmp_path: Path) -> None:
    for name in ("maps", "masks"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / name / "a.png")
    own = tmp_path / "strict.toml"
    own.write_text('based_on = "pysodmetrics"\nf_left_out = ["empty-mask"]\n')
    run = score_maps(
        tmp_path / "maps", "e", masks=tmp_path / "masks", protocols=[str(own)], reports=tmp_path / "reports"
    )
    assert np.isnan(run.tables["strict"].scores["maxF"])
    assert not read_records(tmp_path / "reports").problems
