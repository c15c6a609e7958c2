"""Pictures: damaged, lying, of other formats, animated, bombs, of modes that hold no map or mask."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from .case import Build, Case
from .good import NET
from .world import HEIGHT, WIDTH, World, map_of, mask_of, picture_of

SCORE = ("score", "own", "--masks", "masks", "--name", "n", "--quiet")
PREDICT = ("predict", *NET, "--images", "images", "--out", "out", "--quiet")
# maps that were finished before the bad picture was met
MAPS = ("work/out", "work/out/a.png", "work/out/c.png")


def encoded(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """A picture in a file format."""
    out = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, data: bytes, *, depth: int = 8, colour: int = 0, more: bytes = b"") -> bytes:
    """A PNG file from its header and its compressed data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@cache
def zeros(count: int) -> bytes:
    """That many zero bytes, compressed."""
    squeezer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [squeezer.compress(block[: min(1 << 20, count - done)]) for done in range(0, count, 1 << 20)]
    return b"".join([*parts, squeezer.flush()])


def _grey() -> bytes:
    return encoded(map_of(1, 2))


def _jpeg() -> bytes:
    return encoded(picture_of(1), "JPEG")


def _animation(kind: str) -> bytes:
    frames = [Image.fromarray(map_of(number)) for number in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def _flipped(content: bytes, at: float) -> bytes:
    place = int(len(content) * at)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _tiff_of_size(width: int, height: int) -> bytes:
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, 16),
    ]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(20)


def _gif_lying() -> bytes:
    good = bytearray(encoded(map_of(1), "GIF"))
    good[6:10] = b"\xff\xff\xff\xff"
    return bytes(good)


def _bmp_lying() -> bytes:
    good = bytearray(encoded(map_of(1), "BMP"))
    struct.pack_into("<ii", good, 18, 40000, 2000)
    return bytes(good)


