"""Fetching a set: mirrors in turn, one layout, quirks repaired and logged, nothing half-done."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import types
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from misbehaving_server import Site, running
from PIL import Image

from sodbench.data.card import load_card
from sodbench.data.folder import open_dataset
from sodbench.data.getting import download as download_module
from sodbench.data.getting.fetch import _put_in_place, fetch
from sodbench.data.getting.limits import Limits
from sodbench.errors import InputError


def png(value: int = 255, size: tuple[int, int] = (6, 5), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full(size, value, np.uint8)).save(out, kind)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def pairs(images: str, masks: str, names: list[str], suffix: str = ".jpg") -> dict[str, bytes]:
    return {f"{images}/{name}{suffix}": png(80, kind="JPEG") for name in names} | {
        f"{masks}/{name}.png": png() for name in names
    }


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(download_module, "PAUSE", 0.001)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    with running() as site:
        yield site


def card_file(name: str, mirrors: str, count: int = 2, extra: str = "") -> None:
    text = f'title = "T"\nfolders = ["{name.upper()}"]\n[count]\npairs = {count}\n{mirrors}\n{extra}'
    Path("datasets", f"{name}.toml").write_text(text, encoding="utf-8")


def mirror(address: str, name: str = "t.zip", kind: str = "http", more: str = "") -> str:
    return f'[[mirrors]]\nkind = "{kind}"\narchives = [{{ name = "{name}", address = "{address}"{more} }}]\n'


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_a_set_is_fetched_into_one_layout(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(
        pairs("top/T/Imgs", "top/T/GT", ["1", "2"]) | {"top/README.md": b"hi", "__MACOSX/x": b""}
    )
    card_file("t", mirror(site.url + "/t.zip"))
    root = tmp_path / "data"
    done = fetch(load_card("t"), root)
    assert (done.folder, done.pairs, done.expected) == (root / "T", 2, 2)
    assert sorted(path.name for path in (root / "T").iterdir()) == [
        "README.md",
        "fetched.json",
        "images",
        "masks",
    ]
    record = json.loads((root / "T" / "fetched.json").read_text())
    assert (
        record["archives"][0]["address"] == site.url + "/t.zip" and len(record["archives"][0]["sha256"]) == 64
    )
    assert [sample.name for sample in open_dataset("t", root).samples] == ["1", "2"]
    assert left(root) == [".downloads", "T"] and left(root / ".downloads") == ["t.lock"]
    assert fetch(load_card("t"), root).log == ("already there",)
    assert site.count("/t.zip") == 1


def test_mirrors_are_tried_in_turn(site: Site, tmp_path: Path) -> None:
    good = zipped(pairs("images", "masks", ["1", "2"]))
    site.files.update(
        {"/bytes.zip": good[:-9], "/broken.zip": b"PK\x03\x04 no", "/page.zip": b"<html>", "/good.zip": good}
    )
    site.files["/other.zip"] = zipped({"readme.txt": b"no pictures"})
    addresses = ["/none.zip", "/page.zip", "/broken.zip", "/other.zip", "/good.zip"]
    wrong = mirror(site.url + "/bytes.zip", more=', sha256 = "' + "0" * 64 + '"')
    card_file("t", wrong + "".join(mirror(site.url + address) for address in addresses))
    notes: list[str] = []
    assert fetch(load_card("t"), tmp_path / "data", notify=notes.append).pairs == 2
    complaints = [line for line in notes if line.startswith("t: ")]
    for line, word in zip(complaints, ("content", "404", "web page", "archive", "no pairs"), strict=True):
        assert word in line
    assert left(tmp_path / "data") == [".downloads", "T"]


def test_cut_connections_and_several_archives(site: Site, tmp_path: Path) -> None:
    site.files["/images.zip"] = zipped(
        {f"images/{name}.jpg": png(9, kind="JPEG") + os.urandom(200_000) for name in "12"}
    )
    site.files["/gt.zip"] = zipped({f"{name}.png": png() for name in "12"})
    site.etags["/images.zip"] = '"1"'
    site.cuts["/images.zip"] = [150_000, 10, 90_000]
    archives = (
        f'{{ name = "images.zip", address = "{site.url}/images.zip", into = "images" }}, '
        f'{{ name = "gt.zip", address = "{site.url}/gt.zip", into = "ground_truth_mask" }}'
    )
    layout = '[[layouts]]\nname = "official"\nimages = "images"\nmasks = "ground_truth_mask"\n'
    card_file("t", f"[[mirrors]]\narchives = [{archives}]\n", extra=layout)
    assert fetch(load_card("t"), tmp_path / "data").pairs == 2
    assert site.count("/images.zip") == 4


def test_known_quirks_are_repaired_and_logged(site: Site, tmp_path: Path) -> None:
    odd = "n01532829_13482"
    members = pairs("DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask", [odd, "n01532829_1"])
    members[f"DUTS-TR/DUTS-TR-Mask/{odd}.png"] = png(size=(3, 3))
    members[f"DUTS-TR/DUTS-TR-Mask/{odd}.jpg"] = png(255, kind="JPEG")
    members["DUTS-TR/DUTS-TR-Image/n1.JPG"] = png(7, kind="JPEG")
    members["DUTS-TR/DUTS-TR-Mask/n1.PNG"] = png()
    members["DUTS-TR/DUTS-TR-Image/alone.jpg"] = png(7, kind="JPEG")
    members["DUTS-TR/DUTS-TR-Mask/stray.jpg"] = png()
    site.files["/d.zip"] = zipped(members)
    quirks = (
        f'[[layouts]]\nname = "o"\nimages = "DUTS-TR-Image"\nmasks = "DUTS-TR-Mask"\n'
        f'[[quirks]]\ntext = "wrong size"\ntake_mask = ["{odd}.jpg"]\n'
        '[[quirks]]\ntext = "does not belong"\nignore_masks = ["stray.jpg"]\n'
    )
    card_file("odd", mirror(site.url + "/d.zip"), count=3, extra=quirks)
    done = fetch(load_card("odd"), tmp_path / "data")
    log = "\n".join(done.log)
    for line in (
        f"converted the mask {odd}.jpg",
        "renamed n1.JPG to n1.jpg",
        "renamed n1.PNG",
        "stray.jpg: does not",
        "alone",
    ):
        assert line in log, line
    samples = open_dataset("odd", tmp_path / "data").samples
    assert [sample.mask.name for sample in samples if sample.mask] == [
        "n01532829_1.png",
        f"{odd}.png",
        "n1.png",
    ]
    with Image.open(done.folder / "masks" / f"{odd}.png") as mask:
        assert mask.size == (5, 6) and np.asarray(mask).min() == 255


def test_one_set_out_of_a_bundle(site: Site, tmp_path: Path) -> None:
    site.files["/b.zip"] = zipped(
        pairs("Test/CAMO_Test/Imgs", "Test/CAMO_Test/GT", ["1", "2"])
        | pairs("Test/T/Imgs", "Test/T/GT", ["a", "b", "c"])
    )
    card_file("t", mirror(site.url + "/b.zip"), count=3)
    fetch(load_card("t"), tmp_path / "data")
    assert [sample.name for sample in open_dataset("t", tmp_path / "data").samples] == ["a", "b", "c"]
    card_file("u", mirror(site.url + "/b.zip"))
    with pytest.raises(InputError, match="several sets"):
        fetch(load_card("u"), tmp_path / "data")


def test_the_list_of_a_split_chooses(site: Site, tmp_path: Path) -> None:
    whole = pairs("HKU-IS/Imgs", "HKU-IS/gt", [f"{number:04d}" for number in range(6)])
    site.files["/h.zip"] = zipped(whole | {"HKU-IS/test.lst": b"0001.jpg\n0004.jpg\n"})
    card_file("v", mirror(site.url + "/h.zip"), extra='[split]\nof = "hku-is"\nlists = ["test.lst"]\n')
    assert fetch(load_card("v"), tmp_path / "data").pairs == 2
    assert [sample.name for sample in open_dataset("v", tmp_path / "data").samples] == ["0001", "0004"]


def test_names_and_number_tell_a_set_from_a_bundle(site: Site, tmp_path: Path) -> None:
    site.files["/b.zip"] = zipped(pairs("Imgs", "GT", ["cam_1", "cam_2", "cod_1", "cod_2", "cod_3"]))
    card_file("t", mirror(site.url + "/b.zip"), extra="[names]\npattern = 'cam_.+'\n")
    done = fetch(load_card("t"), tmp_path / "data")
    assert done.pairs == 2 and "left out 3 pairs whose names are not of this set" in done.log
    card_file("u", mirror(site.url + "/b.zip"))
    with pytest.raises(InputError, match="5 pairs in the archive, and the set has 2"):
        fetch(load_card("u"), tmp_path / "data")
    assert left(tmp_path / "data") == [".downloads", "T"]


def test_archives_that_reach_out_are_refused(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1"]) | {"../../evil.txt": b"1"})
    card_file("t", mirror(site.url + "/t.zip"))
    with pytest.raises(InputError, match="leaves its folder"):
        fetch(load_card("t"), tmp_path / "data" / "deep")
    assert not list(tmp_path.rglob("evil.txt")) and left(tmp_path / "data" / "deep") == [".downloads"]


def test_a_part_of_a_set_is_not_touched_unless_told(site: Site, tmp_path: Path) -> None:
    root = tmp_path / "data"
    for folder in ("images", "masks"):
        (root / "T" / folder).mkdir(parents=True)
        (root / "T" / folder / "1.png").write_bytes(png())
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    with pytest.raises(InputError, match=r"holds 1 of 2 pairs.*--replace"):
        fetch(load_card("t"), root)
    site.errors["/t.zip"] = [404]
    with pytest.raises(InputError):
        fetch(load_card("t"), root, replace=True)
    assert len(open_dataset("t", root).samples) == 1, "a failure leaves the old copy"
    assert fetch(load_card("t"), root, replace=True).pairs == 2
    assert left(root) == [".downloads", "T"]


def test_two_at_once_fetch_once(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    card, root = load_card("t"), tmp_path / "data"
    with ThreadPoolExecutor(4) as pool:
        logs = [done.log for done in pool.map(lambda _: fetch(card, root), range(4))]
    assert logs.count(("already there",)) == 3 and site.count("/t.zip") == 1
    assert left(root) == [".downloads", "T"]


def test_forbidden_sets_say_where_to_put_the_file(tmp_path: Path, site: Site) -> None:
    card, root = load_card("dis5k-te1"), tmp_path / "data"
    with pytest.raises(InputError) as caught:
        fetch(card, root)
    put = root / ".downloads" / "dis5k-te1" / "DIS5K.zip"
    message = str(caught.value)
    assert str(put) in message and "1O1eIuXX1hlGsV7qx4eSkjH231q7G1by1" in message and "\n" not in message
    assert site.asked == []
    members = pairs("DIS5K/DIS-TE1/im", "DIS5K/DIS-TE1/gt", ["1", "2"]) | pairs(
        "DIS5K/DIS-VD/im", "DIS5K/DIS-VD/gt", ["3"]
    )
    put.write_bytes(zipped(members))
    done = fetch(card, root, keep_archives=True)
    assert done.pairs == 2 and "2 pairs, and the card expects 500" in done.log
    assert put.is_file()


def test_a_file_put_by_hand_is_taken_under_another_ending(site: Site, tmp_path: Path) -> None:
    card_file("t", mirror("nothing", name="T.rar", kind="drive"))
    store = tmp_path / "data" / ".downloads" / "t"
    store.mkdir(parents=True)
    (store / "T.zip").write_bytes(zipped(pairs("images", "masks", ["1", "2"])))
    assert fetch(load_card("t"), tmp_path / "data").pairs == 2


def test_a_file_put_by_hand_comes_before_any_mirror(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip") + mirror("the-bundle", name="bundle.zip", kind="drive"))
    store = tmp_path / "data" / ".downloads" / "t"
    store.mkdir(parents=True)
    (store / "bundle.zip").write_bytes(zipped(pairs("images", "masks", ["3", "4"])))
    fetch(load_card("t"), tmp_path / "data")
    assert [sample.name for sample in open_dataset("t", tmp_path / "data").samples] == ["3", "4"]
    assert site.asked == []


def test_drive_mirrors(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(**options: object) -> str:
        Path(str(options["output"])).write_bytes(zipped(pairs("images", "masks", ["1", "2"])))
        return str(options["output"])

    monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=fake))
    card_file("t", mirror("some-id", kind="drive"))
    assert fetch(load_card("t"), tmp_path / "data").pairs == 2


def test_two_processes_fetch_once(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    command = [
        sys.executable,
        "-m",
        "sodbench",
        "datasets",
        "fetch",
        "t",
        "--data-root",
        str(tmp_path / "data"),
    ]
    running_ = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = sorted(process.communicate(timeout=100)[0] for process in running_)
    assert [process.returncode for process in running_] == [0, 0] and site.count("/t.zip") == 1
    assert sum("already there" in line for line in outputs) == 1
    assert left(tmp_path / "data") == [".downloads", "T"]


def test_a_data_root_that_cannot_be_written(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card_file("t", mirror(site.url + "/t.zip"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="data root"):
        fetch(load_card("t"), tmp_path / "file")

    def read_only(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch, pytest.raises(InputError, match=r"Read-only.*another data root"):
        patch.setattr(os, "open", read_only)
        fetch(load_card("t"), tmp_path / "data")


def test_sets_that_are_not_fetched(site: Site, tmp_path: Path) -> None:
    card_file("mine", "", extra="", count=1)
    with pytest.raises(InputError, match=r"could not be fetched.*MINE"):
        fetch(load_card("mine"), tmp_path / "data")
    assert fetch(load_card("sample"), tmp_path / "data").pairs == 60


def test_interrupted_work_is_cleared_away(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodbench.data.getting import fetch as module

    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "standardise", interrupted)
        fetch(load_card("t"), tmp_path / "data")
    assert left(tmp_path / "data") == [".downloads"]
    assert left(tmp_path / "data" / ".downloads" / "t") == ["t.zip"]
    killed = tmp_path / "data" / ".downloads" / "t" / "unpacked"
    for name, content in pairs("images", "masks", ["3"]).items():
        (killed / name).parent.mkdir(parents=True)
        (killed / name).write_bytes(content)
    assert fetch(load_card("t"), tmp_path / "data").pairs == 2
    assert site.count("/t.zip") == 1, "the archive that was complete is not fetched again"
    assert left(tmp_path / "data" / "T" / "images") == ["1.jpg", "2.jpg"]


def test_a_replacement_that_was_killed_between_two_renames(site: Site, tmp_path: Path) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    root = tmp_path / "data"
    fetch(load_card("t"), root)
    (root / "T").rename(root / ".T.old")
    assert fetch(load_card("t"), root).log == ("already there",)
    assert left(root) == [".downloads", "T"]
    (root / ".T.old").mkdir()
    assert fetch(load_card("t"), root).log == ("already there",)
    assert left(root) == [".downloads", "T"] and site.count("/t.zip") == 1


def test_the_downloads_of_a_set_in_place_are_cleared_away_later(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sodbench.data.getting import fetch as module

    put_in_place = module._put_in_place
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    root = tmp_path / "data"
    store = root / ".downloads" / "t"

    def killed(before: bool, **options: bool) -> None:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

            def stop(*arguments: Any) -> None:
                if not before:
                    put_in_place(*arguments)
                patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # a killed process removes nothing
                raise KeyboardInterrupt

            patch.setattr(module, "_put_in_place", stop)
            fetch(load_card("t"), root, **options)

    killed(before=False)
    assert (store / "t.zip").exists() and (root / "T").is_dir()
    assert fetch(load_card("t"), root).log == ("already there",)
    assert left(root / ".downloads") == ["t.lock"]

    killed(before=False, replace=True, keep_archives=True)
    assert fetch(load_card("t"), root).log == ("already there",)
    assert left(store) == ["t.zip"], "an archive that is to be kept is kept"

    (root / "T" / "fetched.json").write_text("{}")  # of another second
    killed(before=True, replace=True)
    assert fetch(load_card("t"), root).log == ("already there",)
    assert left(store) == ["t.zip"], "the set that it is for is not in place"
    fetch(load_card("t"), root, replace=True)
    assert left(root / ".downloads") == ["t.lock"] and site.count("/t.zip") == 2


def test_the_limits_of_the_card_hold(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["/t.zip"] = zipped(pairs("images", "masks", ["1", "2"]))
    card_file("t", mirror(site.url + "/t.zip"))
    for limits, why in ((Limits(members=3), "more than 3 members"), (Limits(total=200), "announces")):
        monkeypatch.setattr("sodbench.data.getting.fetch.limits_of", lambda card, limits=limits: limits)
        with pytest.raises(InputError, match=why):
            fetch(load_card("t"), tmp_path / why)
        assert left(tmp_path / why) == [".downloads"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, OSError])
def test_a_replacement_that_is_stopped_between_its_two_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    new, target = tmp_path / "new", tmp_path / "SOD"
    for folder in (new, target):
        folder.mkdir()
        (folder / "whose").write_text(folder.name)
    rename = Path.rename

    def stopped(self: Path, to: Path) -> Path:
        if self == new:
            raise stop
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(stop):
        _put_in_place(new, target, replace=True)
    assert (target / "whose").read_text() == "SOD"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SOD", "new"]
