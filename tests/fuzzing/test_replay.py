"""The inputs that fuzzing has kept raise nothing but InputError; and the fuzzers themselves notice faults."""

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

if sys.platform != "linux":
    pytest.skip("the bounds of memory are those of Linux", allow_module_level=True)

from sodbench.data.getting.unpack import unpack
from sodbench.data.images import read_image
from sodbench.errors import InputError
from sodbench.results.loading import read_records

from . import corpus, fuzz_archives, fuzz_pictures, fuzz_records, fuzz_toml
from .bounds import OverBounds, bounded
from .choices import STRANGE, Choices, edited_bytes, edited_tree
from .guard import Guard, failure_of

TARGETS = sorted(path.stem for path in Path(__file__).parent.glob("fuzz_*.py"))


def target(name: str) -> ModuleType:
    return importlib.import_module(f".{name}", __package__)


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs_pass(name: str) -> None:
    module = target(name)
    for data in (*corpus.kept(name.removeprefix("fuzz_")), *getattr(module, "seeds", list)()):
        module.one_input(data)


@pytest.mark.parametrize("name", TARGETS)
def test_corpora_stay_small(name: str) -> None:
    assert sum(map(len, corpus.kept(name.removeprefix("fuzz_")))) <= 4 * corpus.SIZE


def test_seeds_are_valid_files(tmp_path: Path) -> None:
    """Otherwise the fuzzers would try nothing but the first check of each reader."""
    path = tmp_path / "mine.toml"
    for read, text in fuzz_toml.kinds():
        path.write_text(text)
        read(path)
    refused = 0
    for content in fuzz_pictures.files():
        path.write_bytes(content)
        try:
            assert read_image(path).shape == (7, 9, 3) or read_image(path).shape == (9, 7, 3)
        except InputError as error:
            refused += 1
            assert "animation" in str(error) or "floating-point" in str(error)
    assert refused == 4
    for number, content in enumerate(fuzz_archives.files()):
        path.write_bytes(content)
        unpack(path, tmp_path / str(number))
        assert sum(entry.is_file() for entry in (tmp_path / str(number)).rglob("*")) == 3
    place = tmp_path / "reports" / fuzz_records.PLACE
    place.mkdir(parents=True)
    for name, content in fuzz_records.files().items():
        (place / name).write_bytes(content)
    (place / "reference.json").unlink()
    records = read_records(tmp_path / "reports")
    assert len(records.runs) == 1 and not records.problems


def test_edits_change_files_and_depend_on_the_bytes_alone() -> None:
    tree = {"a": {"b": [1, 2]}, "c": "text"}
    edits = bytes(range(40))
    assert edited_tree(tree, Choices(edits)) != tree == {"a": {"b": [1, 2]}, "c": "text"}
    assert repr(edited_tree(tree, Choices(edits))) == repr(edited_tree(tree, Choices(edits)))
    assert edited_tree(tree, Choices(b"")) == tree
    assert edited_bytes(b"0123456789", Choices(edits)) != b"0123456789"
    assert edited_bytes(b"0123456789", Choices(b"")) == b"0123456789"
    assert len(STRANGE) < 256, "one byte chooses among them"


def test_a_fault_is_found_once_and_kept_short(tmp_path: Path) -> None:
    def faulty(data: bytes) -> None:
        if b"xy" in data:
            raise KeyError("not an InputError")

    guard = Guard(SimpleNamespace(one_input=faulty), tmp_path)  # type: ignore[arg-type]
    for data in (b"\0\0fine", b"\0\0" + b"a" * 99 + b"xy" + b"b" * 99, b"\0\0xyz"):
        guard(data)
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"\0\0xy"
    assert guard.calls == 3 and len(guard.found) == 1


def test_a_fault_of_a_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(path: Path) -> None:
        raise ZeroDivisionError(path)

    for module, name in (
        (fuzz_pictures, "read_map"),
        (fuzz_toml, "load_baseline"),
        (fuzz_records, "_tables"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, planted)
            failure = failure_of(module.one_input, module.seeds()[0])
            assert failure is not None and "ZeroDivisionError" in failure[1]
    with monkeypatch.context() as patch:
        patch.setattr(fuzz_archives.module, "unpack", lambda archive, _: (archive.parent / "out").touch())
        with pytest.raises(AssertionError, match="lies outside"):
            fuzz_archives.one_input(fuzz_archives.seeds()[0])


def test_time_and_memory_are_bounded() -> None:
    with pytest.raises(MemoryError), bounded(memory=64 << 20):
        bytearray(256 << 20)
    with pytest.raises(OverBounds), bounded(seconds=0.02):
        sum(range(10**7))
    bytearray(256 << 20)  # the limit ends with the block
