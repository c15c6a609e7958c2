"""Published numbers in a report: folded, linked, and the printed command makes more of them comparable."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from results.stand_in import StandInDataset
from results.stand_in import table as score_table

from sodbench import score_maps
from sodbench.cli.main import main
from sodbench.further_protocols import with_protocols
from sodbench.reporting.comparable_protocols import over_all
from sodbench.reporting.leaderboard import leaderboard
from sodbench.reporting.report_table import report_table
from sodbench.reporting.selection import Selection
from sodbench.results import saving
from sodbench.results.loading import load_runs
from sodbench.results.new_run import new_run
from sodbench.results.run import Run
from sodbench.results.saving import save_run

METRICS = ["MAE", "F"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with all 300 pairs of SOD, 12 x 16 pixels each, and maps of them in `maps/`."""
    root = tmp_path_factory.mktemp("data")
    draw = np.random.default_rng(0)
    for folder in ("SOD/images", "SOD/GT", "maps"):
        (root / folder).mkdir(parents=True)
    for number in range(300):
        mask = np.zeros((12, 16), np.uint8)
        mask[3 : 5 + number % 7, 4 : 9 + number % 5] = 255
        noisy = np.clip(mask * 0.6 + draw.integers(0, 90, mask.shape), 0, 255).astype(np.uint8)
        for folder, pixels in (("SOD/images", np.stack([mask] * 3, -1)), ("SOD/GT", mask), ("maps", noisy)):
            Image.fromarray(pixels).save(root / folder / f"{number:04d}.png")
    return root


@pytest.fixture()
def lab(data: Path, here: Path) -> Path:
    """The working directory, with the record of `DSS` under the default protocol in `reports`."""
    score_maps(data / "maps", "sod", name="DSS", metrics=METRICS, reports="reports", data_root=data)
    return here


def records(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("runs/*/*/*"))}