# bytes that no reader may take, whatever the picture stands for -> what the error says besides the file
BYTES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty file"),
    "one-byte": (lambda: b"\x89", "not an image"),
    "text": (lambda: b"not a picture\n", "not an image"),
    "html": (lambda: b"<!DOCTYPE html><html><body>404</body></html>", "not an image"),
    "zeros": (lambda: bytes(1000), "not an image"),
    "svg": (
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        "not an image",
    ),
    "pdf": (lambda: b"%PDF-1.7\n%%EOF", "not an image"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", "not an image"),
    "icon": (lambda: encoded(Image.new("L", (32, 32)), "ICO"), "not an image"),
    "jpeg-2000": (lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60), "not an image"),
    "netpbm": (lambda: b"P5 4 4 255\n" + bytes(16), "not an image"),
    "numpy": (lambda: b"\x93NUMPY\x01\x00v\x00{'descr': '|u1'}", "not an image"),
    "git-lfs": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
        "not an image",
    ),
    "png-signature-only": (lambda: _grey()[:8], "not an image|damaged"),
    "png-header-only": (lambda: _grey()[:33], "damaged|not an image"),
    "png-cut": (lambda: _grey()[: len(_grey()) // 2], "damaged"),
    "png-cut-near-the-end": (lambda: _grey()[:-30], "damaged"),
    "png-flipped": (lambda: _flipped(_grey(), 0.6), "damaged"),
    "png-header-flipped": (lambda: _flipped(_grey(), 0.01), "damaged|not an image"),
    "png-no-width": (lambda: png(0, 4, zeros(8)), "damaged|not an image|pixels"),
    "png-short-data": (lambda: png(WIDTH, HEIGHT, zeros(100)), "damaged"),
    "png-depth-3": (lambda: png(4, 4, zeros(20), depth=3), "damaged|not an image"),
    "png-colour-9": (lambda: png(4, 4, zeros(20), colour=9), "damaged|not an image"),
    "png-text-bomb": (
        lambda: png(4, 4, zeros(20), more=chunk(b"zTXt", b"k\0\0" + zeros(300 << 20))),
        "damaged|not an image",
    ),
    "png-giant": (lambda: png(100_000, 100_000, zeros(1000)), "pixels"),
    "png-2-to-the-31": (lambda: png(2**31 - 1, 2**31 - 1, zeros(1000)), "pixels|damaged|not an image"),
    "png-thin-giant": (lambda: png(1, 89_478_486, zeros(1000)), "pixels"),
    "jpeg-cut": (lambda: _jpeg()[: len(_jpeg()) // 2], "damaged"),
    "jpeg-start-only": (lambda: b"\xff\xd8\xff\xe0", "not an image|damaged"),
    "jpeg-giant": (
        lambda: _jpeg().replace(struct.pack(">HH", HEIGHT, WIDTH), b"\xff\xff\xff\xff", 1),
        "pixels|damaged",
    ),
    "gif-animation": (lambda: _animation("GIF"), "animation of 3 frames"),
    "png-animation": (lambda: _animation("PNG"), "animation of 3 frames"),
    "webp-animation": (lambda: _animation("WEBP"), "animation of 3 frames"),
    "tiff-of-three": (lambda: _animation("TIFF"), "animation of 3 frames|3 pictures"),
    "gif-lying-size": (_gif_lying, "damaged|pixels|another size|differ"),
    "gif-cut": (lambda: encoded(map_of(1), "GIF")[:60], "damaged|not an image"),
    "webp-cut": (lambda: encoded(picture_of(1), "WEBP")[:80], "damaged|not an image"),
    "webp-lying-size": (
        lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(10) + b"\xff" * 6,
        "damaged|not an image|pixels",
    ),
    "bmp-lying-size": (_bmp_lying, "damaged|pixels"),
    "bmp-cut": (lambda: encoded(map_of(1), "BMP")[:200], "damaged|not an image"),
    "tiff-giant": (lambda: _tiff_of_size(60_000, 60_000), "pixels|damaged"),
    "tiff-short": (lambda: _tiff_of_size(4_000, 4_000), "damaged"),
    "tiff-cut": (lambda: encoded(map_of(1), "TIFF")[:40], "damaged|not an image"),
    "tiff-float": (
        lambda: encoded(np.full((HEIGHT, WIDTH), np.nan, np.float32), "TIFF"),
        "floating|NaN",
    ),
}

# bytes that decode to another picture than they seem to; as a map and as a mask
COLOURS = np.dstack([map_of(1), 255 - map_of(1), np.roll(map_of(1), 9, 1)])


def _palette(colours: list[int]) -> Image.Image:
    picture = Image.fromarray((mask_of(1) > 0).astype(np.uint8) + (map_of(1) > 250), mode="L").convert("P")
    labels = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) % 5
    picture = Image.fromarray(labels, mode="P")
    picture.putpalette(colours)
    return picture


RAINBOW = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 0, 255, 255]
MAPS_ONLY: dict[str, tuple[Callable[[], bytes], str]] = {
    "16-bit": (lambda: encoded(map_of(1).astype(np.uint16) * 257), "more than 8 bits|16"),
    "32-bit": (lambda: encoded(map_of(1).astype(np.int32) * 70000, "TIFF"), "more than 8 bits|32"),
    "colours": (lambda: encoded(COLOURS), "in colours"),
    "jpeg-colours": (lambda: encoded(COLOURS, "JPEG"), "in colours"),
    "cmyk": (lambda: encoded(Image.fromarray(COLOURS).convert("CMYK"), "JPEG"), "in colours"),
    "colour-palette": (lambda: encoded(_palette(RAINBOW)), "in colours"),
    "palette-missing": (
        lambda: png(WIDTH, HEIGHT, zlib.compress(bytes((WIDTH + 1) * HEIGHT)), colour=3),
        "palette",
    ),
    "palette-short": (
        lambda: png(
            WIDTH,
            HEIGHT,
            zlib.compress((b"\0" + bytes(range(WIDTH))) * HEIGHT),
            colour=3,
            more=chunk(b"PLTE", b"\0\0\0\xff\xff\xff"),
        ),
        "palette",
    ),
    "other-size": (lambda: encoded(map_of(1)[:-1]), "b: map is 39 x 48, mask is 40 x 48"),
    "turned": (lambda: encoded(map_of(1).T), "b: map is 48 x 40, mask is 40 x 48"),
    "one-pixel": (lambda: encoded(map_of(1)[:1, :1]), "b: map is 1 x 1"),
    "thin-legal-giant": (lambda: png(1, 89_478_485, zeros(2 * 89_478_485)), "89478485|89,478,485"),
    "wide-legal-giant": (lambda: png(89_478_485, 1, zeros(89_478_486)), "89478485|89,478,485"),
    "square-legal-giant": (lambda: png(9459, 9459, zeros(9460 * 9459)), "9459"),
}
MASKS_ONLY: dict[str, tuple[Callable[[], bytes], str]] = {
    "colours": (lambda: encoded(COLOURS), "in colours"),
    "five-labels": (lambda: encoded(_palette(RAINBOW)), "5 coloured labels"),
    "palette-missing": MAPS_ONLY["palette-missing"],
    "palette-short": MAPS_ONLY["palette-short"],
    "32-bit": (lambda: encoded(map_of(1).astype(np.int32) * 70000, "TIFF"), "8 or 16 bits"),
    "negative": (lambda: encoded(map_of(1).astype(np.int32) - 99, "TIFF"), "8 or 16 bits"),
    "floating": (lambda: encoded(map_of(1).astype(np.float32), "TIFF"), "floating-point"),
    "other-size": (lambda: encoded(mask_of(1)[:, :-1]), "b: map is 40 x 48, mask is 40 x 47"),
    "thin-legal-giant": MAPS_ONLY["thin-legal-giant"],
}
RESAMPLED = {name: MAPS_ONLY[name] for name in ("thin-legal-giant", "wide-legal-giant")}


def _in_place(path: str, content: Callable[[], bytes]) -> Build:
    def build(world: World) -> None:
        (world.work / path).write_bytes(content())

    return build


HEAVY = ("giant", "bomb")


def _case(
    name: str, run: tuple[str, ...], path: str, content: Callable[[], bytes], says: str, **more: object
) -> Case:
    heavy = any(word in name for word in HEAVY)
    # a score of it is refused by its size alone; what shows or predicts it has to hold it
    most = 700 if heavy and run[0] == "score" else 1200 if heavy else 300
    return Case(
        name,
        run,
        says=says,
        build=_in_place(path, content),
        megabytes=most,
        whole="legal-giant" in name,
        **more,
    )  # type: ignore[arg-type]


def _of_b(says: str) -> str:
    """The error names the file, or the pair of map and mask."""
    return says if says.startswith("b: ") else f"\\bb\\b.*({says})"


CASES = [
    *(
        _case(f"pictures/map-{what}", SCORE, "own/b.png", content, f"b\\.png.*({says})")
        for what, (content, says) in BYTES.items()
    ),
    *(
        _case(f"pictures/map-{what}", SCORE, "own/b.png", content, _of_b(says))
        for what, (content, says) in MAPS_ONLY.items()
    ),
    *(
        _case(f"pictures/mask-{what}", SCORE, "masks/b.png", content, f"b\\.png.*({says})")
        for what, (content, says) in BYTES.items()
        if what
        in (
            "empty",
            "html",
            "png-cut",
            "png-giant",
            "gif-animation",
            "jpeg-cut",
            "png-flipped",
            "png-text-bomb",
        )
    ),
    *(
        _case(f"pictures/mask-{what}", SCORE, "masks/b.png", content, _of_b(says))
        for what, (content, says) in MASKS_ONLY.items()
    ),
    *(
        _case(f"pictures/image-{what}", PREDICT, "images/b.png", content, f"b\\.png.*({says})", changes=MAPS)
        for what, (content, says) in BYTES.items()
        if what
        in (
            "empty",
            "html",
            "png-cut",
            "png-giant",
            "webp-animation",
            "tiff-giant",
            "jpeg-giant",
            "tiff-float",
            "bmp-lying-size",
            "git-lfs",
            "postscript",
        )
    ),
    # a whole map of so many pixels would have to be written: refused, or done within the bounds
    _case(
        "pictures/image-thin-legal-giant",
        PREDICT,
        "images/b.png",
        MAPS_ONLY["thin-legal-giant"][0],
        "",
        changes=("work/out*",),
        code=(0, 2),
    ),
    *(
        _case(
            f"pictures/resampled-{what}",
            (*SCORE, "--protocols", "sal-eval"),
            "own/b.png",
            content,
            f"b.*({says})",
        )
        for what, (content, says) in RESAMPLED.items()
    ),
    *(
        _case(
            f"pictures/verify-mask-{what}",
            ("datasets", "verify", "sod"),
            "../data/SOD/GT/8049.png",
            content,
            "",
            code=1,
            prints="problem.*8049",
        )
        for what, (content, _) in BYTES.items()
        if what in ("empty", "png-cut", "png-giant", "gif-animation")
    ),
    *(
        _case(
            f"pictures/verify-mask-{what}",
            ("datasets", "verify", "sod"),
            "../data/SOD/GT/8049.png",
            content,
            "",
            code=1,
            prints="problem.*8049",
        )
        for what, (content, _) in MASKS_ONLY.items()
        if what in ("colours", "five-labels", "palette-missing", "floating", "other-size", "thin-legal-giant")
    ),
    *(
        _case(
            f"pictures/verify-map-{what}",
            ("datasets", "verify", "sod", "--maps", "maps/DSS"),
            "maps/DSS/8049.png",
            content,
            "",
            code=1,
            prints="problem.*8049",
        )
        for what, (content, _) in MAPS_ONLY.items()
        if what in ("16-bit", "colours", "palette-missing", "other-size", "thin-legal-giant")
    ),
    *(
        _case(
            f"pictures/stress-{what}",
            ("stress", *NET, "--datasets", "sod", "--kinds", "fog", "--severities", "1", "--quiet"),
            "../data/SOD/images/8049.jpg",
            content,
            "8049.jpg",
        )
        for what, (content, _) in BYTES.items()
        if what in ("empty", "png-cut", "png-signature-only")
    ),
    *(
        _case(
            f"pictures/show-{what}",
            ("show", "DSS", "8049", "--out", "s.png"),
            "maps/DSS/8049.png",
            content,
            "8049",
            code=(1, 2),
        )
        for what, (content, _) in {**MAPS_ONLY, **BYTES}.items()
        if what in ("other-size", "png-cut", "16-bit", "thin-legal-giant")
    ),
]
