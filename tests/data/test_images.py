"""Pixels in and out: every mode, the conventions for masks and maps, and bad files."""

import io
import struct
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sodbench.data import images
from sodbench.data.images import read_image, read_map, read_mask, write_map
from sodbench.errors import InputError

RGB = np.random.default_rng(1).integers(0, 256, (9, 13, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]


def save(folder: Path, picture: Image.Image, name: str = "a.png", **options: object) -> Path:
    path = folder / name
    picture.save(path, **options)
    return path


def test_rgb_and_grey_pictures_keep_their_values(tmp_path: Path) -> None:
    assert np.array_equal(read_image(save(tmp_path, Image.fromarray(RGB))), RGB)
    grey = read_image(save(tmp_path, Image.fromarray(GREY)))
    assert np.array_equal(grey, np.repeat(GREY[:, :, None], 3, axis=2))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(GREY.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(RGB).convert("L").convert("LA") if mode == "LA" else Image.fromarray(RGB)
        picture = picture.convert(mode)
    name = "a.tif" if mode == "CMYK" else "a.png"
    values = read_image(save(tmp_path, picture, name))
    assert values.shape == (9, 13, 3) and values.dtype == np.uint8
    expected = GREY[:, :, None].repeat(3, 2) if mode == "I;16" else np.asarray(picture.convert("RGB"))
    assert np.array_equal(values, expected)


def test_pictures_are_writable_and_contiguous(tmp_path: Path) -> None:
    for read, picture in ((read_image, RGB), (read_mask, GREY), (read_map, GREY), (read_mask, GREY > 99)):
        values = read(save(tmp_path, Image.fromarray(picture)))
        assert values.flags.writeable and values.flags.c_contiguous


def test_a_broken_orientation_is_ignored(tmp_path: Path) -> None:
    path = save(tmp_path, Image.fromarray(GREY), exif=b"Exif\0\0garbage")
    assert np.array_equal(read_map(path), GREY)


KINDS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "GIF of 3", "TIFF of 3")


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.booleans())
def test_damaged_files_give_pixels_or_one_line(kind: str, seed: int, cut: bool) -> None:
    rng = np.random.default_rng(seed)
    frames = [Image.fromarray(RGB)] * 3 if kind.endswith("3") else [Image.fromarray(RGB)]
    more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    buffer = io.BytesIO()
    frames[0].save(buffer, kind.split()[0], **more)
    content = np.frombuffer(buffer.getvalue(), np.uint8).copy()
    if cut:
        content = content[: rng.integers(content.size)]
    else:
        content[rng.integers(0, min(content.size, rng.choice([50, 300, 5000])), 4)] = rng.integers(0, 256, 4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        path.write_bytes(content.tobytes())
        for read in (read_image, read_mask, read_map):
            try:
                read(path)
            except InputError as error:
                assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_masks_of_zero_and_one_are_stretched_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_logged", set())
    bits = (GREY > 127).astype(np.uint8)
    paths = [
        save(tmp_path, Image.fromarray(bits), "a.png"),
        save(tmp_path, Image.fromarray(bits.astype(np.uint16)), "b.png"),
        save(tmp_path, Image.fromarray(np.repeat(bits[:, :, None], 3, 2)), "c.png"),
    ]
    for path in paths:
        assert np.array_equal(read_mask(path), bits * 255)
    assert len(caplog.records) == 1 and "{0, 1}" in caplog.text and "a.png" in caplog.text
    assert np.array_equal(read_mask(save(tmp_path, Image.fromarray(bits > 0), "d.png")), bits * 255)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.randoms(use_true_random=False))
def test_grey_levels_of_masks_and_maps_are_kept(height: int, width: int, random: object) -> None:
    values = np.random.default_rng(random.getrandbits(32)).integers(0, 256, (height, width), dtype=np.uint8)  # type: ignore[attr-defined]
    values[0, 0] = 255
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        path.write_bytes(buffer.getvalue())
        assert np.array_equal(read_mask(path), values)
        assert np.array_equal(read_map(path), values)


def test_sixteen_bits_are_rounded(tmp_path: Path) -> None:
    wide = np.array([[0, 128, 129, 385, 386, 65535]], dtype=np.uint16)
    path = save(tmp_path, Image.fromarray(wide))
    assert read_mask(path).tolist() == [[0, 0, 1, 1, 2, 255]]
    assert read_image(path)[:, :, 1].tolist() == [[0, 0, 1, 1, 2, 255]]


def test_an_empty_mask_stays_empty(tmp_path: Path) -> None:
    assert not read_mask(save(tmp_path, Image.fromarray(np.zeros((4, 5), np.uint8)))).any()


def test_masks_stored_in_other_ways(tmp_path: Path) -> None:
    mask = np.where(GREY > 127, np.uint8(255), np.uint8(0))
    grey_alpha = Image.merge("LA", (Image.fromarray(np.full_like(mask, 255)), Image.fromarray(mask)))
    assert np.array_equal(read_mask(save(tmp_path, grey_alpha)), mask)
    assert read_mask(save(tmp_path, Image.new("LA", (3, 2), (101, 128)))).max() == 51, "50.7, rounded"
    assert np.array_equal(read_mask(save(tmp_path, Image.fromarray(mask).convert("RGBA"))), mask)
    assert np.array_equal(read_mask(save(tmp_path, Image.fromarray(mask.astype(np.uint16) * 257))), mask)
    assert np.array_equal(read_mask(save(tmp_path, Image.fromarray(mask).convert("P"))), mask)
    nearly_grey = np.repeat(mask[:, :, None], 3, 2)
    nearly_grey[:, :, 1] = np.where(mask > 0, 250, 6)  # as JPEG traces leave it
    assert np.array_equal(read_mask(save(tmp_path, Image.fromarray(nearly_grey))) > 128, mask > 128)


