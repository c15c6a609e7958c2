"""Files of saliency maps: .npy and floating-point TIFF, and which part of a file's name is the image's."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sodbench.data.float_maps import holds_floats
from sodbench.data.images import read_map
from sodbench.data.map_files import checked_pattern, list_maps, maps_now, name_of, pattern_hint
from sodbench.errors import InputError

LEVELS = np.arange(256, dtype=np.uint8).reshape(8, 32)


@pytest.mark.parametrize("kind", ["u1", "<f2", "<f4", "<f8", ">f2", ">f4", ">f8"])
@pytest.mark.parametrize("shape", [(8, 32), (1, 8, 32), (8, 32, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_level_comes_back_from_npy(
    tmp_path: Path, kind: str, shape: tuple[int, ...], order: str
) -> None:
    values = LEVELS if kind == "u1" else (LEVELS / 255).astype(kind)
    path = tmp_path / "a.npy"
    np.save(path, np.asarray(values.reshape(shape), order=order))
    levels = read_map(path)
    assert levels.dtype == np.uint8 and levels.flags.c_contiguous and levels.flags.writeable
    np.testing.assert_array_equal(levels, LEVELS)
    assert holds_floats(path) == (kind != "u1")


def test_floats_are_rounded_halves_to_even(tmp_path: Path) -> None:
    exact = np.array([[0, 0.4, 0.5, 0.6, 1.5, 2.5, 254.5, 255]]) / 255
    expected = [[0, 0, 0, 1, 2, 2, 254, 255]]
    np.save(tmp_path / "a.npy", exact)
    assert read_map(tmp_path / "a.npy").tolist() == expected
    Image.fromarray((np.array([[0, 0.4, 0.6, 255]]) / 255).astype(np.float32)).save(tmp_path / "a.tif")
    assert read_map(tmp_path / "a.tif").tolist() == [[0, 0, 1, 255]]
    assert holds_floats(tmp_path / "a.tif")
    np.save(tmp_path / "b.npy", np.array([[True, False]]))
    assert read_map(tmp_path / "b.npy").tolist() == [[255, 0]] and not holds_floats(tmp_path / "b.npy")


class _Canary:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("CANARY"),)


def _npy(header: str, values: bytes = b"", version: bytes = b"\1\0") -> bytes:
    text = header.encode("latin-1")
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + values


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a .npy file"),
        (b"PK\3\4" + bytes(99), "not a .npy file"),
        (pickle.dumps(_Canary()), "not a .npy file"),
        (_npy(HEADER % ("|O", "(1,)"), pickle.dumps(_Canary())), r"array of type '\|O'"),
        (_npy(HEADER % ("<i8", "(2, 3)"), bytes(48)), "array of type '<i8'.*astype"),
        (_npy(HEADER % ("<u2", "(2, 3)"), bytes(12)), "divide a 16-bit one by 65535"),
        (_npy(HEADER % ("|u1", "(2, 3)"), bytes(5)), "5 bytes of values, expected 6.*cut"),
        (_npy(HEADER % ("|u1", "(2, 3)"), bytes(7)), "7 bytes of values, expected 6"),
        (_npy(HEADER % ("|u1", "(100000, 100000)")), "100000 x 100000 pixels"),
        (_npy(HEADER % ("|u1", "(3, 4, 2)"), bytes(24)), r"shape \(3, 4, 2\); expected one map"),
        (_npy(HEADER % ("|u1", "(5,)"), bytes(5)), r"shape \(5,\); expected one map"),
        (_npy(HEADER % ("|u1", "()"), bytes(1)), r"shape \(\); expected one map"),
        (_npy(HEADER % ("|u1", "(0, 4)")), "has no values"),
        (_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), "not that of one plain"),
        (_npy("{'descr': '|u1', 'shape': (2, 3), }", bytes(6)), "not that of one plain"),
        (_npy("__import__('os').system('touch CANARY')"), "not that of one plain"),
        (_npy("(" * 9000), "not that of one plain"),
        (_npy(" " * 20_000 + HEADER % ("|u1", "(2, 3)"), bytes(6)), "not that of one plain"),
        (_npy(HEADER % ("|u1", "(2, 3)"), bytes(6), b"\3\0"), "not a .npy file of version"),
        (b"\x93NUMPY\1\0\xff\xff{'descr'", "not that of one plain"),
        (_npy(HEADER % ("<f4", "(1, 1)"), np.float32(np.nan).tobytes()), "1 NaN or infinite"),
        (_npy(HEADER % ("<f4", "(1, 1)"), np.float32(-np.inf).tobytes()), "1 NaN or infinite"),
        (_npy(HEADER % ("<f4", "(1, 1)"), np.float32(255).tobytes()), r"values in 255..255; expected 0..1"),
        (_npy(HEADER % ("<f4", "(1, 1)"), np.float32(-0.01).tobytes()), r"values in -0.01..-0.01"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_bad_npy_is_one_line(here: Path, content: bytes, says: str) -> None:
    path = here / "bad.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"bad.npy.*{says}") as raised:
        read_map(path)
    assert "\n" not in str(raised.value) and not (here / "CANARY").exists()


def test_a_pattern_says_which_part_of_a_file_name_is_the_name(tmp_path: Path) -> None:
    for file in ("0001_sal.PNG", "0002_sal.npy", "0001_edge.png", "_sal.png", "notes.txt"):
        (tmp_path / file).touch()
    assert [*list_maps(tmp_path, "{name}_sal")] == ["0001", "0002"]
    assert [*list_maps(tmp_path, "{name}_sal.png")] == ["0001"]
    assert [*list_maps(tmp_path)] == ["0001_edge", "0001_sal", "0002_sal", "_sal"]
    assert name_of("sal-a.b.png", "sal-{name}.png") == "a.b" and name_of("sal.png", "{name}sal") is None
    (tmp_path / "0001_sal.npy").touch()
    with pytest.raises(InputError, match=r"two maps of one image: 0001_sal\.PNG and 0001_sal\.npy"):
        list_maps(tmp_path, "{name}_sal")
    # a run that was recorded before the second file came is not refused
    assert maps_now(tmp_path, "{name}_sal")["0001"].name == "0001_sal.PNG"
    assert maps_now(tmp_path / "none") == {} == maps_now(None)
    with pytest.raises(InputError, match=r"'\{name\}.tif' fits none of its 5 files: found 0001_edge"):
        list_maps(tmp_path, "{name}.tif")


@pytest.mark.parametrize(
    "pattern", ["", "_sal.png", "{name}{name}", "{image}_sal", "{name}/a.png", "a\\{name}"]
)
def test_a_pattern_holds_the_name_once(pattern: str) -> None:
    with pytest.raises(InputError, match="pattern"):
        checked_pattern(pattern)


def test_the_pattern_that_would_fit_is_named() -> None:
    assert pattern_hint(["1_sal", "10_sal", "x"], ["1", "10", "2"]) == '; --pattern "{name}_sal" would fit'
    assert pattern_hint(["x", "y"], ["1", "2"]) == ""
