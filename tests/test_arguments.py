"""Options and arguments: numbers have the same bounds everywhere, objects of another kind are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from results.stand_in import run
from torch import nn

import sodbench as sb
from sodbench.cli.main import main
from sodbench.errors import InputError, first_of, unknown_names
from sodbench.losses import BoundaryAwareLoss, HybridLoss
from sodbench.models.inference import choose_device
from sodbench.models.outputs import Logits
from sodbench.reporting.comparison import compare

MASK = np.zeros((8, 8), np.uint8)
MASK[2:6, 2:6] = 255
HUGE = "9" * 20


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bench net --seconds inf", "--seconds is inf, expected more than 0 and at most a day (86400)"),
        ("bench net --seconds nan", "expected more than 0"),
        (f"bench net --threads {HUGE}", f"--threads is {HUGE}, expected at most 1024"),
        (f"bench net --batch {HUGE}", "expected at most 65536"),
        (f"bench net --size 64 {HUGE}", "expected at most 16384"),
        ("bench net --size 64 big", "--size is 'big', expected a whole number"),
        (f"run net --datasets sod --scoring-workers {HUGE}", "expected at most 1024"),
        ("run net --datasets sod --limit 0", "--limit is 0, expected 1 or more"),
        ("audit --scoring-workers 0", "expected 1 or more"),
        (f"train net --workers {HUGE}", "expected at most 1024"),
        (f"compare a b --resamples {HUGE}", "expected at most 1000000"),
        ("compare a b --seed -1", "--seed is -1, expected 0 or more"),
        ("compare a b --level nan", "expected a level from 0.5 to below 1"),
        ("reproduce . --tolerance -1", "--tolerance is -1.0, expected a finite number, 0 or more"),
        ("reproduce . --tolerance nan", "expected a finite number"),
        ("reproduce . --tolerance inf", "expected a finite number"),
        (f"report --gallery {HUGE}", "expected at most 10000"),
    ],
)
def test_numbers_of_options_are_bounded(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("sodbench: error: --") and message in error


@pytest.mark.parametrize("tolerance", ["inf", "MAE=inf", "nan", "-1"])
def test_tolerances_of_check_are_finite(
    tolerance: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--update", "--tolerances", tolerance]) == 2
    assert f"--tolerances {tolerance!r}: expected" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mps", "meta", "xpu"])
def test_a_device_of_another_type_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"device {name}: not supported; expected cpu, cuda or cuda:N"):
        choose_device(name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: compare(r, None), "runs: expected Run objects.*found NoneType"),
        (lambda r: compare("DSS", "Other"), "runs: expected Run objects.*found str"),
        (lambda r: compare(r, r), "a on sod is given twice"),
        (lambda r: compare(r, r, seed=-1), "seed is -1, expected 0 or more"),
        (lambda r: compare(r, r, resamples=1.5), "resamples is 1.5, expected a whole number"),
        (lambda r: compare(r, r, resamples=10**5000), "resamples is a value of type int.*at most 1000000"),
        (lambda r: sb.leaderboard(["DSS"]), "runs: expected Run objects.*found str"),
        (lambda r: sb.rescore(None), "runs: expected Run objects.*found NoneType"),
        (lambda r: sb.rescore(r, workers=1.5), "workers is 1.5, expected a whole number"),
        (lambda r: sb.open_dataset(None), "data set: expected a name or a DataSet, found NoneType"),
        (lambda r: sb.open_dataset(["sod"]), "data set: expected a name or a DataSet, found list"),
        (lambda r: sb.evaluate_all("basnet-tiny", [5]), "data sets: expected names or DataSet.*found int"),
        (lambda r: sb.evaluate("basnet-tiny", "sod", batch=1.5), "batch is 1.5, expected a whole number"),
        (lambda r: sb.evaluate("basnet-tiny", "sod", limit=True), "limit is True, expected a whole number"),
        (lambda r: sb.evaluate("basnet-tiny", "sod", metrics=[]), "metrics: none is chosen"),
        (lambda r: sb.score_maps("a\0b", "sod"), "'a.x00b': holds a NUL character"),
        (lambda r: sb.reproduce(".", tolerance="x"), "tolerance is 'x', expected a finite number"),
        (lambda r: sb.train(None), "baseline: expected a name, a path or a Baseline, found NoneType"),
        (lambda r: sb.train("basnet-tiny", settings=["batch=1"]), "settings: expected a mapping"),
        (lambda r: sb.Scorer().merge(None), "merge: expected a Scorer, found NoneType"),
        (lambda r: sb.Scorer(metrics=[]), "metrics: none is chosen; name one at least"),
        (lambda r: sb.Scorer(metrics=[["MAE"]]), "metrics: expected names of metrics, found list"),
        (lambda r: sb.Protocol(name="p", families=[]), "families: expected at least one"),
        (lambda r: sb.Protocol(name="p", version=10**5000), "version: expected a whole number of at most 64"),
    ],
)
def test_arguments_of_another_kind_are_input_errors(call, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        call(run("a", "sod", 0, 12))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_numpy_numbers_are_numbers() -> None:
    first, second = run("a", "sod", 0, 12), run("b", "sod", 1, 12)
    found = compare(first, second, resamples=np.int64(200), level=np.float32(0.9), seed=np.uint8(3))
    assert type(found.resamples) is int and found.resamples == 200


@pytest.mark.parametrize("smooth", [float("nan"), -1.0, float("inf"), "x"])
def test_smooth_is_a_finite_number(smooth: object) -> None:
    with pytest.raises(InputError, match=r"smooth is .*expected a finite number, 0 or more"):
        HybridLoss(smooth=smooth)


@pytest.mark.parametrize("loss", [HybridLoss(), BoundaryAwareLoss()])
@pytest.mark.parametrize(
    ("outputs", "target", "message"),
    [
        (torch.zeros(2, 1, 16, 16), torch.zeros(2, 1, 8, 16), "shape"),
        (torch.zeros(0, 1, 16, 16), torch.zeros(0, 1, 16, 16), "none of them 0"),
        (torch.zeros(2, 1, 16, 16, dtype=torch.complex64), torch.zeros(2, 1, 16, 16), "complex"),
        (torch.zeros(2, 1, 16, 16), None, "target: expected a tensor, found NoneType"),
        (None, torch.zeros(2, 1, 16, 16), "outputs: expected tensors, found NoneType"),
    ],
)
def test_losses_refuse_what_has_no_loss(loss: nn.Module, outputs, target, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss(outputs, target)


class _Returns(nn.Module):
    def __init__(self, change) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.change(x[:, :1])


@pytest.mark.parametrize("kind", ["logits", "auto"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:1], "1 maps for 2 images|1 maps"),
        (lambda x: x.to(torch.complex64), "a map that is complex"),
        (lambda x: x.to("meta"), "a map that is a meta tensor"),
        (lambda x: x.to_sparse(), "a map that is a sparse tensor"),
    ],
)
def test_maps_are_plain_and_one_for_each_image(kind: str, change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Logits(_Returns(change), kind)(torch.zeros(2, 3, 32, 32))


def test_a_network_that_ends_the_program_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x): exit(0)\n"
    Path("ends.py").write_text(f"{source}def create(): return Net()\n")
    from PIL import Image

    Image.fromarray(MASK).save("a.png")
    assert main(["predict", "ends.py:create", "--images", "a.png", "--out", "o", "--device", "cpu"]) == 2
    assert "SystemExit" in capsys.readouterr().err


def test_long_names_are_cut_in_messages() -> None:
    assert len(str(unknown_names("key", ["k" * 100_000], ["batch"]))) < 200
    assert len(first_of(["k" * 100_000, "b"])) < 600


def test_bootstrap_of_few_images_needs_little_memory() -> None:
    import tracemalloc

    from sodbench.results.resampling import bootstrap

    def scores(counts: np.ndarray) -> dict[str, np.ndarray]:
        return {"maxF": (counts @ np.ones((counts.shape[1], 256))).max(1)}

    tracemalloc.start()
    bootstrap(scores, 3, resamples=200_000)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_all_masks_empty_is_noted(tmp_path: Path) -> None:
    from PIL import Image

    for folder in ("maps", "masks"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            one = MASK if folder == "maps" else np.zeros_like(MASK)
            Image.fromarray(one).save(tmp_path / folder / f"{name}.png")
    with pytest.warns(UserWarning, match=r"a\.png: an empty mask, without any object; all 2 masks are so"):
        sb.score_maps(tmp_path / "maps", masks=tmp_path / "masks", name="n", reports=None)


@pytest.mark.parametrize(
    ("key", "line"), [("extends", 'extends = "x"'), ("published", '[published]\nof = "x"')]
)
def test_an_unknown_baseline_names_the_file_that_names_it(key: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'title = "O"\nnetwork = "unet"\n{line}\n' if key == "published" else f"{line}\n")
    with pytest.raises(InputError, match=rf"own\.toml: {key}.*unknown baseline 'x'"):
        sb.load_baseline(path)


def test_a_set_of_more_pairs_than_its_card_counts_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    for folder in ("data/OWN/images", "data/OWN/masks", "maps"):
        Path(folder).mkdir(parents=True)
        for name in "abc":
            Image.fromarray(MASK).save(f"{folder}/{name}.png")
    Path("datasets").mkdir()
    Path("datasets/own.toml").write_text(
        f'title = "O"\nlocation = "{tmp_path}/data/OWN"\n[count]\npairs = 1\n[[layouts]]\n'
        'name = "l"\nimages = "images"\nmasks = "masks"\n'
    )
    with pytest.raises(InputError, match=r"own: 3 pairs are in .*, and its card counts 1"):
        sb.score_maps("maps", "own", data_root="data", name="n", reports=None)
