"""EXIF orientations: every one in every format that holds one, in each reader; all are read upright."""

import io

import numpy as np
from PIL import Image, ImageOps

from .case import Build, Case
from .world import World, mask_of, picture_of

FORMATS = {"PNG": "png", "JPEG": "jpg", "TIFF": "tif", "WEBP": "webp"}
# what Pillow does to a stored picture to show it upright, and its reverse
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
NEARLY_0 = r'"MAE": (0\.0[,}]|0\.00[0-4]|[0-9.]+e-)'
SCORE = ("score", "own", "--masks", "masks", "--name", "n", "--metrics", "MAE", "--quiet", "--json")


def stored(pixels: np.ndarray, kind: str, orientation: int) -> bytes:
    """A file that shows `pixels` upright once its orientation is applied."""
    picture = Image.fromarray(pixels).transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    options = (
        {"quality": 100, "lossless": True}
        if kind == "WEBP"
        else {"quality": 100, "subsampling": 0}
        if kind == "JPEG"
        else {}
    )
    if kind == "TIFF":
        picture.save(out, kind, tiffinfo={0x0112: orientation})
    else:
        picture.save(out, kind, exif=exif, **options)
    return out.getvalue()


def _mask(kind: str, orientation: int) -> Build:
    """The masks are the maps; one mask is stored turned: MAE is 0, or nearly so in a JPEG."""

    def build(world: World) -> None:
        for number, stem in enumerate("abc"):
            Image.fromarray(mask_of(number)).save(world.work / f"own/{stem}.png")
        (world.work / "masks/b.png").unlink()
        (world.work / f"masks/b.{FORMATS[kind]}").write_bytes(stored(mask_of(1), kind, orientation))

    return build


def _map(kind: str, orientation: int) -> Build:
    def build(world: World) -> None:
        for number, stem in enumerate("abc"):
            Image.fromarray(mask_of(number)).save(world.work / f"own/{stem}.png")
        (world.work / "own/b.png").unlink()
        (world.work / f"own/b.{FORMATS[kind]}").write_bytes(stored(mask_of(1), kind, orientation))

    return build


def _image(kind: str, orientation: int) -> Build:
    def build(world: World) -> None:
        (world.work / "picture").write_bytes(stored(picture_of(1), kind, orientation))

    return build


def _read() -> None:
    from pathlib import Path

    import sodbench as sb
    from sodbench.data.images import read_image

    pixels = read_image(Path("picture"))
    assert np.abs(pixels.astype(int) - picture_of(1)).mean() < 8, "the pixels are scrambled"
    with Image.open("picture") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert expected.shape == pixels.shape
    with Image.open("picture") as opened:
        one, other = sb.predict(sb.load_baseline("net.py:create").load("net.pth"), [opened, "picture"])
    assert one.shape == (40, 48)
    assert np.array_equal(one, other)


_read.__doc__ = (
    "Both readers of colour pictures, of files and of opened pictures, agree with the upright one."
)

CASES = [
    *(
        Case(
            f"orientation/mask-{kind}-{number}",
            SCORE,
            build=_mask(kind, number),
            code=0,
            prints=NEARLY_0,
            changes=("work/reports/*",),
        )
        for kind in FORMATS
        for number in STORED
    ),
    *(
        Case(
            f"orientation/map-{kind}-{number}",
            SCORE,
            build=_map(kind, number),
            code=0,
            prints=NEARLY_0,
            changes=("work/reports/*",),
        )
        for kind in FORMATS
        for number in (5, 6, 8)
    ),
    *(
        Case(f"orientation/image-{kind}-{number}", _read, build=_image(kind, number), code=0)
        for kind in FORMATS
        for number in STORED
    ),
]
