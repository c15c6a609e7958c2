"""A record that was changed after it was written: every planted edit is found, and untouched ones pass."""

import json
import re
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
from sodbench.files import sha256_of
from sodbench.map_scoring import score_maps
from sodbench.metrics.protocol import protocol_names
from sodbench.record_audit import audit
from sodbench.results.loading import load_runs, read_records

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


def rewrite_curves(record: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    edit(pd.read_parquet(record / "image_curves.parquet")).to_parquet(record / "image_curves.parquet")
    change(record, lambda content: None)


def text_for_numbers(record: Path) -> None:
    frame = pd.read_parquet(record / "scores.parquet")
    frame["MAE@pysodmetrics"] = "x"
    frame.to_parquet(record / "scores.parquet")
    change(record, lambda content: None)


def an_image_twice(record: Path) -> None:
    frame = pd.read_parquet(record / "scores.parquet").rename(index={"4": "3"})
    frame.to_parquet(record / "scores.parquet")
    change(record, lambda content: content["provenance"].update(images_sha256=None))


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
    "text": (text_for_numbers, "no number"),
    "image twice": (an_image_twice, "twice"),
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
    assert "good" in problem and re.search(message, problem), problem
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
    assert len(read_records(CHECKOUT / "reports").runs) == 6


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


def all_in_step(record: Path) -> None:
    """Better scores of the images, of the data set and the digests to fit: the record agrees with itself."""
    from sodbench.results.integrity import derived_scores
    from sodbench.results.loading import read_run

    frame = pd.read_parquet(record / "scores.parquet")
    for column in ("MAE@pysodmetrics", "MAE@basnet2019"):
        frame.loc["2", column] /= 2
    frame.to_parquet(record / "scores.parquet", compression="zstd")
    change(record, lambda content: None)
    run = read_run(record)
    derived = {name: derived_scores(table) for name, table in run.tables.items()}
    change(record, lambda content: [content["protocols"][p]["scores"].update(derived[p]) for p in derived])


def curves_in_step(record: Path) -> None:
    """A better mean curve, and the data set's scores to fit; the curves of the images stay."""
    from sodbench.results.integrity import derived_scores
    from sodbench.results.loading import read_run

    frame = pd.read_parquet(record / "curves.parquet")
    frame["E"] += 0.01
    frame.to_parquet(record / "curves.parquet", compression="zstd", index=False)
    change(record, lambda content: None)
    run = read_run(record)
    derived = {name: derived_scores(table) for name, table in run.tables.items()}
    change(record, lambda content: [content["protocols"][p]["scores"].update(derived[p]) for p in derived])


def another_map(record: Path) -> None:
    maps = record.parents[3] / "good"
    shutil.copy(maps / "1.png", maps / "2.png")


def another_mask(record: Path) -> None:
    masks = record.parents[3] / "masks"
    shutil.copy(masks / "1.png", masks / "2.png")


DEEPER = {
    "all in step": (all_in_step, "by its map"),
    "curves in step": (curves_in_step, "by the curves of its images"),
    "short curves": (
        lambda record: rewrite_curves(record, lambda f: f.assign(recall=[r[:-1] for r in f["recall"]])),
        "image_curves.parquet",
    ),
    "uneven curves": (
        lambda record: rewrite_curves(
            record, lambda f: f.assign(recall=[r[: -1 - i] for i, r in enumerate(f["recall"])])
        ),
        "image_curves.parquet",
    ),
    "fewer curves": (lambda record: rewrite_curves(record, lambda f: f.iloc[1:]), "image_curves.parquet"),
    "text for curves": (
        lambda record: rewrite_curves(record, lambda f: f.assign(E="x")),
        "image_curves.parquet",
    ),
    "a map": (another_map, "the maps in .* are not those that were scored"),
    "a mask": (another_mask, "the masks in .* are not those that were scored against"),
}


@pytest.mark.parametrize("kind", [*EDITS, *DEEPER])
def test_audit_finds_every_planted_edit(reports: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit, message = (EDITS | DEEPER)[kind]
    record = reports / "runs" / "good" / "mine"
    edit(record)
    if kind in ("all in step", "curves in step"):  # nothing in the record shows it
        assert not read_records(reports).problems
    if kind == "data set":
        record = record.rename(record.with_name("sod"))
    assert main(["audit", str(reports), "--quiet", "--methods", "good"]) == 1
    (line, summary) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"differs  good/{record.name}: ") and re.search(message, line), line
    assert summary.startswith("0 of 1 records")
    assert main(["audit", str(reports), "--quiet", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["failed"] and {one["name"]: one["ok"] for one in found["runs"]}["good"] is False
    assert re.search(message, " ".join(next(o["differences"] for o in found["runs"] if o["name"] == "good")))


@pytest.mark.parametrize("kind", [kind for kind in DEEPER if "curves" in kind])
def test_curves_that_do_not_fit_stop_no_report_with_a_traceback(reports: Path, kind: str) -> None:
    DEEPER[kind][0](reports / "runs" / "good" / "mine")
    options = ["--reports", str(reports), "--figures", "--intervals", "--methods", "good"]
    assert main(["report", *options]) in (0, 2)
    assert main(["compare", "good", "bad", "--reports", str(reports), "--resamples", "100"]) in (0, 2)


def test_audit_signs_off_what_is_untouched(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(reports), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(re.fullmatch(r"ok +\w+/mine: .* 5 of 5 images scored again", line) for line in lines[:2])
    assert lines[2] == "2 of 2 records are as they were scored; 10 of 10 images were scored again"
    result = audit(reports, methods="bad")
    assert (
        str(result) == f"{lines[0]}\n1 of 1 records are as they were scored; 5 of 5 images were scored again"
    )
    assert not result.failed and "5 of 5" in result._repr_html_()


def test_audit_says_what_could_not_be_scored_again(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (reports.parent / "good" / "3.png").unlink()
    shutil.rmtree(reports.parent / "bad")
    assert main(["audit", str(reports), "--quiet"]) == 0
    bad, good, summary = capsys.readouterr().out.splitlines()
    assert "4 of 5 images scored again (1 maps are missing from" in good
    assert "0 of 5 images scored again (no maps in" in bad
    assert "4 of 10 images" in summary
    shutil.rmtree(reports.parent / "masks")
    assert main(["audit", str(reports), "--quiet"]) == 0
    assert "the data set is not here" in capsys.readouterr().out


def test_audit_compares_counts_with_the_card(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score_maps(root / "SOD" / "GT", "sod", name="x", data_root=root)
    assert main(["audit", "--quiet"]) == 0
    assert "3 of 3 images" in capsys.readouterr().out
    change(here / "reports/runs/x/sod", lambda content: content.update(expected=3))
    assert main(["audit", "--quiet"]) == 1
    assert "expects 3 images, the card of sod 300" in capsys.readouterr().out


def test_audit_of_nothing_is_bad_usage(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(reports / "nowhere")]) == 2
    assert "no runs in" in capsys.readouterr().err
    assert main(["audit", str(reports), "--methods", "god"]) == 2
    assert "did you mean 'good'" in capsys.readouterr().err


def test_audit_names_what_cannot_be_read(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (reports / "runs" / "good" / "mine" / "run.json").write_text("{")
    (reports.parent / "bad" / "1.png").write_bytes(b"no picture")
    change(reports / "runs" / "bad" / "mine", lambda content: content["provenance"].update(maps_sha256=None))
    assert main(["audit", str(reports), "--quiet"]) == 1
    bad, good, _ = capsys.readouterr().out.splitlines()
    assert "not valid JSON" in good and "cannot be scored again" in bad and "1.png" in bad
