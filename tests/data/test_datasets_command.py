"""`sodbench datasets list, show, fetch`: output, JSON, exit codes; nothing made or fetched unasked."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from misbehaving_server import running
from PIL import Image

from sodbench.cli.main import main
from sodbench.data.card import card_names


def call(*words: object) -> int:
    return main(["datasets", *map(str, words)])


def small_set(root: Path) -> None:
    for folder in ("images", "GT"):
        (root / "SOD" / folder).mkdir(parents=True)
        for name in ("27059", "374067"):
            Image.fromarray(np.eye(20, dtype=np.uint8) * 255).save(root / "SOD" / folder / f"{name}.png")


def test_list_says_what_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SODBENCH_CACHE", str(tmp_path / "cache"))
    small_set(tmp_path)
    (tmp_path / "ECSSD").mkdir()
    for folder in ("imgs", "gt"):
        (tmp_path / "HKU-IS" / folder).mkdir(parents=True)
    assert call("list", "--data-root", tmp_path) == 0
    printed = capsys.readouterr()
    rows = {line.split()[0]: line for line in printed.out.splitlines()}
    assert set(card_names()) <= set(rows)
    assert "partial" in rows["sod"] and "2/300" in rows["sod"] and str(tmp_path / "SOD") in rows["sod"]
    assert "absent" in rows["hku-is-test"] and "broken" in rows["hku-is"]
    assert (
        "broken" in rows["ecssd"]
        and "absent" in rows["dut-omron"]
        and "generated on first use" in rows["sample"]
    )
    assert not (tmp_path / "cache").exists(), "listing makes nothing"
    assert call("list", "--json", "--data-root", tmp_path) == 0
    sets = {one["name"]: one for one in json.loads(capsys.readouterr().out)["sets"]}
    assert sets["sod"]["here"] == 2 and sets["sod"]["size"] > 0
    assert call("list", "--data-root", tmp_path / "none") == 2


def test_list_without_any_data_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path / "none"))
    assert call("list") == 0
    assert "absent" in capsys.readouterr().out


@pytest.mark.parametrize("name", card_names())
def test_show_prints_every_card(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SODBENCH_DATA", str(tmp_path))
    assert call("show", name) == 0
    printed = capsys.readouterr().out
    assert (
        all(len(line) < 200 for line in printed.splitlines()) and "cite:" in printed and "licence:" in printed
    )
    assert call("show", name, "--json") == 0
    assert json.loads(capsys.readouterr().out)["card"]["name"] == name


def test_show_plot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_set(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert call("show", "sod", "--data-root", tmp_path, "--plot") == 0
    assert (tmp_path / "reports" / "datasets" / "sod.png").is_file()
    assert "object share, median: 0.05" in capsys.readouterr().out
    assert call("show", "sod", "--data-root", tmp_path, "--plot", tmp_path / "a.svg", "--json") == 0
    assert json.loads(capsys.readouterr().out)["figure"].endswith("a.svg")
    assert call("show", "sod", "--data-root", tmp_path, "--plot", tmp_path / "a.txt") == 2


def test_fetch_goes_on_after_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for folder in ("images", "masks"):
            picture = io.BytesIO()
            Image.fromarray(np.eye(9, dtype=np.uint8) * 255).save(picture, "PNG")
            packed.writestr(f"{folder}/1.png", picture.getvalue())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    with running() as site:
        site.files["/t.zip"] = out.getvalue()
        text = (
            'title = "T"\n[count]\npairs = 1\n[[mirrors]]\narchives = [{ name = "t.zip", address = "%s" }]\n'
        )
        for name, file in (("good", "t"), ("bad", "none")):
            (tmp_path / "datasets" / f"{name}.toml").write_text(text % f"{site.url}/{file}.zip")
        assert call("fetch", "bad", "good", "--data-root", tmp_path / "data") == 2
        printed = capsys.readouterr()
        assert (
            "good: 1 of 1 pairs" in printed.out
            and "404" in printed.err
            and "bad: could not be fetched" in printed.err
        )
        assert "Traceback" not in printed.err
        assert call("fetch", "good", "--json", "--data-root", tmp_path / "data") == 0
        assert json.loads(capsys.readouterr().out)["fetched"][0]["log"] == ["already there"]
    assert call("fetch", "ecsd", "good", "--data-root", tmp_path / "data") == 2
    assert "did you mean 'ecssd'" in capsys.readouterr().err
