"""Eight images of every scoring are scored a second time; a scorer that is off by 1e-5 records nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.metrics import scorer
from sodbench.metrics.kernels import bits, curves, histogram, sums, weighting
from sodbench.metrics.registry import all_families
from sodbench.self_check import draw

EVERY_PROTOCOL = ["pysodmetrics", "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox", "raw"]


@pytest.fixture()
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Ten maps and masks, among them an empty mask and a black map."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    y, x = np.mgrid[:40, :56]
    for index in range(10):
        field = np.sin(x / random.uniform(4, 15)) + np.cos(y / random.uniform(4, 9)) - 0.4
        soft = np.clip(120 + 110 * (field + random.normal(0, 0.3, field.shape)), 0, 255)
        pair = {"maps": soft * (index != 3), "masks": (field > 0.3) * 255 * (index != 5)}
        for folder, values in pair.items():
            path = tmp_path / folder / f"{index}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(path)
    return tmp_path / "maps", tmp_path / "masks"


def score(folders: tuple[Path, Path], **options: Any) -> sb.Run:
    maps, masks = folders
    return sb.score_maps(maps, "own", masks=masks, **options)


def test_what_was_checked_is_recorded(folders: tuple[Path, Path]) -> None:
    score(folders, protocols=EVERY_PROTOCOL)
    (run,) = sb.load_runs()
    check = run.provenance.self_check
    assert check is not None and check.done
    assert len(check.images) == 8 and set(check.images) < {str(index) for index in range(10)}
    assert check.values > 8 * 7 * 256 and 0 <= check.largest_difference < 1e-6
    assert check.against == dict.fromkeys(EVERY_PROTOCOL, "plain transcription")
    # again from the record alone
    seed = f"{run.name}\0{run.dataset}\0{run.provenance.started}"
    assert tuple(draw([str(index) for index in range(10)], seed)) == check.images


def test_draws_differ_and_repeat() -> None:
    names = [str(index) for index in range(1000)]
    assert draw(names, "a") == draw(names, "a") != draw(names, "b")
    assert draw(names[:5], "a") == names[:5]


def test_a_run_without_the_check_says_so(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    maps, masks = folders
    assert main(["score", str(maps), "--masks", str(masks), "--no-self-check", "--quiet"]) == 0
    record = json.loads(Path("reports/runs/maps/masks/run.json").read_text())
    assert record["provenance"]["self_check"]["done"] is False
    assert main(["show", "maps", "1"]) == 0
    assert "off: recorded without" in capsys.readouterr().out
    (run,) = sb.load_runs()
    from sodbench.reporting.provenance_lines import provenance_lines

    assert ("self-check", "off: recorded without") in provenance_lines(run)


def test_a_record_of_before_the_check_is_read(folders: tuple[Path, Path]) -> None:
    score(folders)
    path = next(Path("reports").rglob("run.json"))
    record = json.loads(path.read_text())
    del record["provenance"]["self_check"]
    path.write_text(json.dumps(record))
    (run,) = sb.load_runs()
    assert run.provenance.self_check is None


def test_fewer_images_and_no_curves(folders: tuple[Path, Path]) -> None:
    maps, _ = folders
    for index in range(7):
        (maps / f"{index}.png").unlink()
    run = score(folders, allow_missing=True, image_curves=False)
    assert run.provenance.self_check is not None
    assert run.provenance.self_check.images == ("7", "8", "9")


def test_maps_of_another_size(folders: tuple[Path, Path]) -> None:
    maps, _ = folders
    for path in maps.iterdir():
        Image.open(path).resize((30, 21)).save(path)
    run = score(folders, protocols=["sal-eval", "cod-toolbox"])
    assert run.provenance.self_check is not None and run.provenance.self_check.done


def test_the_package_itself_where_it_is_loaded(folders: tuple[Path, Path]) -> None:
    run = score(folders, metrics=["F", "S", "relaxF", "MSIoU"], protocols=["pysodmetrics", "raw"])
    check = run.provenance.self_check
    assert check is not None
    assert check.against["pysodmetrics"].startswith("plain transcription and pysodmetrics 1.")
    again = score(folders, metrics=["F", "S", "MSIoU"]).provenance.self_check
    assert again is not None and again.against["pysodmetrics"].startswith("pysodmetrics 1.")


# --- a scorer that is wrong --------------------------------------------------------------------------------


def shifted(kernel: Callable[..., Any], by: float = 1e-5) -> Callable[..., Any]:
    """The kernel with its last returned number off by a little."""

    def wrong(*arguments: Any) -> Any:
        result = kernel(*arguments)
        return (*result[:-1], result[-1] + by) if isinstance(result, tuple) else result + by

    return wrong


def filled(kernel: Callable[..., Any], change: Callable[[Any], None]) -> Callable[..., Any]:
    """The kernel with its output array, the last argument, changed."""

    def wrong(*arguments: Any) -> Any:
        result = kernel(*arguments)
        change(arguments[-1])
        return result

    return wrong


def one_more(counts: Any) -> None:
    counts[..., 0] += 1


def a_little_more(values: Any) -> None:
    values[..., 0] += 1e-5


def much_more(values: Any) -> None:
    values *= 1.001


KERNELS: dict[str, tuple[Any, str, Callable[..., Any], str]] = {
    "MAE": (curves, "mean_absolute_error", shifted, "MAE"),
    "adaptive F": (curves, "f_scores", shifted, "F"),
    "curves of F": (curves, "f_scores", lambda kernel: filled(kernel, a_little_more), "F"),
    "adaptive E": (curves, "e_scores", shifted, "E"),
    "curve of E": (curves, "e_scores", lambda kernel: filled(kernel, a_little_more), "E"),
    "S": (curves, "s_measure", shifted, "S"),
    "weighted F": (weighting, "weigh", lambda kernel: filled(kernel, much_more), "wF"),
    "boundaries": (bits, "boundary_counts", lambda kernel: filled(kernel, one_more), "relaxF"),
    "counts": (curves, "counts_above", lambda kernel: filled(kernel, one_more), "IoU"),
    "histogram": (histogram, "read_map", lambda kernel: filled(kernel, one_more), "MAE"),
    "means": (sums, "add_rows", lambda kernel: filled(kernel, a_little_more), "MAE"),
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_wrong_kernel_records_nothing(
    name: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, kernel, change, family = KERNELS[name]
    monkeypatch.setattr(module, kernel, change(getattr(module, kernel)))
    with pytest.raises(InputError, match="self-check failed, nothing is recorded: "):
        score(folders, metrics=[family])
    assert not Path("reports").exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", all_families())
def test_every_number_of_every_family_is_checked(
    name: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each column and each kept curve, one at a time, off by 1e-5 on all images."""
    family = all_families()[name]
    columns, lines = set(), set()
    plain_chosen = scorer.chosen

    def noted(*arguments: Any) -> Any:
        found = family.measure(*arguments)
        columns.update(found[0])
        lines.update(set(found[1]) - set(scorer.DERIVED))
        return found

    def use(measure: Any) -> None:
        (chosen,) = plain_chosen([name], sb.load_protocol("raw"))
        monkeypatch.setattr(scorer, "chosen", lambda *_: (replace(chosen, measure=measure),))

    use(noted)
    score(folders, protocols="raw", reports=None)
    assert columns
    for wrong in [*columns, *lines]:

        def off(*arguments: Any, wrong: str = wrong) -> Any:
            found_columns, found_curves = family.measure(*arguments)
            if wrong in found_columns:
                found_columns[wrong] += 1e-5
            else:
                found_curves[wrong] = found_curves[wrong] + 1e-5
            return found_columns, found_curves

        use(off)
        shown = wrong if wrong in columns else f"{wrong} curve"
        with pytest.raises(InputError, match=f"self-check failed, nothing is recorded: {shown}@raw"):
            score(folders, protocols="raw")
    assert not Path("reports").exists()


def test_the_refusal_is_one_line(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(curves, "s_measure", shifted(curves.s_measure))
    maps, masks = folders
    assert main(["score", str(maps), "--masks", str(masks), "--quiet"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    image = line.removeprefix("sodbench: error: ").partition(":")[0]
    assert (masks / f"{image}.png").is_file()
    assert "S@pysodmetrics is 0." in line and "plain transcription" in line and "--no-self-check" in line
    assert main(["score", str(maps), "--masks", str(masks), "--quiet", "--no-self-check"]) == 0


def test_a_score_undefined_on_one_side_is_a_difference(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "s_measure", lambda *_: float("nan"))
    with pytest.raises(InputError, match="S@pysodmetrics is nan by the scorer"):
        score(folders, metrics=["S"])


def test_large_images_are_not_kept(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sodbench.self_check.KEPT_BYTES", 0)
    check = score(folders).provenance.self_check
    assert check is not None and len(check.images) == 8