def test_a_palette_of_two_labels_is_a_mask_and_of_more_is_not(tmp_path: Path) -> None:
    labels = Image.fromarray((GREY > 127).astype(np.uint8), "L").convert("P")
    labels.putdata(list((GREY > 127).astype(np.uint8).ravel()))
    labels.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    assert np.array_equal(read_mask(save(tmp_path, labels)), np.where(GREY > 127, 255, 0))
    labels.putdata(list((GREY % 3).ravel()))
    with pytest.raises(InputError, match="3 coloured labels"):
        read_mask(save(tmp_path, labels))


def test_paletted_pictures_with_transparency(tmp_path: Path) -> None:
    picture = Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    path = save(tmp_path, picture, transparency=bytes([0, 128, 255, 255, 255, 255, 255, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read_image(path), np.asarray(picture.convert("RGB")))
    grey = Image.fromarray(GREY).convert("P")
    path = save(tmp_path, grey, "g.png", transparency=0)
    assert np.array_equal(read_mask(path), np.where(GREY == 0, 0, GREY))


@pytest.mark.parametrize("kind", ["16 bits", "colours", "float"])
def test_maps_on_an_unknown_scale_are_refused(tmp_path: Path, kind: str) -> None:
    picture = {
        "16 bits": Image.fromarray(GREY.astype(np.uint16) * 100),
        "colours": Image.fromarray(RGB),
        "float": Image.fromarray(GREY.astype(np.float32)),
    }[kind]
    path = save(tmp_path, picture, "a.tif")
    with pytest.raises(InputError, match=r"a\.tif"):
        read_map(path)


def test_maps_stored_as_grey_colour_or_bits(tmp_path: Path) -> None:
    assert np.array_equal(read_map(save(tmp_path, Image.fromarray(GREY).convert("RGB"))), GREY)
    assert np.array_equal(read_map(save(tmp_path, Image.fromarray(GREY).convert("P"))), GREY)
    assert np.array_equal(read_map(save(tmp_path, Image.fromarray(GREY > 9))), np.where(GREY > 9, 255, 0))
    nearly_black = (GREY > 9).astype(np.uint8)
    assert np.array_equal(read_map(save(tmp_path, Image.fromarray(nearly_black))), nearly_black)


def test_write_map_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.png"
    write_map(path, GREY)
    assert np.array_equal(read_map(path), GREY)
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]
    write_map(path, GREY.T)  # not contiguous
    assert np.array_equal(read_map(path), GREY.T)
    with pytest.raises(TypeError):
        write_map(path, RGB)


def png_of_size(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("read", [read_image, read_mask, read_map])
def test_bad_files_are_named_in_one_line(tmp_path: Path, read: object) -> None:
    good = io.BytesIO()
    Image.fromarray(RGB.repeat(20, 0).repeat(20, 1)).save(good, "JPEG")
    frames = [Image.fromarray(np.full((5, 5), value, np.uint8)) for value in (1, 90)]
    animation = io.BytesIO()
    frames[0].save(animation, "GIF", save_all=True, append_images=frames[1:])
    moving = io.BytesIO()
    frames[0].save(moving, "PNG", save_all=True, append_images=frames[1:])
    cases = {
        "truncated.jpg": (good.getvalue()[: len(good.getvalue()) // 2], "damaged"),
        "empty.png": (b"", "empty file"),
        "text.png": (b"hello", "not an image"),
        "head.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 4, "damaged|not an image"),
        "bomb.png": (png_of_size(60000, 60000), "refused"),
        "large.png": (png_of_size(10000, 9000), "refused"),
        "short.png": (png_of_size(500, 500), "damaged"),
        "animated.gif": (animation.getvalue(), "2 frames"),
        "moving.png": (moving.getvalue(), "2 frames"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with warnings.catch_warnings(), pytest.raises(InputError, match=message) as caught:
            warnings.simplefilter("ignore")
            read(path)  # type: ignore[operator]
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    for path in (tmp_path / "absent.png", tmp_path):
        with pytest.raises(InputError, match=path.name):
            read(path)  # type: ignore[operator]
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match=r"loop\.png"):
        read(loop)  # type: ignore[operator]


def test_a_renamed_file_is_read_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(RGB).save(path, "PNG")
    assert np.array_equal(read_image(path), RGB)


def test_the_real_pictures_are_as_pillow_reads_them(shared_data: Path) -> None:
    for name in ("27059", "374067", "100075"):  # two of the three are 8-bit, the others mode 1
        path = shared_data / "SOD" / "GT" / f"{name}.png"
        assert np.array_equal(read_mask(path), np.asarray(Image.open(path).convert("L")))
    grey = shared_data / "ECSSD" / "images" / "0557.jpg"
    assert read_image(grey).shape[2] == 3
    for path in sorted((shared_data / "ECSSD" / "images").iterdir())[:20]:
        assert np.array_equal(read_image(path), np.asarray(Image.open(path).convert("RGB")))
