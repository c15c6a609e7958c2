"""The metrics from Python: one pair in one line, names to complete, objects that show themselves."""

import subprocess
import sys

import numpy as np
import pytest

import sodbench.metrics
from sodbench.errors import InputError
from sodbench.metrics import Scorer, score
from sodbench.metrics.families import relaxed_f

y, x = np.mgrid[:40, :50]
MASK = (y - 20) ** 2 + (x - 24) ** 2 < 130
MAP = np.clip(MASK * 0.7 + 0.1 * np.sin(x) + 0.15, 0, 1)


@pytest.mark.parametrize("protocol", ["pysodmetrics", "sal-eval", "sodsurvey", "raw"])
def test_one_pair_scores_as_a_data_set_of_one(protocol: str) -> None:
    scorer = Scorer(protocol)
    scorer.update(MAP, MASK, name="x")
    assert score(MAP, MASK, protocol) == scorer.result().scores
    assert all(type(value) is float for value in score(MAP, MASK, protocol).values())


def test_chosen_metrics_of_a_pair() -> None:
    assert set(score(MAP, MASK, "raw", ["MAE", "BER@raw"])) == {"MAE", "BER"}
    with pytest.raises(InputError, match="the pair: map is 40 x 50, mask is 39 x 50"):
        score(MAP, MASK[1:])


def test_one_metric_needs_no_list() -> None:
    mask = np.eye(9, dtype=bool)
    assert score(mask, mask, metrics="MAE") == score(mask, mask, metrics=["MAE"]) == {"MAE": 0.0}


def test_scoring_a_pair_does_not_need_pandas() -> None:
    code = (
        "import sys, numpy as np; from sodbench.metrics import score;"
        "score(np.eye(9) > 0, np.eye(9) > 0); print('pandas' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_names_are_listed_before_they_are_imported() -> None:
    code = "import sodbench.metrics as m; print(sorted(set(m.__all__) - set(dir(m))), 'Scorer' in vars(m))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["[]", "False"]
    assert all(hasattr(sodbench.metrics, name) for name in sodbench.metrics.__all__)


def test_a_table_shows_itself_in_a_notebook() -> None:
    scorer = Scorer("raw", ["MAE", "S"])
    scorer.update(MASK, MASK, name="x")
    shown = scorer.result()._repr_html_()
    assert "<caption>raw, 1 image</caption>" in shown
    assert "<th>MAE</th><th>S</th>" in shown and "<td>0.0000</td><td>1.0000</td>" in shown


def test_relaxed_f_is_f_of_its_precision_and_recall(monkeypatch: pytest.MonkeyPatch) -> None:
    """F is written once: the image's value comes from the same function as the data set's."""
    columns = Scorer("raw", ["relaxF"]).measure(MAP, MASK, "x").columns
    assert columns["relaxF"] == relaxed_f.f_of(columns["relaxP"], columns["relaxR"], 0.3)
    monkeypatch.setattr(relaxed_f, "f_of", lambda *_: 0.125)
    assert Scorer("raw", ["relaxF"]).measure(MAP, MASK, "x").columns["relaxF"] == 0.125
