"""Protocols as data: the shipped ones, a user's own, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from sodbench.errors import InputError
from sodbench.metrics import Protocol, Scorer, load_protocol, protocol_names
from sodbench.metrics.protocol import from_dict

NAMES = ["pysodmetrics", "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox", "raw"]


def test_shipped_protocols() -> None:
    assert protocol_names() == NAMES
    for name in NAMES:
        protocol = load_protocol(name)
        assert protocol.name == name
        assert protocol.title and protocol.description and protocol.source


def test_survives_json() -> None:
    for name in NAMES:
        protocol = load_protocol(name)
        again = from_dict(json.loads(json.dumps(dataclasses.asdict(protocol))))
        assert again == protocol
        assert hash(again) == hash(protocol)


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_protocol("raw").levels = 255  # type: ignore[misc]


def test_own_protocol(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('based_on = "pysodmetrics"\nf_average = "means"\nf_beta2 = 1\n')
    protocol = load_protocol(path)
    assert (protocol.name, protocol.f_average, protocol.f_beta2) == ("mine", "means", 1.0)
    assert protocol.quantise == load_protocol("pysodmetrics").quantise
    scorer = Scorer(str(path), ["F"])
    mask = np.kron(np.eye(4, dtype=np.uint8) * np.uint8(255), np.ones((5, 5), np.uint8))
    scorer.update(mask, mask, name="x")
    assert scorer.result().scores["maxF"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('f_averge = "means"', "f_average"),
        ('f_average = "medians"', "'images' or 'means'"),
        ("levels = 100", "255 or 256"),
        ("levels = true", "an integer"),
        ('f_beta2 = "x"', "a number"),
        ("boundary_radius = 9", "1, 2 or 3"),
        ('families = "MAE"', "a list of"),
        ('families = ["MEA"]', "'MAE'"),
        ('based_on = "pysod"', "pysodmetrics"),
        ("levels = ", "not valid TOML"),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        load_protocol(path)
    assert "mine.toml" in str(caught.value)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="did you mean 'sal-eval'"):
        load_protocol("sal_eval")
    with pytest.raises(InputError, match="no such protocol file"):
        load_protocol("nowhere/mine.toml")
    with pytest.raises(InputError, match="unknown protocol"):
        Scorer("nonsense")


def test_names_do_not_need_numba() -> None:
    """Reports read titles and directions without loading the engine."""
    import subprocess
    import sys

    code = (
        "import sys; from sodbench.metrics.registry import metric_info;"
        "from sodbench.metrics import load_protocol; metric_info('maxF'); load_protocol('raw');"
        "print('numba' in sys.modules, 'pandas' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_keywords() -> None:
    assert Protocol("x").families == load_protocol("pysodmetrics").families
