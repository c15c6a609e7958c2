"""Protocols as data: the shipped ones, a user's own, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from sodbench.errors import InputError
from sodbench.metrics import Protocol, Scorer, load_protocol, protocol_names
from sodbench.metrics.protocol import from_dict

NAMES = ["pysodmetrics", "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox"]
NAMES += ["pysodevaltoolkit", "birefnet", "raw"]


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
    ("text", "message"),
    [
        ('f_averge = "means"', "f_average"),
        ('f_average = "medians"', "'images' or 'means'"),
        ("levels = 100", "255 or 256"),
        ("levels = true", "levels: expected 255 or 256, found True"),
        ('f_beta2 = "x"', "a number"),
        ("boundary_radius = 9", "1, 2 or 3"),
        ("families = []", "families: expected at least one"),
        ('families = "MAE"', "a list of"),
        ('families = ["MEA"]', "'MAE'"),
        ('based_on = "pysod"', "pysodmetrics"),
        ("levels = ", "not valid TOML"),
        ("f_beta2 = 0", "f_beta2: expected a number above 0, found 0"),
        ("wf_beta2 = -1.0", "wf_beta2: expected a number above 0, found -1.0"),
        ("mask_threshold = nan", "mask_threshold: expected a finite number, found nan"),
        ("mask_threshold = 300", "mask_threshold: expected a grey value in 0..255, found 300"),
        ("s_alpha = 1.5", "s_alpha: expected a number in 0..1"),
        ("e_epsilon = -1", "e_epsilon: expected 0 or more, found -1"),
        ("s_object_ddof = 2", "s_object_ddof: expected 0 or 1, found 2"),
        ("version = 0", "version: expected 1 or more"),
        ('name = "a@b"', "name: expected a name without @.*found 'a@b'"),
        ('f_left_out = ["nothing"]', r"f_left_out\[0\]: expected 'empty-mask' or 'empty-map'"),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_protocol(path)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levels": True}, "protocol 'x': levels: expected 255 or 256, found True"),
        ({"f_beta2": -1}, "protocol 'x': f_beta2: expected a number above 0, found -1"),
        ({"mask_threshold": float("inf")}, "protocol 'x': mask_threshold: expected a finite number"),
        ({"families": ["MEA"]}, r"protocol 'x': families\[0\]: expected 'MAE' or"),
        ({"f_scale": 255}, "protocol 'x': f_scale: expected '255' or 'max' or 'min-max', found 255"),
    ],
)
def test_python_checks_as_files_do(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Protocol("x", **fields)
    with pytest.raises(InputError, match=message.replace("'x'", "'raw'")):
        dataclasses.replace(load_protocol("raw"), **fields)


def test_lists_stand_for_tuples_and_whole_numbers_for_numbers() -> None:
    made = Protocol("x", families=["MAE", "F"], f_left_out=["empty-map"], f_beta2=1)  # type: ignore[arg-type]
    assert made == Protocol("x", families=("MAE", "F"), f_left_out=("empty-map",), f_beta2=1.0)
    assert isinstance(made.f_beta2, float)


def test_records_name_what_is_wrong() -> None:
    fields = dataclasses.asdict(load_protocol("raw"))
    with pytest.raises(InputError, match=r"run\.json: unknown key 'f_colour'"):
        from_dict(fields | {"f_colour": 1}, "run.json")
    with pytest.raises(InputError, match=r"run\.json: name: missing"):
        from_dict({"levels": 255}, "run.json")


def test_shows_itself_in_a_notebook() -> None:
    shown = load_protocol("basnet2019")._repr_html_()
    assert "BASNet / U2-Net authors&#x27; tool" in shown
    assert "<td>f_average</td><td>means</td><td>images</td>" in shown
    assert "s_alpha" not in shown  # as in the default
    assert "the conventions of pysodmetrics" in load_protocol("pysodmetrics")._repr_html_()
    assert "<script>" not in Protocol("x", title="<script>")._repr_html_()


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
        "import sys; from sodbench.metrics.registry import all_metrics;"
        "from sodbench.metrics import load_protocol; all_metrics()['maxF']; load_protocol('raw');"
        "print('numba' in sys.modules, 'pandas' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_keywords() -> None:
    assert Protocol("x").families == load_protocol("pysodmetrics").families
