"""Names of files, methods and data sets: control characters, not UTF-8, too long, reserved, clashing."""

import os
import shutil

from .case import Build, Case
from .world import World, map_of

SCORE = ("score", "own", "--masks", "masks", "--quiet")
RECORD = ("work/reports/*",)

# file names (bytes) among maps, masks or images -> what the error says; the name itself without its controls
FILES: dict[str, tuple[bytes, str]] = {
    "newline": (b"a\nb.png", "control characters"),
    "tab": (b"a\tb.png", "control characters"),
    "escape": (b"a\x1b[31mred.png", "control characters"),
    "bell": (b"\x07.png", "control characters"),
    "delete": (b"a\x7f.png", "control characters"),
    "carriage-return": (b"a\rsodbench: all is well.png", "control characters"),
    "latin-1": (b"caf\xe9.png", "not UTF-8"),
    "half-a-character": (b"\xe2\x82.png", "not UTF-8"),
    "overlong": (b"\xc0\xae.png", "not UTF-8"),
    "surrogate": (b"\xed\xa0\x80.png", "not UTF-8"),
}
# names that may be refused or printed without what steers a terminal
STEERING = {"c1-control": "a\u009b31m.png".encode(), "right-to-left": "a\u202egnp.png".encode()}


def _file(name: bytes, folder: str) -> Build:
    def build(world: World) -> None:
        source = next((world.work / folder).iterdir())
        shutil.copyfile(source, world.work / folder / os.fsdecode(name))

    return build


def _twice(folder: str, name: str, source: str) -> Build:
    def build(world: World) -> None:
        shutil.copyfile(world.work / folder / source, world.work / folder / name)

    return build


def _surplus(name: str) -> Build:
    def build(world: World) -> None:
        (world.work / "own/b.png").rename(world.work / "own" / name)

    return build


# names of a method or data set -> exit code and what is said of it; harmless ones are encoded and recorded
GIVEN: dict[str, tuple[str | bytes, int, str]] = {
    "empty": ("", 2, "name"),
    "too-long": ("x" * 300, 2, "300 characters"),
    "too-long-in-bytes": ("ü" * 120, 2, "characters"),
    "not-utf8": (b"caf\xe9", 2, "not text|UTF-8"),
    "parent": ("..", 0, ""),
    "path": ("../../../evil", 0, ""),
    "absolute": ("/etc/passwd", 0, ""),
    "windows-device": ("con", 0, ""),
    "hidden": (".hidden", 0, ""),
    "percent": ("a%2Fb", 0, ""),
    "html": ("<script>alert(1)</script>", 0, ""),
    "formula": ("=cmd|' /C calc'!A0", 0, ""),
    "emoji": ("🙂", 0, ""),
    "backslash": ("a\\b", 0, ""),
}
# refused, or recorded and printed without what steers a terminal
STEERING_NAMES = {
    "newline": "a\nb",
    "escape": "\x1b[2Jgone",
    "carriage-return": "a\rb",
    "delete": "a\x7fb",
    "right-to-left": "a\u202eb",
}
RESERVED = ("sod", "SOD", "Sod", "sample-test", "ecssd", "duts-te", "sample")


def _own_maps_for_sod(world: World) -> None:
    for number, stem in enumerate(("3096", "8049", "8143")):
        from PIL import Image

        Image.fromarray(map_of(number)).save(world.work / f"own/{stem}.png")


def _reserved_in_library() -> None:
    import sodbench as sb

    sb.score_maps("own", sb.open_folders("sod", "masks"), name="n")


def _method(name: str | bytes) -> tuple[str | bytes, ...]:
    # a name that begins with a dash is an option
    return (*SCORE, b"--name=" + name if isinstance(name, bytes) else f"--name={name}")


def _set(name: str | bytes) -> tuple[str | bytes, ...]:
    option = b"--dataset=" + name if isinstance(name, bytes) else f"--dataset={name}"
    return (*SCORE, "--name", "n", option)


