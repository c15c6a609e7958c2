"""The metric of a training loop gives the scores of the same maps in files, with torchmetrics and without."""

import copy
import io
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from sodbench.data.images import write_map
from sodbench.data.preprocessing import finish
from sodbench.errors import InputError
from sodbench.metrics import protocol_names
from sodbench.scoring import score_files

from .forms import MODULE, batch, saliency_metrics


@pytest.fixture(params=["torchmetrics", "plain"])
def metric(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The class in one of its two forms."""
    if request.param == "torchmetrics":
        pytest.importorskip("torchmetrics")
    kept = {name: module for name, module in sys.modules.items() if name.startswith(MODULE)}
    yield saliency_metrics(request.param)
    for name in [name for name in sys.modules if name.startswith(MODULE)]:
        del sys.modules[name]
    sys.modules.update(kept)


def files(folder: Path, maps: Tensor, masks: Tensor, names: list[str], stretch: bool = False) -> Any:
    """The pairs (name, map, mask), written as `sodbench run` writes maps."""
    pairs = []
    for name, probability, mask in zip(names, maps[:, 0], masks[:, 0], strict=True):
        height, width = probability.shape
        write_map(folder / f"{name}.png", finish(probability.numpy(), (height, width), stretch))
        Image.fromarray((mask.numpy() * 255).astype(np.uint8)).save(folder / f"{name}-mask.png")
        pairs.append((name, folder / f"{name}.png", folder / f"{name}-mask.png"))
    return pairs


def computed(metrics: Any) -> dict[str, float]:
    return {name: value.item() for name, value in metrics.compute().items()}


@pytest.mark.parametrize("protocol", protocol_names())
def test_the_scores_are_those_of_the_same_maps_in_files(protocol: str, metric: Any, tmp_path: Path) -> None:
    maps, masks, names = batch(12)
    expected = score_files(files(tmp_path, maps, masks, names), [protocol])[protocol].scores
    metrics = metric(protocol)
    metrics.update(maps[:7], masks[:7], names[:7])
    metrics.update(maps[7:], masks[7:], names[7:])
    assert computed(metrics) == pytest.approx(expected, rel=0, abs=0, nan_ok=True)


def test_stretched_maps_are_those_of_baselines_that_stretch(metric: Any, tmp_path: Path) -> None:
    maps, masks, names = batch(9)
    maps = 0.2 + 0.5 * maps
    plain, stretched = metric("raw", ["MAE"]), metric("raw", ["MAE"], stretch=True)
    for metrics, stretch in ((plain, False), (stretched, True)):
        metrics.update(maps, masks)
        folder = tmp_path / str(stretch)
        folder.mkdir()
        pairs = files(folder, maps, masks, names, stretch)
        assert computed(metrics) == score_files(pairs, ["raw"], ["MAE"])["raw"].scores
    assert computed(plain)["MAE"] > computed(stretched)["MAE"] + 0.05


def test_every_metric_that_ships(metric: Any, tmp_path: Path) -> None:
    from sodbench.metrics.registry import all_families

    every = list(all_families())
    maps, masks, names = batch(3, 33, 65)
    expected = score_files(files(tmp_path, maps, masks, names), ["pysodmetrics"], every)["pysodmetrics"]
    metrics = metric("pysodmetrics", every)
    metrics.update(maps, masks)
    assert computed(metrics) == pytest.approx(expected.scores, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    "masks",
    [
        lambda m: m,
        lambda m: m.bool(),
        lambda m: m.to(torch.uint8),
        lambda m: m.to(torch.uint8) * 255,
        lambda m: m.long(),
        lambda m: m.int() * 255,
        lambda m: m.half(),
        lambda m: m * 255,
        lambda m: m[:, 0],
        lambda m: list(m),
        lambda m: tuple(m[:, 0].bool()),
    ],
)
@pytest.mark.parametrize(
    "maps", [lambda p: p, lambda p: list(p[:, 0]), lambda p: p.double().requires_grad_()]
)
def test_types_and_shapes_of_one_meaning(maps: Any, masks: Any, metric: Any) -> None:
    p, m, _ = batch(6)
    expected, metrics = metric("raw", ["MAE", "F"]), metric("raw", ["MAE", "F"])
    expected.update(p, m)
    metrics.update(maps(p), masks(m))
    assert computed(metrics) == computed(expected)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_taken_as_it_is(kind: torch.dtype, metric: Any) -> None:
    p, m, _ = batch(5)
    half, single = metric("raw", ["MAE"]), metric("raw", ["MAE"])
    half.update(p.to(kind), m)
    single.update(p.to(kind).float(), m)
    assert computed(half) == computed(single)
    single.reset()
    single.update(p, m)
    assert computed(half) != computed(single)


def test_grey_masks_go_by_the_protocols_threshold(metric: Any) -> None:
    p = torch.full((1, 1, 8, 8), 1.0)
    grey = torch.zeros((1, 1, 8, 8), dtype=torch.uint8)
    grey[..., :4, :], grey[0, 0, 0, 0] = 128, 255
    above, at = metric("pysodmetrics", ["MAE"]), metric("raw", ["MAE"])  # > 128 and > 127
    above.update(p, grey)
    at.update(p, grey)
    assert computed(above)["MAE"] == 1 - 1 / 64 and computed(at)["MAE"] == 0.5


def test_pictures_of_several_sizes_in_a_list(metric: Any, tmp_path: Path) -> None:
    metrics = metric()
    pairs, maps, masks = [], [], []
    for seed, size in enumerate(((20, 30), (41, 17), (64, 64))):
        p, m, names = batch(1, *size, seed=seed)
        pairs += files(tmp_path, p, m, names)
        maps.append(p[0, 0])
        masks.append(m[0])
    metrics.update(maps, masks, names=["a", "b", "c"])
    assert computed(metrics) == score_files(pairs)["pysodmetrics"].scores


def test_a_protocol_that_resamples_maps_does_so_here(metric: Any) -> None:
    p, m, _ = batch(2)
    metrics = metric("pysodevaltoolkit", ["MAE"])
    metrics.update(p[..., ::2, ::2], m)
    assert 0 < computed(metrics)["MAE"] < 1


def test_a_name_counts_once(metric: Any) -> None:
    p, m, names = batch(4)
    once, padded = metric(), metric()
    once.update(p, m)
    padded.update(p, m, names)
    padded.update(p[:1], m[:1], names[:1])
    assert computed(padded) == computed(once)
    long = [f"{'x' * 100}{index}" for index in range(4)]
    long_named = metric()
    long_named.update(p, m, long)
    assert computed(long_named) == computed(once)
    padded.update(p[1:2] * 0.5, m[1:2], names[1:2])
    with pytest.raises(InputError, match=r"twice, with different maps: 0-001; call reset\(\) after every"):
        padded.compute()
    once.update(p, m, names)
    once.update(p[:1], m[1:2], names[:1])
    with pytest.raises(InputError, match="twice, with different masks: 0-000; expected one name per image"):
        once.compute()


def test_forward_gives_the_batch_and_adds_it(metric: Any) -> None:
    p, m, _ = batch(8)
    metrics, first, both = metric(), metric(), metric()
    first.update(p[:3], m[:3])
    both.update(p, m)
    assert {name: value.item() for name, value in metrics(p[:3], m[:3]).items()} == computed(first)
    metrics(p[3:], m[3:])
    assert computed(metrics) == computed(both)
    metrics.reset()
    with pytest.raises(InputError, match="nothing to score"):
        metrics.compute()
    metrics.update(p[:3], m[:3])
    assert computed(metrics) == computed(first)


def test_refused_batches_add_nothing(metric: Any) -> None:
    p, m, _ = batch(4)
    metrics = metric()
    metrics.update(p, m)
    before = computed(metrics)
    bad = p.clone()
    bad[3] = 7
    for feed in (metrics.update, metrics):
        with pytest.raises(InputError, match=r"sigmoid\(logits\), or divide"):
            feed(bad, m)
        assert repr(metrics).endswith("images=4)") and computed(metrics) == before
    metrics(p[:1], m[:1])
    assert computed(metrics) != before


def test_copies_have_a_state_of_their_own(metric: Any) -> None:
    p, m, _ = batch(6)
    metrics = metric("basnet2019", ["MAE"], stretch=True, workers=2)
    metrics.update(p[:3], m[:3])
    before = computed(metrics)
    copies = [metrics.clone(), copy.deepcopy(metrics), pickle.loads(pickle.dumps(metrics))]
    metrics.update(p[3:], m[3:])
    for one in copies:
        assert computed(one) == before != computed(metrics)
        one.update(p[3:], m[3:])
        assert computed(one) == computed(metrics)


def test_conversions_of_a_model_leave_the_scores(metric: Any) -> None:
    """A metric is moved and converted with the module that holds it."""
    p, m, _ = batch(6)
    holder = torch.nn.Module()
    holder.metrics = metric()
    holder.metrics.update(p[:3], m[:3])
    holder.to("cpu", torch.bfloat16).half().double().eval().requires_grad_(False)
    holder.metrics.update(p[3:], m[3:])
    whole = metric()
    whole.update(p, m)
    assert computed(holder.metrics) == computed(whole)
    assert all(value.dtype == torch.float64 for value in holder.metrics.compute().values())
    assert list(holder.state_dict()) == []


def test_merging(metric: Any) -> None:
    p, m, names = batch(6)
    one, other, whole = metric(), metric(), metric()
    one.update(p[:2], m[:2], names[:2])
    other.update(p[1:], m[1:], names[1:])
    whole.update(p, m)
    early = computed(one)
    one.merge_state(other)
    assert computed(one) == computed(whole) != early
    again = metric()
    again.merge_state({"images": one.images})
    assert computed(again) == computed(whole)
    for wrong, says in (
        (metric("raw"), "different protocols: pysodmetrics here, raw there"),
        (metric(metrics=["MAE"]), "one protocol with different settings"),
        (metric(stretch=True), "one protocol with different settings"),
        ({"images": _fed(metric("raw"), p, m).images}, "scored under another protocol"),
        ({}, "found dict; expected a SaliencyMetrics"),
        (5, "found int; expected a SaliencyMetrics"),
    ):
        with pytest.raises(InputError, match=says):
            one.merge_state(wrong)
    assert computed(one) == computed(whole)


def _fed(metrics: Any, p: Tensor, m: Tensor) -> Any:
    metrics.update(p, m)
    return metrics


def test_an_empty_batch_adds_nothing(metric: Any) -> None:
    p, m, _ = batch(1)
    metrics = metric()
    metrics.update(p[:0], m[:0], names=[])
    metrics.update([], [])
    assert repr(metrics) == (
        "SaliencyMetrics(protocol='pysodmetrics', metrics=['MAE', 'F', 'E', 'S', 'wF', 'relaxF'], images=0)"
    )


P, M, _ = batch(2, 8, 10)
NAN = torch.where(M > 0, torch.nan, P)
BAD = {
    "logits": (P * 8 - 4, M, r"^x: .*values in -[.\d]+, as of logits; .*pass torch.sigmoid\(logits\)"),
    "levels": (P * 255, M, r"expected 0\.\.1: .*by 255$"),
    "nan": (NAN, M, r"x: probabilities have \d+ NaN"),
    "infinite": (P / 0, M, "NaN or infinite"),
    "whole numbers": ((P * 255).to(torch.uint8), M, "x: probabilities of type uint8; .*divide a 0..255 map"),
    "bool": (P > 0.5, M, "probabilities of type bool"),
    "complex": (P.to(torch.complex64), M, "probabilities: a complex tensor"),
    "channels": (P.repeat(1, 3, 1, 1), M, r"probabilities: tensor of shape 2 x 3 x 8 x 10; .*\[:, :1\]"),
    "one picture": (P[0, 0], M, r"shape 8 x 10; expected N x 1 x H x W or N x H x W: .*with \[None\]"),
    "five dimensions": (P[None], M, "shape 1 x 2 x 1 x 8 x 10; expected N x 1 x H x W"),
    "a number": (torch.tensor(0.5), M, "shape one number"),
    "no pixels": (P[..., :0], M[..., :0], "x: probabilities without pixels"),
    "array": (P.numpy(), M, "probabilities of type ndarray; expected a tensor"),
    "nothing": (None, M, "probabilities of type NoneType"),
    "list of numbers": ([0.5, 0.5], M, r"probabilities\[0\] of type float"),
    "list of colour": (list(P.repeat(1, 3, 1, 1)), M, r"probabilities\[0\]: tensor of shape 3 x 8 x 10"),
    "other size": (P[..., 1:], M, r"x: map is 8 x 9, mask is 8 x 10 .*torch.nn.functional.interpolate"),
    "turned masks": (P, M.mT, "x: map is 8 x 10, mask is 10 x 8"),
    "fewer masks": (P, M[:1], "masks: 1 for 2 images of probabilities"),
    "soft masks": (P, M * 0.5, r"x: mask of type float32 with values other than 0 and 1; .*masks > 0.5"),
    "nan masks": (P, M * torch.nan, "mask of type float32 with values other"),
    "labels": (P, M.long() * 20, "x: mask of type int64 with values other"),
    "small labels": (P, (M * 20).to(torch.uint8), r"x: mask with values in 0..20; .*masks == 1"),
    "negative masks": (P, -M, "mask of type float32 with values other"),
    "complex masks": (P, M.to(torch.complex64), "masks: a complex tensor"),
    "sparse masks": (P, M[:, 0].to_sparse(), "masks: a sparse tensor"),
    "meta": (P.to("meta"), M, "probabilities: a meta tensor"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_batches_are_one_clear_line(case: str, metric: Any) -> None:
    probabilities, masks, says = BAD[case]
    metrics = metric()
    with pytest.raises(InputError, match=says) as caught:
        metrics.update(probabilities, masks, names=["x", "y"])
    assert "\n" not in str(caught.value)
    assert repr(metrics).endswith("images=0)")


def test_unnamed_images_are_named_by_their_place(metric: Any) -> None:
    bad = P.clone()
    bad[1] = -1
    with pytest.raises(InputError, match=r"^image 1 of the batch: probabilities with values in -1\.\.-1"):
        metric().update(bad, M)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("ab", "names of type str"),
        (["a"], "names: 1 for 2 images"),
        (["a", 5], "name of type int; expected a string"),
        (["a", ""], "empty name"),
        (5, "names of type int"),
    ],
)
def test_bad_names(names: Any, says: str, metric: Any) -> None:
    with pytest.raises(InputError, match=says):
        metric().update(P, M, names)


def test_bad_settings(metric: Any) -> None:
    for options, says in (
        ({"protocol": "rawe"}, "rawe"),
        ({"metrics": ["Smeasure"]}, "Smeasure"),
        ({"workers": 0}, "workers"),
    ):
        with pytest.raises(InputError, match=says):
            metric(**options)
    with pytest.raises((TypeError, ValueError), match="strech"):  # codespell:ignore
        metric(strech=True)  # codespell:ignore


def test_rounding_of_an_interpolation_is_clipped(metric: Any) -> None:
    metrics = metric("raw", ["MAE"])
    metrics.update(M * (1 + 2e-7) - 1e-9, M)
    assert computed(metrics)["MAE"] == 0


def test_in_a_collection() -> None:
    torchmetrics = pytest.importorskip("torchmetrics")
    Metrics = saliency_metrics("torchmetrics")
    p, m, names = batch(6)
    collection = torchmetrics.MetricCollection(
        {"raw": Metrics("raw", ["MAE", "F"]), "official": Metrics("basnet2019", ["MAE"])}, prefix="val_"
    )
    for part in (slice(0, 2), slice(2, 6)):
        collection.update(p[part], m[part], names=names[part])
    single = Metrics("raw", ["MAE", "F"])
    single.update(p, m)
    scores = collection.compute()
    assert {name.split("_")[-1] for name in scores} >= {"MAE", "maxF"}
    assert len(scores) == len(single.compute()) + 1
    assert single.compute()["MAE"] in scores.values() and single.compute()["maxF"] in scores.values()
    collection.reset()
    with pytest.raises(InputError, match="nothing to score"):
        collection.compute()


def test_a_persistent_state_is_saved_and_loaded() -> None:
    pytest.importorskip("torchmetrics")
    Metrics = saliency_metrics("torchmetrics")
    p, m, names = batch(6)
    metrics, loaded, other = Metrics(), Metrics(), Metrics("raw")
    metrics.persistent(True)
    metrics.update(p[:4], m[:4], names[:4])
    file = io.BytesIO()
    torch.save(metrics.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    loaded.persistent(True)
    loaded.load_state_dict(state)
    for one in (metrics, loaded):
        one.update(p[4:], m[4:], names[4:])
    assert computed(loaded) == computed(metrics)
    other.persistent(True)
    other.load_state_dict(state)
    with pytest.raises(InputError, match="scored under another protocol"):
        other.compute()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_tensors_of_a_gpu(metric: Any) -> None:
    p, m, _ = batch(6)
    here, there = metric(), metric().to("cuda")
    here.update(p, m)
    there.update(p.cuda(), m.cuda())
    assert computed(there) == computed(here)


def test_lightning_validates_and_logs(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning")
    pytest.importorskip("torchmetrics")
    Metrics = saliency_metrics("torchmetrics")
    p, m, names = batch(6)

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = torch.nn.Conv2d(1, 1, 1)
            self.metrics = Metrics(metrics=["MAE", "F"])

        def training_step(self, data: Any, index: int) -> Tensor:
            return torch.nn.functional.binary_cross_entropy_with_logits(self.network(data[0]), data[1])

        def validation_step(self, data: Any, index: int) -> None:
            self.metrics.update(torch.sigmoid(self.network(data[0])), data[1], data[2])

        def on_validation_epoch_end(self) -> None:
            self.log_dict(self.metrics.compute())
            self.metrics.reset()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.network.parameters(), 0.1)

    loader = torch.utils.data.DataLoader(list(zip(p, m, names, strict=True)), batch_size=4)
    module = Module()
    trainer = lightning.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, loader, loader)
    whole = Metrics(metrics=["MAE", "F"])
    with torch.no_grad():
        whole.update(torch.sigmoid(module.network(p)), m)
    assert {name: value.item() for name, value in trainer.logged_metrics.items()} == pytest.approx(
        computed(whole), abs=1e-5
    )
