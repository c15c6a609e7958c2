"""SECURITY.md: what is read as data, and which code runs when."""

import json
import sys
from pathlib import Path

import pytest

import sodbench as sb
from sodbench.cli.main import main
from sodbench.data.card import load_card, load_cards
from sodbench.errors import InputError
from sodbench.models import create, load_baseline

EVIL = """
from pathlib import Path

Path("ran").write_text("the module was imported")


def create(**options):
    raise RuntimeError("was called")
"""
OWN = 'title = "Mine"\nnetwork = "evil.py:create"\n'


@pytest.fixture()
def evil(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a module that leaves the file `ran`, and a baseline that names it."""
    monkeypatch.delitem(sys.modules, "evil", raising=False)
    (here / "evil.py").write_text(EVIL)
    (here / "baselines").mkdir()
    (here / "baselines" / "mine.toml").write_text(OWN)
    return here


@pytest.mark.parametrize("name", ["evil:create", "evil.py:create", "mine", "reports:../baselines/mine.toml"])
def test_a_record_runs_no_code_outside_the_package(
    name: str, evil: Path, network: tuple[str, Path], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ["run", network[0], "--weights", str(network[1]), "--name", "theirs", "--data-root", str(root)]
    assert main([*job, "--datasets", "sod", "--device", "cpu", "--quiet"]) == 0
    record = evil / "reports" / "runs" / "theirs" / "sod" / "run.json"
    content = json.loads(record.read_text())
    content["provenance"]["baseline"] = name
    record.write_text(json.dumps(content))
    capsys.readouterr()
    again = ["reproduce", str(record), "--data-root", str(root), "--quiet"]
    assert main(again) == 2
    error = capsys.readouterr().err
    assert "is code outside sodbench" in error and "--trust" in error and error.count("\n") == 1
    assert main(["report", "--formats", "markdown"]) == 0
    assert main(["show", "theirs", "8049", "--dataset", "sod"]) == 0
    main(["compare", "theirs", "theirs"])
    assert not (evil / "ran").exists()
    capsys.readouterr()
    assert main([*again, "--trust"]) == 2
    assert (evil / "ran").exists()


@pytest.mark.parametrize("name", ["evil.py:create", "mine", "os:system"])
def test_the_record_of_a_training_runs_none_either(
    name: str, evil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {
        "baseline": name,
        "recipe": {"dataset": ["ecssd"]},
        "datasets": {"ecssd": {"digest": "0"}},
        "best": {"iteration": 1},
        "weights": {"sha256": "0"},
        "provenance": {},
    }
    (evil / "training.json").write_text(json.dumps(record))
    assert main(["reproduce", "training.json"]) == 2
    assert "is code outside sodbench" in capsys.readouterr().err
    assert not (evil / "ran").exists()
    with pytest.raises(InputError, match="is code outside sodbench"):
        sb.reproduce(evil / "training.json")


def test_a_record_of_a_package_network_needs_no_trust(root: Path, here: Path) -> None:
    job = ["run", "basnet-tiny", "--datasets", "sod", "--limit", "1", "--data-root", str(root), "--quiet"]
    assert main([*job, "--device", "cpu", "--metrics", "MAE"]) == 0
    record = here / "reports" / "runs" / "basnet-tiny" / "sod" / "run.json"
    assert main(["reproduce", str(record), "--data-root", str(root), "--quiet"]) == 0


@pytest.mark.parametrize("name", ["mine", "baselines/mine.toml", "evil:create", "evil.py:create"])
def test_show_and_list_import_nothing(name: str, evil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baselines", "list"]) == 0
    assert "Mine" in capsys.readouterr().out
    assert main(["baselines", "show", name, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["parameters"] is None
    assert "is not run: --trust shows" in printed.err
    assert sb.baselines().loc["mine", "network"] == "evil.py:create"
    assert not (evil / "ran").exists()
    assert main(["baselines", "show", name, "--trust"]) == 2
    assert (evil / "ran").exists()


def test_show_counts_the_parameters_of_a_trusted_network(
    network: tuple[str, Path], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baselines", "show", network[0], "--trust", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["parameters"] == 1 and facts["input"]["height"] == 32


@pytest.mark.parametrize("place", ["baselines/basnet-tiny.toml", "baselines/BASNet-Tiny.toml"])
def test_an_own_file_does_not_take_the_place_of_a_shipped_baseline(
    place: str, evil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = evil / place
    path.write_text(OWN)
    message = "has the name of the shipped baseline 'basnet-tiny'; give the file another name"
    for use in (load_baseline, create):
        with pytest.raises(InputError, match=message):
            use("basnet-tiny")
        with pytest.raises(InputError, match=message):
            use(place)
    assert main(["run", "basnet-tiny", "--datasets", "sample", "--limit", "1"]) == 2
    assert message in capsys.readouterr().err
    assert main(["baselines", "list"]) == 0
    printed = capsys.readouterr()
    assert f"sodbench: note: not a baseline: {path}: {message}" in printed.err
    assert "BASNet, a quarter of the width" in printed.out
    assert load_baseline("basnet").network == "basnet"


def test_a_copy_of_a_shipped_baseline_is_that_baseline(evil: Path) -> None:
    shipped = load_baseline("basnet-tiny")
    assert shipped.path is not None
    (evil / "baselines" / "basnet-tiny.toml").write_bytes(shipped.path.read_bytes())
    assert load_baseline("basnet-tiny") == shipped
    assert main(["baselines", "list"]) == 0


CARD = 'title = "T"\n[count]\npairs = 2\n'


@pytest.mark.parametrize(
    ("file", "name"), [("sod", "sod"), ("SOD", "sod"), ("duts", "duts"), ("duts", "duts-te")]
)
def test_an_own_card_does_not_take_the_place_of_a_shipped_one(
    file: str, name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "datasets").mkdir()
    (here / "datasets" / f"{file}.toml").write_text(CARD)
    if (file, name) == ("duts", "duts-te"):  # an alias is taken, its data set is not
        assert load_card(name).expected == 5019
    else:
        with pytest.raises(InputError, match=r"\.toml: has the name of the shipped data set"):
            load_card(name)
    assert load_card("ecssd").expected == 1000
    assert main(["datasets", "list"]) == 0
    assert f"{file}.toml: has the name of the shipped data set" in capsys.readouterr().err


@pytest.mark.parametrize("alias", ["sod", "DUTS"])
def test_an_own_card_does_not_take_an_alias_either(alias: str, here: Path) -> None:
    (here / "datasets").mkdir()
    (here / "datasets" / "mine.toml").write_text(f'aliases = ["{alias}"]\n{CARD}')
    assert {card.path.parent.name for card in load_cards([alias])} == {"datasets"}
    assert load_card(alias).expected in (300, 5019)
    with pytest.raises(InputError, match=r"mine\.toml: aliases\[0\]: expected a name of your own"):
        load_card("mine")


NOT_NETWORKS = [
    "os:system",
    "subprocess:run",
    "builtins:exec",
    "posix:system",
    "shutil:rmtree",
    "antigravity:x",
]


@pytest.mark.parametrize("spec", [*NOT_NETWORKS, "mine.py:system", "mine.py:partly", "mine.py:Popen"])
def test_what_belongs_to_python_is_not_called(spec: str, here: Path) -> None:
    (here / "mine.py").write_text(
        "from functools import partial\nfrom os import system\nfrom subprocess import Popen, run\n"
        "partly = partial(run, shell=True)\n"
    )
    for options in ({}, {"command": "touch ran"}, {"args": "touch ran"}):
        with pytest.raises(InputError, match=r"belongs to Python itself|unknown callable"):
            create(spec, **options)
    path = here / "own.toml"
    path.write_text(f'title = "T"\nnetwork = "{spec}"\n[options]\ncommand = "touch ran"\n')
    assert main(["baselines", "check", str(path)]) == 1
    assert main(["predict", str(path), "--images", ".", "--out", "maps"]) == 2
    assert not (here / "ran").exists()


@pytest.mark.parametrize(
    "made", ["create", "cached", "partly", "Net", "Maker()", "Maker().make", "lambda: Net()"]
)
def test_every_way_to_write_a_callable_is_taken(made: str, here: Path) -> None:
    (here / "nets.py").write_text(
        "import functools\nfrom torch import nn\n\n\n"
        "class Net(nn.Conv2d):\n"
        "    def __init__(self, inputs=3):\n        super().__init__(inputs, 1, 1)\n\n\n"
        "def create():\n    return Net()\n\n\n"
        "class Maker:\n    def __call__(self):\n        return Net()\n\n"
        "    def make(self):\n        return Net()\n\n\n"
        f"cached = functools.cache(create)\npartly = functools.partial(Net, inputs=3)\nmade = {made}\n"
    )
    assert len(list(create("nets.py:made").parameters())) == 2


def test_a_module_that_ends_python_is_one_line(here: Path) -> None:
    (here / "ends.py").write_text("import sys\nsys.exit(7)\n")
    with pytest.raises(InputError, match=r"ends\.py cannot be imported \(SystemExit: 7\)"):
        load_baseline("ends.py:create")