CASES = [
    *(
        Case(f"names/map-{what}", (*SCORE, "--name", "n"), says=f"own.*({says})", build=_file(name, "own"))
        for what, (name, says) in FILES.items()
    ),
    *(
        Case(
            f"names/mask-{what}", (*SCORE, "--name", "n"), says=f"masks.*({says})", build=_file(name, "masks")
        )
        for what, (name, says) in FILES.items()
        if what in ("newline", "latin-1")
    ),
    *(
        Case(
            f"names/image-{what}",
            (
                "predict",
                "net.py:create",
                "--weights",
                "net.pth",
                "--images",
                "images",
                "--out",
                "out",
                "--quiet",
            ),
            says=f"images.*({says})",
            build=_file(name, "images"),
        )
        for what, (name, says) in FILES.items()
        if what in ("escape", "half-a-character")
    ),
    *(
        Case(
            f"names/verify-{what}",
            ("datasets", "verify", "sod"),
            code=1,
            prints=says,
            build=_file(name, "../data/SOD/images"),
        )
        for what, (name, says) in FILES.items()
        if what in ("newline", "escape", "latin-1")
    ),
    *(
        Case(
            f"names/add-{what}",
            ("datasets", "add", ".", "--name", "n", "--images", "images", "--masks", "masks"),
            says=says,
            build=_file(name, "images"),
            talks=True,
        )
        for what, (name, says) in FILES.items()
        if what in ("tab", "overlong")
    ),
    Case(
        "names/two-maps-of-one-stem",
        (*SCORE, "--name", "n"),
        says="own: two files.*a.bmp and a.png",
        build=_twice("own", "a.bmp", "a.png"),
    ),
    Case(
        "names/two-masks-of-one-stem",
        (*SCORE, "--name", "n"),
        says="masks: two files.*c.gif and c.png",
        build=_twice("masks", "c.gif", "c.png"),
    ),
    Case(
        "names/two-images-of-one-stem",
        (*SCORE, "--name", "n", "--images", "images"),
        says="images: two files",
        build=_twice("images", "a.webp", "a.png"),
    ),
    Case(
        "names/map-in-another-case",
        (*SCORE, "--name", "n"),
        says="own: 1 of 3 maps.*missing: b",
        build=_surplus("B.png"),
    ),
    Case("names/map-with-a-space", (*SCORE, "--name", "n"), says="missing: b", build=_surplus("b .png")),
    Case("names/map-decomposed", (*SCORE, "--name", "n"), says="missing: b", build=_surplus("b\u0301.png")),
    Case("names/map-hidden", (*SCORE, "--name", "n"), says="missing: b", build=_surplus(".b.png")),
    Case("names/map-of-other-suffix", (*SCORE, "--name", "n"), says="missing: b", build=_surplus("b.npy")),
    Case("names/map-without-suffix", (*SCORE, "--name", "n"), says="missing: b", build=_surplus("b")),
    Case(
        "names/verify-names-that-differ-in-case",
        ("datasets", "verify", "sod"),
        code=1,
        prints="case",
        build=lambda w: [_twice("../data/SOD/images", f"{n}.jpg", "3096.jpg")(w) for n in "xX"],
    ),
    *(
        Case(f"names/method-{what}", _method(name), says=says, code=code, changes=RECORD if not code else ())
        for what, (name, code, says) in GIVEN.items()
        if what != "empty"
    ),
    *(
        Case(f"names/set-{what}", _set(name), says=says, code=code, changes=RECORD if not code else ())
        for what, (name, code, says) in GIVEN.items()
        if what in ("too-long", "not-utf8", "path", "html")
    ),
    *(
        Case(f"names/{where}-{what}", run(name), code=(0, 2), never="a\nb", changes=RECORD)
        for what, name in STEERING_NAMES.items()
        for where, run in (("method", _method), ("set", _set))
    ),
    *(
        Case(
            f"names/{where}-{what}",
            run,
            code=(0, 1, 2),
            changes=(*RECORD, "work/out*"),
            build=_file(name, folder),
        )
        for what, name in STEERING.items()
        for where, folder, run in (
            ("map", "own", (*SCORE, "--name", "n")),
            ("mask", "masks", (*SCORE, "--name", "n")),
            (
                "image",
                "images",
                (
                    "predict",
                    "net.py:create",
                    "--weights",
                    "net.pth",
                    "--images",
                    "images",
                    "--out",
                    "out",
                    "--quiet",
                ),
            ),
            ("verify", "../data/SOD/images", ("datasets", "verify", "sod")),
        )
    ),
    Case(
        "names/train-control",
        ("datasets", "add", ".", "--name", "a\nb", "--images", "images", "--masks", "masks"),
        says="--name",
        talks=True,
    ),
    *(
        Case(
            f"names/add-name-{name or 'empty'}",
            ("datasets", "add", ".", f"--name={name}", "--images", "images", "--masks", "masks"),
            says="--name|name",
            talks=True,
        )
        for name in ("", "Upper", "a b", "../up", "sod", "ecssd", "sample-test")
    ),
    *(
        Case(
            f"names/reserved-{name}",
            (*SCORE, "--name", "n", "--dataset", name),
            says=f"{name}.*(card|data set)",
        )
        for name in RESERVED
    ),
    Case(
        "names/reserved-keeps-the-real-record",
        ("score", "own", "--masks", "../data/SOD/GT", "--dataset", "sod", "--name", "DSS", "--quiet"),
        says="sod",
        build=_own_maps_for_sod,
    ),
    Case(
        "names/reserved-by-folder",
        ("score", "own", "--masks", "sod", "--name", "n", "--quiet"),
        says="sod",
        build=lambda w: (w.work / "masks").rename(w.work / "sod"),
    ),
    Case("names/reserved-in-the-library", _reserved_in_library, says="sod"),
    Case(
        "names/reserved-in-compare",
        ("protocols", "compare", "own", "--masks", "masks", "--dataset", "sod", "--quiet"),
        says="sod",
    ),
]
