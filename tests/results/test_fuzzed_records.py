"""Any value of a record replaced by any other: one line that names what is wrong, or a working command."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sodbench.cli.main import main
from sodbench.map_scoring import score_maps

COMMANDS = {
    "report": "report --reports . --formats markdown csv json latex --figures --published --intervals --seeds"
    " --protocols pysodmetrics basnet2019",
    "check": "check --reports . --against reference.json",
    "update": "check --reports . --against other.json --update",
    "compare": "compare a b --reports . --resamples 100 --most-different 1",
    "show": "show a 1 --reports . --out sheet.png",
    "audit": "audit . --quiet",
    "reproduce": "reproduce runs/a/mine --quiet",
}
VALUES = (
    None, True, False, 0, -1, 3, 10**30, 0.5, -1e308, float("nan"), float("inf"), "", "x", "a@b", "\x1b[31m",
    "../../../etc/passwd", "reports:/dev", "data-root:", "cache:..", "\ud800", [], [[]], [None], ["x", 1], {},
    {"x": {"y": []}}, {"": None},
)  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reports folder with the records of `a` and `b` and a reference of both."""
    folder = tmp_path_factory.mktemp("fuzzed")
    random = np.random.default_rng(0)
    for name in ("masks", "a", "b"):
        (folder / name).mkdir()
        for number in range(3):
            mask = np.zeros((12, 14), np.uint8)
            mask[3 : 6 + number, 4:10] = 255
            noise = random.integers(0, 60, mask.shape) * (name != "masks")
            Image.fromarray((mask // 255 * 190 + noise).astype(np.uint8) if name != "masks" else mask).save(
                folder / name / f"{number}.png"
            )
    for name in ("a", "b"):
        score_maps(
            folder / name,
            "mine",
            masks=folder / "masks",
            images=folder / "masks",
            name=name,
            protocols=["pysodmetrics", "basnet2019"],
            metrics=["MAE", "F"],
            reports=folder / "reports",
        )
    reports = folder / "reports"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reports)
        assert main([*COMMANDS["check"].split(), "--update"]) == 0
    return reports


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON value."""
    yield path
    if isinstance(content, dict | list):
        for key in content if isinstance(content, dict) else range(len(content)):
            yield from places(content[key], (*path, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with one value replaced."""
    if not path:
        return value
    changed = copy.deepcopy(content)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def answers(command: str, reports: Path, file: Path, content: Any, capsys: pytest.CaptureFixture[str]) -> int:
    """Runs a command on a changed file; asserts that it ends with an exit code and plain lines on stderr."""
    original = file.read_bytes()
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(reports)
        try:
            code = main(COMMANDS[command].split())
        finally:
            file.write_bytes(original)
            shutil.rmtree(reports / "reproduced", ignore_errors=True)
    errors = capsys.readouterr().err.splitlines()
    # matplotlib's own warnings: of a character that its font lacks, and of what it should no longer call; and
    # the lines of code that they quote
    foreign = ("missing from font", "DeprecationWarning")
    errors = [line for line in errors if line[:1] != " " and not any(one in line for one in foreign)]
    assert code in (0, 1, 2), code
    assert all(line.startswith("sodbench: ") for line in errors), errors
    assert (code == 2) == any(line.startswith("sodbench: error: ") for line in errors), (code, errors)
    return code


json_values = st.recursive(
    st.sampled_from([value for value in VALUES if not isinstance(value, list | dict)]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@pytest.mark.parametrize("command", COMMANDS)
def test_any_value_of_a_run(command: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = reports / "runs" / "a" / "mine" / "run.json"
    content = json.loads(file.read_text())
    paths = list(places(content))

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(path=st.sampled_from(paths), value=st.sampled_from(VALUES) | json_values)
    def any_value(path: tuple[Any, ...], value: Any) -> None:
        answers(command, reports, file, replaced(content, path, value), capsys)

    any_value()


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_of_a_reference(
    reports: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    file = reports / "reference.json"
    content = json.loads(file.read_text())
    path = data.draw(st.sampled_from(list(places(content))))
    answers("check", reports, file, replaced(content, path, data.draw(json_values)), capsys)


@pytest.mark.parametrize("key", ["versions", "device", "protocols"])
@pytest.mark.parametrize("value", [None, [], "x", 3, {"numpy": []}])
def test_what_a_reference_depends_on_is_checked(
    reports: Path, capsys: pytest.CaptureFixture[str], key: str, value: object
) -> None:
    file = reports / "reference.json"
    content = json.loads(file.read_text())
    content["entries"][0]["depends"][key] = value
    for full in content["entries"][0]["values"]:
        content["entries"][0]["values"][full] = 0.123  # a drift, so that causes are looked for
    right = isinstance(value, dict) and key == "device"
    assert answers("check", reports, file, content, capsys) == (1 if right else 2)


def test_half_a_character_is_no_text(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = reports / "runs" / "a" / "mine" / "run.json"
    content = json.loads(file.read_text())
    content["provenance"]["images"] = "\ud800"
    assert answers("reproduce", reports, file, content, capsys) == 2
