"""Archives: paths that lead out, links, devices, bombs, lies about sizes, damage, and the wrong content."""

import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable

from .case import Build, Case
from .pictures import encoded
from .world import World, mask_of, picture_of

FETCH = ("datasets", "fetch", "mini")
MEGABYTE = 1 << 20


def _picture() -> bytes:
    return encoded(picture_of(1), "JPEG")


def _mask() -> bytes:
    return encoded(mask_of(1))


def good_members() -> dict[str, bytes]:
    """The content of a good archive: two pairs."""
    return {f"images/{n}.jpg": _picture() for n in "ab"} | {f"masks/{n}.png": _mask() for n in "ab"}


def zipped(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED, **modes: int) -> bytes:
    """A zip archive; `modes` are Unix modes of members by name with `_` for `/` and `.`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as packed:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            member.compress_type = kind
            mode = modes.get(name.replace("/", "_").replace(".", "_"), stat.S_IFREG | 0o644)
            member.external_attr = mode << 16
            packed.writestr(member, content)
    return out.getvalue()


def tarred(members: dict[str, bytes], *more: tarfile.TarInfo, mode: str = "w") -> bytes:
    """A tar archive of files, and of members without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as packed:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
        for member in more:
            packed.addfile(member)
    return out.getvalue()


def _special(name: str, kind: bytes, link: str = "", **fields: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def _zip_twice(name: str, other: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path, content in (*good_members().items(), (name, b"1"), (other, b"2")):
            packed.writestr(zipfile.ZipInfo(path), content)
    return out.getvalue()


def _zip_bomb(megabytes: int, name: str = "images/c.jpg") -> bytes:
    out = io.BytesIO(zipped(good_members()))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed,
        packed.open(name, "w", force_zip64=True) as file,
    ):
        for _ in range(megabytes):
            file.write(bytes(MEGABYTE))
    return out.getvalue()


def _zip_lying(size: int) -> bytes:
    """The size that the directory states for the first member is another than that of its content."""
    content = bytearray(zipped(good_members()))
    place = content.rindex(b"PK\x01\x02", 0, content.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", content, place + 24, size)
    return bytes(content)


def _zip_many(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number in range(count):
            packed.writestr(zipfile.ZipInfo(f"images/{number}.jpg"), b"")
    return out.getvalue()


def _zip_overlapping() -> bytes:
    """Many entries of the directory point at one member: a bomb without nesting."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("images/k.jpg", bytes(20 * MEGABYTE))
        first = packed.filelist[0]
        for number in range(400):
            copy = zipfile.ZipInfo(f"images/{number}.jpg")
            for field in (
                "compress_type",
                "CRC",
                "compress_size",
                "file_size",
                "header_offset",
                "external_attr",
            ):
                setattr(copy, field, getattr(first, field))
            packed.filelist.append(copy)
            packed.NameToInfo[copy.filename] = copy
    return out.getvalue()


def _zip_encrypted() -> bytes:
    content = bytearray(zipped(good_members()))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.index(mark)
        content[start + place] |= 1
    return bytes(content)


def _flipped(content: bytes, at: float) -> bytes:
    place = int(len(content) * at)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _pax(size: int) -> bytes:
    """A gzipped tar whose extended header claims to be, and is, that large."""
    head = tarfile.TarInfo("PaxHeaders/x")
    head.type, head.size = tarfile.XHDTYPE, size
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        packed.write(head.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(size // MEGABYTE):
            packed.write(bytes(MEGABYTE))
        packed.write(tarred(good_members()))
    return out.getvalue()


def _tar_bomb(megabytes: int) -> bytes:
    member = tarfile.TarInfo("images/c.jpg")
    member.size = megabytes * MEGABYTE
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        packed.write(member.tobuf())
        for _ in range(megabytes):
            packed.write(bytes(MEGABYTE))
        packed.write(tarred(good_members()))
    return out.getvalue()


def _xz_bomb(megabytes: int) -> bytes:
    member = tarfile.TarInfo("images/c.jpg")
    member.size = megabytes * MEGABYTE
    squeezer = lzma.LZMACompressor(preset=1)
    parts = [squeezer.compress(member.tobuf())]
    parts += [squeezer.compress(bytes(MEGABYTE)) for _ in range(megabytes)]
    return b"".join([*parts, squeezer.compress(tarred(good_members())), squeezer.flush()])


def _tar_of_size(size: int) -> bytes:
    content = bytearray(tarred(good_members()))
    content[124:136] = f"{size:011o}\0".encode() if size >= 0 else b"\xff" * 12
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    return bytes(content)


def _nested() -> bytes:
    return zipped({"set.zip": zipped(good_members())})


LINK = stat.S_IFLNK | 0o777
# the archive's file -> its content, and what the error says
ARCHIVES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "zip-parent": ("s.zip", lambda: zipped(good_members() | {"../evil.txt": b"x"}), "leaves its folder"),
    "zip-parents-inside": (
        "s.zip",
        lambda: zipped(good_members() | {"a/../../b/evil.txt": b"x"}),
        "leaves its fol",
    ),
    "zip-absolute": (
        "s.zip",
        lambda: zipped(good_members() | {"/tmp/corpus-evil.txt": b"x"}),
        "absolute path",
    ),
    "zip-backslashes": (
        "s.zip",
        lambda: zipped(good_members() | {"..\\..\\evil.txt": b"x"}),
        "leaves its folder",
    ),
    "zip-drive": ("s.zip", lambda: zipped(good_members() | {"C:\\evil.txt": b"x"}), "absolute path"),
    "zip-link": (
        "s.zip",
        lambda: zipped(good_members() | {"images/l.jpg": b"/etc/passwd"}, images_l_jpg=LINK),
        "link",
    ),
    "zip-pipe": (
        "s.zip",
        lambda: zipped(good_members() | {"p": b""}, p=stat.S_IFIFO | 0o644),
        "link or device",
    ),
    "zip-device": (
        "s.zip",
        lambda: zipped(good_members() | {"d": b""}, d=stat.S_IFCHR | 0o644),
        "link or device",
    ),
    "zip-name-twice": ("s.zip", lambda: _zip_twice("images/x.jpg", "images/x.jpg"), "twice the same name"),
    "zip-names-by-case": ("s.zip", lambda: _zip_twice("images/x.jpg", "images/X.jpg"), "differ only in case"),
    "zip-file-and-folder": ("s.zip", lambda: _zip_twice("images/x", "images/x/y.jpg"), "s\\.zip"),
    "zip-long-name": ("s.zip", lambda: zipped(good_members() | {"x" * 3000: b""}), "impossible name"),
    "zip-long-part": (
        "s.zip",
        lambda: zipped(good_members() | {"x" * 300 + "/a": b""}),
        "impossible name|too long",
    ),
    "zip-control-name": (
        "s.zip",
        lambda: zipped(good_members() | {"images/\x1b[31m.jpg": b""}),
        "control|name",
    ),
    "zip-newline-name": (
        "s.zip",
        lambda: zipped(good_members() | {"images/a\nb.jpg": _picture()}),
        "control|name",
    ),
    "zip-encrypted": ("s.zip", _zip_encrypted, "locked|encrypted"),
    "zip-cut": ("s.zip", lambda: zipped(good_members())[:-40], "damaged"),
    "zip-half": ("s.zip", lambda: (lambda z: z[: len(z) // 2])(zipped(good_members())), "damaged"),
    "zip-flipped": ("s.zip", lambda: _flipped(zipped(good_members()), 0.2), "damaged"),
    "zip-directory-flipped": ("s.zip", lambda: _flipped(zipped(good_members()), 0.93), "damaged|s\\.zip"),
    "zip-says-less": ("s.zip", lambda: _zip_lying(10), "damaged|size"),
    "zip-says-more": ("s.zip", lambda: _zip_lying(50_000), "damaged|size"),
    "zip-says-a-terabyte": ("s.zip", lambda: _zip_lying(0xFFFFFFF0), "damaged|free|size|large|ratio"),
    "zip-bomb": ("s.zip", lambda: _zip_bomb(1200), "ratio|bomb|large|times"),
    "zip-overlapping": ("s.zip", _zip_overlapping, "ratio|bomb|overlap|large|times|damaged"),
    "zip-many-members": ("s.zip", lambda: _zip_many(200_000), "200,?000|members|files"),
    "zip-no-members": ("s.zip", lambda: zipped({}), "s\\.zip|mini"),
    "zip-of-zip": ("s.zip", _nested, "no pairs"),
    "zip-method-99": (
        "s.zip",
        lambda: zipped(good_members()).replace(b"\x08\0", b"\x63\0"),
        "damaged|locked|packed in another way",
    ),
    "tar-parent": ("s.tar", lambda: tarred(good_members() | {"../evil.txt": b"x"}), "leaves its folder"),
    "tar-absolute": (
        "s.tar",
        lambda: tarred(good_members() | {"/tmp/corpus-evil.txt": b"x"}),
        "absolute path",
    ),
    "tar-link": (
        "s.tar",
        lambda: tarred(good_members(), _special("l", tarfile.SYMTYPE, "/etc")),
        "link or device",
    ),
    "tar-link-then-file": (
        "s.tar",
        lambda: tarred(good_members(), _special("images/x", tarfile.SYMTYPE, "../../..")),
        "link or device",
    ),
    "tar-hard-link": (
        "s.tar",
        lambda: tarred(good_members(), _special("h", tarfile.LNKTYPE, "/etc/passwd")),
        "link",
    ),
    "tar-pipe": ("s.tar", lambda: tarred(good_members(), _special("p", tarfile.FIFOTYPE)), "link or device"),
    "tar-device": (
        "s.tar",
        lambda: tarred(good_members(), _special("d", tarfile.CHRTYPE, devmajor=1)),
        "device",
    ),
    "tar-block-device": (
        "s.tar",
        lambda: tarred(good_members(), _special("d", tarfile.BLKTYPE, devmajor=8)),
        "device",
    ),
    "tar-cut": ("s.tar", lambda: tarred(good_members())[:1500], "damaged"),
    "tar-flipped-header": ("s.tar", lambda: _flipped(tarred(good_members()), 0.0), "not a zip, tar|damaged"),
    "tar-negative-size": (
        "s.tar",
        lambda: _tar_of_size(-1),
        "no pairs|a header of -1 bytes",
    ),
    "tar-says-7-gigabytes": (
        "s.tar",
        lambda: _tar_of_size(7 << 30),
        "a member of .* bytes .at most",
    ),
    "tar-gz-cut": ("s.tar.gz", lambda: tarred(good_members(), mode="w:gz")[:-300], "damaged"),
    "tar-gz-flipped": ("s.tar.gz", lambda: _flipped(tarred(good_members(), mode="w:gz"), 0.5), "damaged"),
    "tar-gz-wrong-sum": (
        "s.tar.gz",
        lambda: _flipped(tarred(good_members(), mode="w:gz"), 0.9999),
        "damaged",
    ),
    "tar-gz-bomb": ("s.tar.gz", lambda: _tar_bomb(1200), "ratio|bomb|large|times"),
    "tar-xz-bomb": ("s.tar.xz", lambda: _xz_bomb(1200), "ratio|bomb|large|times"),
    "tar-pax-bomb": ("s.tar.gz", lambda: _pax(1 << 30), "header|ratio|bomb|large|damaged"),
    "rar": ("s.rar", lambda: b"Rar!\x1a\x07\x01\0" + bytes(99), "rar"),
    "7z": ("s.7z", lambda: b"7z\xbc\xaf\x27\x1c" + bytes(99), "7z"),
    "empty": ("s.zip", lambda: b"", "not a zip|empty"),
    "html": ("s.zip", lambda: b"<!DOCTYPE html><html>sign in</html>", "web page"),
    "text": ("s.zip", lambda: b"no archive\n", "not a zip"),
    "picture": ("s.zip", _picture, "not a zip"),
    "zeros": ("s.zip", lambda: bytes(2000), "not a zip|no pairs"),
    "images-only": ("s.zip", lambda: zipped({f"images/{n}.jpg": _picture() for n in "ab"}), "no pairs"),
    "nothing-pairs": (
        "s.zip",
        lambda: zipped({"images/a.jpg": _picture(), "masks/b.png": _mask()}),
        "no pairs",
    ),
    "too-many-pairs": (
        "s.zip",
        lambda: zipped(
            {
                f"{d}/{n}.{e}": c
                for n in range(9)
                for d, e, c in (("images", "jpg", _picture()), ("masks", "png", _mask()))
            }
        ),
        "9 pairs in the archive",
    ),
    "two-sets": (
        "s.zip",
        lambda: zipped({f"{s}/{p}": c for s in ("one", "two") for p, c in good_members().items()}),
        "several sets",
    ),
}
# the content is whole whatever the directory says: taken, or refused
HARMLESS = {"zip-directory-flipped", "zip-says-more", "zip-says-a-terabyte"}
BOMBS = ("bomb", "overlapping", "many-members")


def _card(name: str) -> str:
    return (
        'title = "Mini"\nfolders = ["MINI"]\n[count]\npairs = 2\n'
        '[[mirrors]]\nkind = "manual"\n'
        f'archives = [{{ name = "{name}", address = "http://127.0.0.1:9/{name}" }}]\n'
    )


def _placed(name: str, content: Callable[[], bytes]) -> Build:
    """The archive where a person would have put it, for the card of a set `mini`."""

    def build(world: World) -> None:
        world.write("datasets/mini.toml", _card(name))
        folder = world.data / ".downloads/mini"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content())

    return build


CASES = [
    Case(
        f"archives/{what}",
        FETCH,
        says="" if what in HARMLESS else says,
        build=_placed(name, content),
        code=(0, 2) if what in HARMLESS else 2,
        talks=True,
        megabytes=256,
        seconds=40,
        whole=any(word in what for word in BOMBS),
        changes=("data/.downloads*", "data/MINI*") if what in HARMLESS else ("data/.downloads/*",),
    )
    for what, (name, content, says) in ARCHIVES.items()
]
CASES += [
    Case(
        "archives/good",
        FETCH,
        code=0,
        build=_placed("s.zip", lambda: zipped(good_members())),
        talks=True,
        prints="2 of 2 pairs",
        changes=("data/.downloads*", "data/MINI*"),
    ),
    Case(
        "archives/in-place-of-a-set",
        ("datasets", "fetch", "mini"),
        says="MINI",
        talks=True,
        changes=("data/.downloads/*",),
        build=lambda w: [
            _placed("s.zip", lambda: zipped(good_members()))(w),
            (w.data / "MINI").write_text("f"),
        ],
    ),
    Case(
        "archives/in-place-of-a-part",
        ("datasets", "fetch", "sod"),
        says="SOD: holds 3 of 300 pairs",
        talks=True,
        changes=("data/.downloads/*",),
    ),
]
