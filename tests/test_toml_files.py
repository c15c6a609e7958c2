"""TOML and JSON files of any content: an object that works, or one line; one broken file breaks no other."""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sodbench as sb
from sodbench.catalog import read_toml, shipped_folder
from sodbench.cli.baselines import _summary
from sodbench.cli.main import main
from sodbench.data.auditing.status import card_lines, status_of
from sodbench.data.card import Card, read_card
from sodbench.errors import InputError
from sodbench.json_text import read_json, to_json
from sodbench.metrics.protocol import from_dict
from sodbench.models import load_baseline
from sodbench.models.lookup import baseline_of
from sodbench.schema import parse
from sodbench.training.recipe import load_recipe, parse_overrides

BROKEN = {
    "nested": ("a = " + "[" * 3000 + "]" * 3000).encode(),
    "nested tables": ("a = " + "{a = " * 3000 + "1" + "}" * 3000).encode(),
    "a key of many parts": ("a." * 50_000 + "a = 1").encode(),
    "a key of many quoted parts": ('"!" . ' * 50_000 + "a = 1").encode(),
    "a table of many quoted parts": ("[" + "'!'." * 50_000 + "a]").encode(),
    "many unknown keys": b"".join(b"k%d=1\n" % number for number in range(90_000)),
    "NUL": b'title = "a\0b"\n',
    "not UTF-8": b'title = "\xff\xfe"\n',
    "UTF-16": 'title = "T"\n'.encode("utf-16"),
    "a huge number": b"count = " + b"9" * 10_000,
    "a huge hexadecimal number": b"[count]\npairs = 0x" + b"f" * 10_000,
    "a huge exponent": b"[output]\ngain = 1e999999999\n",
    "nan": b"[output]\ngain = nan\n",
    "a date": b"title = 1979-05-27\n",
    "one key twice": b'title = "a"\ntitle = "b"\n',
    "empty": b"",
    "large": b"#" * 5_000_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line(
    name: str, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("baselines", "datasets"):
        (here / kind).mkdir()
        (here / kind / "broken.toml").write_bytes(BROKEN[name])
    (here / "protocol.toml").write_bytes(BROKEN[name])
    commands = [
        ["baselines", "show", "broken"],
        ["datasets", "show", "broken"],
        ["train", "baselines/broken.toml"],
        ["score", ".", "--masks", ".", "--protocols", "protocol.toml"],
    ]
    for command in commands:
        assert main(command) == 2, command
        error = capsys.readouterr().err
        assert error.startswith("sodbench: error: ") and error.count("\n") == 1 and len(error) < 1000
        assert "broken.toml" in error or "protocol.toml" in error or name == "empty"


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_file_breaks_no_other(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("baselines", "datasets"):
        (here / kind).mkdir()
        (here / kind / "broken.toml").write_bytes(BROKEN[name])
    assert main(["baselines", "list", "--json"]) == 0
    printed = capsys.readouterr()
    listed = json.loads(printed.out)
    assert len(listed["baselines"]) == len(list(shipped_folder("baselines").glob("*.toml")))
    assert [Path(one["path"]).name for one in listed["wrong"]] == ["broken.toml"]
    assert "broken.toml" in listed["wrong"][0]["problem"] or name == "empty"
    assert "sodbench: note: not a baseline: " in printed.err
    assert main(["datasets", "list", "--json"]) == 0
    printed = capsys.readouterr()
    states = {one["name"]: one["state"] for one in json.loads(printed.out)["sets"]}
    assert states["broken"] == "broken" and len(states) == 35
    assert load_baseline("basnet").title
    assert sb.open_dataset("sample").card is not None
    assert main(["datasets", "show", "ecssd"]) == 0


def test_a_recipe_that_is_broken_breaks_neither_list_nor_use(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "baselines").mkdir()
    (here / "baselines" / "mine.toml").write_text('extends = "basnet-tiny"\n[training]\nlr = "fast"\n')
    assert main(["baselines", "list"]) == 0
    assert "mine" in capsys.readouterr().out
    assert main(["baselines", "show", "mine"]) == 2
    assert "mine.toml: training.lr: expected a number, found 'fast'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"\0", b"9" * 10_000, b"{}x", b'"\\ud8"', b""],
)
def test_broken_json_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: not valid JSON (") and len(str(caught.value)) < 400


def test_a_folder_or_a_missing_file_is_no_toml(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.toml"):
        with pytest.raises(InputError, match="cannot be read"):
            read_toml(path)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.batch=" + "[" * 3000, "training.batch: expected a whole number, found"),
        ("training.batch=" + "9" * 5000, "training.batch: expected a whole number, found"),
        ("training.seed=99999999999999999999", "training.seed: expected a whole number of at most 64 bits"),
        ("training.resize=100000", r"training.resize\[0\]: expected at most 16384 pixels"),
    ],
)
def test_a_setting_of_any_text_is_one_line(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe(load_baseline("basnet-tiny").training, parse_overrides([setting]))


# what a file may hold in place of any one value
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30),
    st.sampled_from([-1, 0, 1, 2**31, 2**62, 2**63, -(2**70), 10**400, 16**20_000]),
    st.floats(),
    st.sampled_from([1e-320, 1e308, -0.0]),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\0", "a\nb", "(" * 5000, "a{99999999999}", "../..", "/", ".", "@", "\x1b[31m", "\ud800"]
    ),
    st.lists(st.one_of(st.integers(), st.text(max_size=3), st.floats()), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.just([[[[]]]]),
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a tree of tables and lists."""
    inner = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(found for key, item in inner for found in paths_of(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The tree with the value at `path` replaced."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


def shipped(kind: str, name: str) -> dict[str, Any]:
    folder = Path(__file__).resolve().parents[1]
    return tomllib.loads((folder / kind / f"{name}.toml").read_text(encoding="utf-8"))


class Carrier:
    """A network that carries a baseline's table."""

    def __init__(self, table: Any) -> None:
        self.baseline = table


def use_baseline(table: Any) -> None:
    baseline = baseline_of(Carrier(table))  # type: ignore[arg-type]
    to_json(_summary(baseline))
    if baseline.runs_own_code:  # else it takes long: parameters are counted
        baseline._repr_html_()
    assert baseline.weights_state in ("present", "fetch", "train", "missing")


def use_recipe(table: Any) -> None:
    recipe = load_recipe(table)
    to_json(recipe.as_dict())
    assert [recipe.learning_rate(step) >= 0 for step in (0, recipe.iterations // 2, recipe.iterations - 1)]


def use_card(table: Any) -> None:
    card = parse(Card, table, "x.toml")
    object.__setattr__(card, "path", Path("x.toml"))
    if not card.names.list and not card.generator and card.location is None and card.folders:
        card_lines(card, status_of(card, Path("nowhere")))
    card.is_official("0001")
    card.owns_folder("SOD")


def use_protocol(table: Any) -> None:
    protocol = from_dict({key: value for key, value in table.items() if key != "based_on"})
    protocol.changes()
    protocol._repr_html_()


PROTOCOL = sb.load_protocol("basnet2019")
CARD = {
    **shipped("datasets", "hku-is-test"),
    "aliases": ["x"],
    "names": {"range": "0001-1000", "pattern": "[0-9]+"},
    "generator": "synthetic:test",
    "location": "somewhere",
}
KINDS: dict[str, tuple[dict[str, Any], Callable[[Any], None]]] = {
    "baseline": ({**shipped("baselines", "basnet"), "network": "nets:create"}, use_baseline),
    "baseline, tiny": (shipped("baselines", "basnet-tiny"), use_baseline),
    "recipe": (shipped("baselines", "basnet-tiny")["training"], use_recipe),
    "card": (CARD, use_card),
    "protocol": (json.loads(to_json(PROTOCOL)), use_protocol),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_value_in_place_of_one_gives_a_line_or_a_working_object(kind: str, data: st.DataObject) -> None:
    table, use = KINDS[kind]
    path = data.draw(st.sampled_from(paths_of(table)[1:]))
    new = data.draw(ANY)
    try:
        use(changed(table, path, new))
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_themselves_work(kind: str) -> None:
    table, use = KINDS[kind]
    use(table)


def test_a_list_of_names_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('title = "T"\n[count]\npairs = 1\n[names]\nlist = "names.txt"\n')
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match=r"names\.txt: cannot be read as a list of names"):
        _ = read_card(tmp_path / "mine.toml").official_names
