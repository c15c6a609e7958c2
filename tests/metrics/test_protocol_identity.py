"""What a protocol is: its conventions, not its name. The names of shipped protocols are reserved."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from sodbench.cli.main import main
from sodbench.errors import InputError
from sodbench.map_scoring import score_maps
from sodbench.metrics import Protocol, load_protocol
from sodbench.metrics.scorer import scorers_for
from sodbench.results.loading import load_runs
from sodbench.results.matching import verdict
from sodbench.results.published import published_values


def own(folder: Path, text: str, file: str = "mine.toml") -> Path:
    """A user's protocol file."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("mine.toml", 'name = "basnet2019"\nbased_on = "pysodmetrics"\n'),
        ("basnet2019.toml", 'based_on = "pysodmetrics"\n'),
        ("mine.toml", 'name = "BASNet2019"\nbased_on = "pysodmetrics"\n'),
        ("mine.toml", 'name = "ｂasnet2019"\nbased_on = "pysodmetrics"\n'),
        ("mine.toml", 'name = "basnet2019"\nbased_on = "basnet2019"\nversion = 2\n'),
    ],
)
def test_the_name_of_a_shipped_protocol_is_reserved(tmp_path: Path, file: str, text: str) -> None:
    path = own(tmp_path, text, file)
    with pytest.raises(
        InputError, match=r"reserved.*differs in (families|version).*choose another name"
    ) as caught:
        load_protocol(path)
    assert file in str(caught.value) and "'basnet2019'" in str(caught.value)


def test_a_copy_of_a_shipped_protocol_is_that_protocol(tmp_path: Path) -> None:
    path = own(tmp_path, 'based_on = "basnet2019"\ntitle = "mine"\n', "basnet2019.toml")
    assert load_protocol(path) is load_protocol("basnet2019")


def test_a_protocol_made_in_python_is_refused_where_it_would_be_recorded(root: Path, here: Path) -> None:
    forged = dataclasses.replace(load_protocol("basnet2019"), f_average="images")
    with pytest.raises(InputError, match=r"'basnet2019'.*f_average.*choose another name"):
        score_maps(root / "SOD" / "GT", "sod", name="x", protocols=forged, data_root=root)
    assert not (here / "reports").exists()


def test_a_forged_protocol_gets_no_published_row(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own(here, 'name = "basnet2019"\nbased_on = "pysodmetrics"\n')
    job = ["score", str(root / "SOD" / "GT"), "--dataset", "sod", "--name", "DSS", "--data-root", str(root)]
    assert main([*job, "--protocols", str(path), "--quiet"]) == 2
    assert "choose another name" in capsys.readouterr().err
    assert not (here / "reports").exists()


def test_published_numbers_compare_by_fields_and_version() -> None:
    there = load_protocol("basnet2019")
    value = next(
        one
        for one in published_values()
        if (one.protocol, one.dataset, one.metric) == ("basnet2019", "sod", "maxF")
    )

    def judged(protocol: Protocol):
        return verdict(value, "maxF", protocol, 300, 300)

    assert judged(dataclasses.replace(there, name="ours")).exact
    forged = dataclasses.replace(load_protocol("pysodmetrics"), name="basnet2019")
    assert not judged(forged).shown and "F of mean precision and mean recall" in judged(forged).reason
    assert not judged(dataclasses.replace(there, version=2)).exact


def test_two_protocols_of_one_name_are_refused_unless_they_are_the_same(tmp_path: Path) -> None:
    first = own(tmp_path, 'based_on = "raw"\ntitle = "one"\n', "a/mine.toml")
    same = own(tmp_path, 'based_on = "raw"\ntitle = "another"\n', "b/mine.toml")
    other = own(tmp_path, 'based_on = "raw"\nf_beta2 = 1.0\n', "c/mine.toml")
    assert len(scorers_for([first, same, "raw", "raw"])) == 2
    with pytest.raises(InputError, match=r"mine.*f_beta2.*rename one"):
        scorers_for([first, other])


def test_one_protocol_given_twice_is_recorded_once(root: Path, here: Path) -> None:
    copy = own(here, 'based_on = "raw"\n', "raw.toml")
    run = score_maps(
        root / "SOD" / "GT", "sod", name="x", protocols=["raw", str(copy), "raw"], data_root=root
    )
    assert list(run.tables) == ["raw"] == list(load_runs(here / "reports")[0].tables)


@pytest.mark.parametrize("name", ["", " ", "a@b", "a\nb", "a\x1b[31m", "raw\u200b", " raw", "raw "])
def test_names_that_cannot_be_told_apart_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="name: expected a name without @"):
        Protocol(name)
    with pytest.raises(InputError, match=r"mine\.toml.*name: expected a name without @"):
        load_protocol(own(tmp_path, f"name = {json.dumps(name)}\n"))


NUMBERS = {
    field.name: field.default
    for field in dataclasses.fields(Protocol)
    if isinstance(field.default, int | float) and not isinstance(field.default, bool)
}


def test_every_number_of_a_protocol_is_bounded() -> None:
    assert {"f_beta2", "s_alpha", "mask_threshold", "levels", "wf_epsilon", "version"} <= NUMBERS.keys()
    for key in NUMBERS:
        for wrong in (-1, -0.5, math.nan, math.inf, -math.inf, "0.3", None, True, [1], 10**400):
            with pytest.raises(InputError, match=f"{key}: expected"):
                Protocol("x", **{key: wrong})
    with pytest.raises(InputError, match=r"s_alpha: expected a number in 0..1, found 99"):
        Protocol("x", s_alpha=99)