def test_the_printed_command_runs_and_makes_more_values_comparable(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_runs("reports")[0].values()
    assert main(["report", "--published", "--figures", "--gallery", "0"]) == 0
    printed = capsys.readouterr().err
    match = re.search(
        r"(\d+) more published values are comparable under basnet2019 .*: (sodbench .*)", printed
    )
    assert match, printed
    command = match[2]
    expected = "sodbench report --protocols basnet2019 --published --rescore --figures --gallery 0"
    assert command == expected
    assert f"`{command}`" in Path("reports/leaderboard.md").read_text()
    assert "DSS+" not in Path("reports/leaderboard.md").read_text()

    assert main([*shlex.split(command)[1:], "--quiet"]) == 0
    assert "note: scored again under basnet2019: DSS on SOD" in capsys.readouterr().err
    text = Path("reports/leaderboard.md").read_text()
    assert "DSS+" in text and "basnet2019 --published --rescore" not in text
    board = leaderboard("reports", protocols=["basnet2019"], published=True)
    values = board.loc[board["kind"] == "published", ["MAE@basnet2019", "maxF@basnet2019"]]
    assert values.notna().sum().sum() == int(match[1])
    (run,) = load_runs("reports")
    assert list(run.tables) == ["pysodmetrics", "basnet2019"]
    after = run.values()
    assert {name: after[name] for name in before} == before  # to the bit
    assert {"MAE@basnet2019", "maxF@basnet2019"} < after.keys() and "relaxF@basnet2019" not in after
    assert main(["audit", "--quiet"]) == 0
    # what is there already is not scored again
    held = records(lab)
    assert main([*shlex.split(command)[1:], "--quiet"]) == 0
    assert "scored again" not in capsys.readouterr().err and records(lab) == held


def test_runs_without_their_maps_stay_as_they_are_and_are_named(
    lab: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("gone", "changed"):
        folder = tmp_path / name
        folder.mkdir()
        for path in (data / "maps").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        score_maps(folder, "sod", name=name, metrics=METRICS, reports="reports", data_root=data)
    (tmp_path / "gone/0007.png").unlink()
    Image.fromarray(np.zeros((12, 16), np.uint8)).save(tmp_path / "changed/0008.png")
    (run,) = (run for run in load_runs("reports") if run.name == "DSS")
    unkept = replace(run.provenance, origin="baseline", baseline="unet", maps=None, maps_sha256=None)
    save_run("reports", replace(run, name="unkept", provenance=unkept))
    others = {path: content for path, content in records(lab).items() if "/DSS/" not in path}

    assert main(["report", "--protocols", "raw", "--rescore", "--figures", "--quiet"]) == 0
    lines = capsys.readouterr().err.splitlines()
    notes = {line.partition(": note: ")[2] for line in lines}
    assert notes == {
        "scored again under raw: DSS on SOD",
        "not scored again: changed on SOD: maps differ from those that were scored; score them under another"
        " name: sodbench score DIR --dataset sod --name NAME --protocols pysodmetrics raw",
        "not scored again: gone on SOD: maps missing; score them: sodbench score DIR --dataset sod --name"
        " gone --protocols pysodmetrics raw",
        "not scored again: unkept on SOD: maps not kept; predict them again: sodbench run unet --datasets sod"
        " --name unkept --protocols pysodmetrics raw",
    }
    assert {path: content for path, content in records(lab).items() if "/DSS/" not in path} == others
    assert main(["report", "--protocols", "salod", "--rescore", "--methods", "gone", "unkept"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "maps missing" in error and "maps not kept" in error


@pytest.mark.parametrize("adhoc", [False, True])
def test_the_command_for_missing_maps_reads_them_as_the_record_says(
    data: Path, here: Path, adhoc: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "maps").mkdir()
    for path in sorted((data / "maps").iterdir())[:4]:
        Image.open(path).resize((8, 6)).save(here / f"maps/{path.stem}_sal.png")
    kind = {"masks": data / "SOD/GT", "images": data / "SOD/images"} if adhoc else {}
    how = {"pattern": "{name}_sal.png", "resize": "bilinear", "data_root": data, **kind}
    score_maps("maps", "mine" if adhoc else "sod", name="my net", metrics=METRICS, allow_missing=True, **how)
    (then,) = load_runs("reports")
    (here / "maps").rename(here / "moved")

    assert main(["report", "--protocols", "raw", "--rescore", "--data-root", str(data), "--quiet"]) == 2
    command = re.search(r"maps missing; score them: sodbench (score DIR .*)", capsys.readouterr().err)
    assert command
    words = [word.replace("DIR", "moved") for word in shlex.split(command[1])]
    assert main([*words, "--quiet"]) == 0
    (now,) = load_runs("reports")
    assert list(now.tables) == ["pysodmetrics", "raw"] and then.values().items() <= now.values().items()
    kept = ("map_pattern", "map_resize", "maps_sha256", "masks", "images")
    assert all(getattr(then.provenance, name) == getattr(now.provenance, name) for name in kept)


def test_a_record_is_replaced_whole_or_not_at_all(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = records(lab)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "write_image_curves", interrupted)
    with pytest.raises(KeyboardInterrupt):
        with_protocols(load_runs("reports"), ["basnet2019"])
    assert records(lab) == before and not list(lab.rglob(".sod*"))


def test_a_score_that_does_not_come_out_again_is_not_replaced(lab: Path) -> None:
    (run,) = load_runs("reports")
    table = run.tables["pysodmetrics"]
    run = replace(run, tables={"pysodmetrics": replace(table, scores={**table.scores, "MAE": 0.5})})
    before = records(lab)
    result = with_protocols([run], ["basnet2019"])
    assert re.fullmatch(
        r"not scored again: DSS on SOD: MAE@pysodmetrics was 0.5 and is 0.\d+ .*", *result.notes
    )
    assert records(lab) == before and list(result.runs[0].tables) == ["pysodmetrics"]


def test_a_protocol_that_no_run_has_is_an_error_that_says_what_to_do(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--protocols", "basnet2019"]) == 2
    assert "only under pysodmetrics; --rescore" in capsys.readouterr().err
    own = lab / "mine.toml"
    own.write_text('based_on = "raw"\nname = "mine"\nf_beta2 = 1.0\n')
    assert main(["report", "--protocols", str(own), "--rescore", "--figures", "--quiet"]) == 0
    assert list(load_runs("reports")[0].tables) == ["pysodmetrics", "mine"]
    # now it is recorded: its file names it in a report, too, as long as it means the same
    assert main(["report", "--protocols", str(own), "--figures", "--quiet"]) == 0
    assert "`mine`" in (lab / "reports/leaderboard.md").read_text()
    own.write_text('based_on = "raw"\nname = "mine"\nf_beta2 = 0.5\n')
    assert main(["report", "--protocols", str(own), "--quiet"]) == 2
    assert "no run is scored under protocol mine with the conventions asked for" in capsys.readouterr().err
    assert main(["report", "--protocols", str(own), "--rescore", "--figures", "--quiet"]) == 2
    assert "the protocol 'mine' of its record differs in f_beta2" in capsys.readouterr().err


def test_a_file_decides_what_the_name_of_a_protocol_means(
    lab: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs were scored under two protocols of one name; the later one must not stand for the other."""
    old, new = lab / "old.toml", lab / "new.toml"
    for path, beta2, name in ((old, 1.0, "A"), (new, 0.5, "B")):
        path.write_text(f'based_on = "raw"\nname = "mine"\nf_beta2 = {beta2}\n')
        score_maps(data / "maps", "sod", name=name, protocols=path, reports="reports", data_root=data)
    for path, shown, other in ((old, "A", "B"), (new, "B", "A")):
        capsys.readouterr()
        assert main(["report", "--protocols", str(path), "--figures", "--quiet"]) == 0
        text = (lab / "reports/leaderboard.md").read_text()
        assert f"| {shown} |" in text and f"| {other} |" not in text
        assert f"{other} on SOD is left out under protocol 'mine', which differs" in capsys.readouterr().err
    assert list(leaderboard("reports", protocols=[new]).reset_index()["method"]) == ["B"]


def made(name: str, reports: Path | None = Path("reports"), dataset: str = "sod") -> Run:
    one = score_table(3)
    expected = {"sod": 300, "hku-is": 4447}[dataset]
    run = new_run(name, StandInDataset(dataset, dataset.upper(), expected), {"pysodmetrics": one})
    return replace(run, scored=expected, reports=reports)


def test_rows_of_methods_without_a_run_and_remarks_are_folded() -> None:
    html = leaderboard([made("PiCANet"), made("mine")], published=True)._repr_html_()
    above, *folds = re.split(r"<details>", html)
    assert len(folds) == 2
    assert "PiCANetR" in above and "CPD" not in above and "not shown" not in above
    assert "CPD" in folds[0] and "PiCANet" not in folds[0] and "EGNet-R" in folds[0]
    # only the columns that hold a value
    assert re.findall(r"title=\"[^\"]*\">(\w+)", folds[0]) == ["MAE", "S", "relaxF"]
    assert "not shown" in folds[1] and "model size as printed" in folds[1]
    assert '<a href="https://arxiv.org/abs/1904.09146">SODsurvey, Table 4</a>' in above
    assert "sodbench report --protocols basnet2019 --published --rescore</code>" in above


def test_commands_are_for_comparable_values_and_hold_no_absolute_path(tmp_path: Path) -> None:
    selection = Selection(metrics=["MAE", "maxF", "S"])
    shown = report_table(
        [made("DSS", tmp_path / "my lab")], selection, published=True, arguments=["--digits", "4"]
    )
    (first, *others) = shown.table.comparable["sod"]
    assert (first.protocol, [one.protocol for one in others]) == ("basnet2019", ["sodsurvey", "sal-eval"])
    assert first.command.endswith(f"--rescore --digits 4 --reports '{tmp_path / 'my lab'}'")
    assert first.portable_command.endswith("--rescore --digits 4 --reports 'my lab'")
    values = [value for one in (first, *others) for value in one.values]
    assert all(value.protocol is not None or value.family is not None for value in values)
    assert len({id(value) for value in values}) == len(values)
    assert over_all(shown.table.comparable)[0].text == first.text
    # only some images scored, or a source that does not count them: no protocol helps
    part = replace(made("DSS"), scored=120)
    assert not report_table([part], selection, published=True, arguments=[]).table.comparable
    unsure = report_table(
        [made("BASNet", dataset="hku-is")], selection, published=["basnet2019"], arguments=[]
    )
    assert not unsure.table.comparable
    # runs of no folder cannot be scored again by a command
    loose = report_table([made("DSS", None)], selection, published=True, arguments=[])
    assert not loose.table.comparable and loose.table.remarks
