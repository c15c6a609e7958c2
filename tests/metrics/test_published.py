"""The real maps: equal to the published MATLAB results, to pysodmetrics, and to the paper's relaxed F."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysodmetrics_oracle as oracle
import pytest
from numpy.typing import NDArray
from PIL import Image

from sodbench.metrics import Scorer
from sodbench.metrics.image_scores import measure_image
from sodbench.metrics.mask import MaskCache

METHODS = ("Amulet", "DSS", "PiCANet")
RESULTS = {
    "MAE": "MAE",
    "S": "Sm",
    "wF": "wFm",
    "meanE": "Em_mean",
    "maxE": "Em_max",
    "adpE": "Em_adp",
    "maxF": "maxF_avgcurve",
    "meanF": "meanF_avgcurve",
    "adpF": "adpF",
}
RELAXED = {"Amulet": 0.460, "DSS": 0.435, "PiCANet": 0.529}  # the 5 x 5 window on these maps


def real_pairs(folder: Path, method: str) -> Iterator[tuple[str, NDArray, NDArray]]:
    for path in sorted((folder / "SOD" / "maps" / method).glob("*.png")):
        mask = Image.open(folder / "SOD" / "GT" / path.name).convert("L")
        yield path.stem, np.array(Image.open(path)), np.array(mask)


@pytest.fixture(scope="module", params=METHODS)
def scored(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, dict[str, Scorer], dict]:
    """One method's 300 maps scored under three protocols in one pass, and their curves in full precision."""
    names = ("pysodmetrics", "sal-eval", "basnet2019")
    scorers = {name: Scorer(name) for name in names}
    curves: dict[str, list] = {name: [] for name in names}
    masks = MaskCache()
    for stem, prediction, mask in real_pairs(shared_data, request.param):
        found = measure_image(prediction, mask, stem, scorers.values(), masks)
        for (name, scorer), image in zip(scorers.items(), found, strict=True):
            scorer.add(image)
            curves[name].append(image.curves)
    return request.param, scorers, curves


def test_sal_eval_equals_the_published_results(scored: tuple, shared_data: Path) -> None:
    method, scorers, curves = scored
    published = np.load(shared_data / "SOD" / "published" / f"{method}.npz")
    table = scorers["sal-eval"].result()
    assert list(table.per_image.index) == list(published["names"])
    for ours, theirs in (("precision", "Pre_image"), ("recall", "Recall_image")):
        mine = np.array([image[ours][::-1] for image in curves["sal-eval"]])
        assert np.abs(mine - published[theirs]).max() == 0.0
    assert np.abs(table.per_image["adpF"] - published["mean_Fmeasure_image"][:, 2]).max() == 0.0
    assert np.abs(table.per_image["MAE"] - published["MAE_image"][:, 0]).max() < 1e-12
    assert np.abs(table.per_image["S"] - published["S_measure_image"][:, 0]).max() < 1e-12
    assert table.scores["maxF"] == pytest.approx(published["MaxFmeasure"][0, 0], abs=1e-12)
    np.testing.assert_allclose(table.curves["F"][::-1], published["Fmeasure_Curve"][:, 0], atol=1e-12)


def test_equals_the_recorded_pysodmetrics_results(scored: tuple, shared_data: Path) -> None:
    method, scorers, _ = scored
    file = shared_data / "SOD" / "published" / "pysodmetrics_1.6.2_results.json"
    recorded = json.loads(file.read_text())[method]
    scores = scorers["pysodmetrics"].result().scores
    for ours, theirs in RESULTS.items():
        assert scores[ours] == pytest.approx(recorded[theirs], abs=1e-12)


def test_relaxed_f_fits_the_paper(scored: tuple) -> None:
    method, scorers, _ = scored
    assert scorers["basnet2019"].result().scores["relaxF"] == pytest.approx(RELAXED[method], abs=5e-4)
    assert scorers["pysodmetrics"].result().scores["relaxF"] == pytest.approx(RELAXED[method], abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_equals_pysodmetrics_on_every_real_map(method: str, shared_data: Path) -> None:
    """Every scalar and every point of every curve, for all 300 maps."""
    scorer = Scorer(metrics=["MAE", "F", "E", "S", "wF"])
    worst = 0.0
    count = 0
    for stem, prediction, mask in real_pairs(shared_data, method):
        columns, curves = oracle.expected(prediction, mask)
        found = scorer.measure(prediction, mask, stem)
        differences = [abs(found.columns[name] - value) for name, value in columns.items()]
        differences += [np.abs(found.curves[name] - values).max() for name, values in curves.items()]
        worst = max(worst, *differences)
        count += 1
    assert count == 300
    assert worst < 1e-12
