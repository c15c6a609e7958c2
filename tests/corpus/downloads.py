"""Downloads from a server on this machine that lies, never ends, redirects or sends something else."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

from sodbench.errors import InputError

from .archives import good_members, zipped
from .case import Answer, Build, Case
from .world import World

MEGABYTE = 1 << 20
GOOD = zipped(good_members())
DIGEST = hashlib.sha256(GOOD).hexdigest()


def _card(world: World, address: str, more: str = "") -> None:
    world.write(
        "datasets/mini.toml",
        (
            'title = "Mini"\nfolders = ["MINI"]\n[count]\npairs = 2\n[[mirrors]]\n'
            f'archives = [{{ name = "s.zip", address = "{address}"{more} }}]\n'
        ),
    )


def _always(answer: Answer) -> Callable[[str], Answer]:
    return lambda path: answer


def _redirect(to: str) -> Callable[[str], Answer]:
    return lambda path: Answer(status=302, headers=(("Location", to),))


def _ring(path: str) -> Answer:
    return Answer(status=302, headers=(("Location", path + "a"),))


EXPECTED = f', size = {len(GOOD)}, sha256 = "{DIGEST}"'
# what the server does, with what the card knows -> what the error says
SERVERS: dict[str, tuple[Callable[[str], Answer], str, str]] = {
    "404": (_always(Answer(status=404)), "", "404"),
    "403": (_always(Answer(status=403)), "", "403"),
    "500": (_always(Answer(status=500)), "", "500"),
    "429": (_always(Answer(status=429)), "", "429"),
    "204": (_always(Answer(status=204)), "", "204"),
    "999": (_always(Answer(GOOD, status=999)), "", "999"),
    "html": (_always(Answer(b"<!DOCTYPE html><html>sign in</html>")), "", "web page"),
    "html-after-spaces": (_always(Answer(b"\n" * 400 + b"<html>sign in</html>")), "", "web page"),
    "empty": (_always(Answer(b"")), "", "s\\.zip|empty"),
    "other-content": (_always(Answer(b"x" * len(GOOD))), EXPECTED, "wrong content|sha256"),
    "other-size": (_always(Answer(GOOD + b"x")), f", size = {len(GOOD)}", "bytes, expected|larger"),
    "wrong-md5": (_always(Answer(GOOD)), f', md5 = "{"0" * 32}"', "wrong content|md5"),
    "cut-every-time": (_always(Answer(GOOD[:100], length=len(GOOD))), "", "broke|bytes came|attempts"),
    "longer-than-it-says": (_always(Answer(GOOD, length=100)), "", "s\\.zip"),
    "hangs-up": (_always(Answer(b"", length=500)), "", "broke|failed|attempts"),
    "redirect-to-a-file": (_redirect("file:///etc/passwd"), "", "file|redirect|schemas|adapters|scheme"),
    "redirect-to-itself": (_ring, "", "redirect"),
    "redirect-to-nobody": (_redirect("http://127.0.0.1:9/x"), "", "failed|refused"),
    "redirect-to-nothing": (_redirect(""), "", "302|redirect|s\\.zip"),
    "redirect-to-ftp": (_redirect("ftp://127.0.0.1/x"), "", "ftp|redirect|adapters|scheme"),
    "gzip-encoding": (
        _always(Answer(gzip.compress(bytes(64 * MEGABYTE)), headers=(("Content-Encoding", "gzip"),))),
        "",
        "not a zip|encoding|ratio|large",
    ),
    "gzip-encoding-damaged": (
        _always(Answer(b"\x1f\x8b\x08broken", headers=(("Content-Encoding", "gzip"),))),
        "",
        "s\\.zip",
    ),
    "negative-length": (
        _always(Answer(GOOD[:50], headers=(("Content-Length", "-5"),), length=-1)),
        "",
        "s\\.zip",
    ),
    "length-of-an-exabyte": (_always(Answer(GOOD, length=10**18)), "", "s\\.zip|free|space|large"),
    "another-part": (
        _always(Answer(GOOD, status=206, headers=(("Content-Range", f"bytes 7-{len(GOOD)}/{len(GOOD)}"),))),
        "",
        "another part|206|attempts",
    ),
    "partial-without-range": (_always(Answer(GOOD, status=206)), "", "another part|206|attempts"),
    "endless-headers": (
        _always(Answer(b"", headers=tuple((f"X-{i}", "y" * 900) for i in range(300)))),
        "",
        "s\\.zip",
    ),
    "not-http": (_always(Answer(b"SSH-2.0-OpenSSH\r\n", status=0)), "", "s\\.zip"),
}
# what goes on for ever: refused long before that
SLOW: dict[str, tuple[Callable[[str], Answer], str, str]] = {
    "endless": (_always(Answer(b"PK\x03\x04" * 4096, repeats=-1)), EXPECTED, "larger|bytes|expected"),
    "endless-of-unknown-size": (
        _always(Answer(bytes(MEGABYTE), repeats=-1, pause=0.001)),
        "",
        "large|free|space|more than",
    ),
    "a-byte-a-second": (_always(Answer(b"P", repeats=-1, pause=1.0)), "", "slow|rate|per second"),
}
ADDRESSES = {
    "file-address": ("file:///etc/passwd", "file|scheme"),
    "ftp-address": ("ftp://127.0.0.1/s.zip", "ftp|s\\.zip|scheme"),
    "no-scheme": ("127.0.0.1/s.zip", "s\\.zip|scheme"),
    "no-host": ("http:///s.zip", "s\\.zip|host"),
    "nobody-there": ("http://127.0.0.1:9/s.zip", "failed|refused"),
    "https-to-http": ("https{url}/s.zip", "failed|SSL|refused"),
    "bad-port": ("http://127.0.0.1:99999999/s.zip", "s\\.zip|port"),
    "newline": ("http://127.0.0.1:9/\\ns.zip", "s\\.zip|address"),
}
FETCH = ("datasets", "fetch", "mini")
LEFT = ("data/.downloads/*",)


def _mini(more: str) -> Build:
    return lambda world: _card(world, f"{world.url}/s.zip", more)


def _address(address: str) -> Build:
    return lambda world: _card(world, address.replace("{url}", world.url.removeprefix("http")))


def _fetch_with_small_limits() -> None:
    """The real limits let 8 GB come, and two minutes pass."""
    from sodbench.data.card import load_card
    from sodbench.data.getting import download
    from sodbench.data.getting import fetch as module
    from sodbench.data.getting.limits import Limits

    download.WINDOW = 3.0
    module.limits_of = lambda card: Limits(total=64 * MEGABYTE)
    module.fetch(load_card("mini"), Path("../data"))


CASES = [
    *(
        Case(
            f"downloads/{what}",
            FETCH,
            says=f"mini.*({says})",
            build=_mini(more),
            serve=serve,
            talks=True,
            changes=LEFT,
            megabytes=256,
        )
        for what, (serve, more, says) in SERVERS.items()
    ),
    *(
        Case(
            f"downloads/{what}",
            _fetch_with_small_limits,
            says=f"mini.*({says})",
            build=_mini(more),
            serve=serve,
            talks=True,
            changes=LEFT,
            megabytes=256,
            seconds=60,
            raises=(InputError,),
            whole=True,
        )
        for what, (serve, more, says) in SLOW.items()
    ),
    *(
        Case(
            f"downloads/{what}",
            FETCH,
            says=f"mini.*({says})",
            build=_address(address),
            talks=True,
            changes=LEFT,
            serve=_always(Answer(GOOD)),
        )
        for what, (address, says) in ADDRESSES.items()
    ),
    *(
        Case(
            f"downloads/weights-{what}",
            ("baselines", "fetch", "basnet", "--quiet", "--from", "{url}/basnet.pth"),
            says="basnet",
            serve=SERVERS[what][0],
            changes=("home/weights",),
            talks=True,
        )
        for what in ("404", "html", "empty", "redirect-to-a-file", "cut-every-time")
    ),
    Case(
        "downloads/weights-from-a-file-address",
        ("baselines", "fetch", "basnet", "--quiet", "--from", "file:///etc/passwd"),
        says="basnet|file:",
        changes=("home/weights",),
    ),
    Case(
        "downloads/good",
        FETCH,
        code=0,
        build=_mini(EXPECTED),
        serve=_always(Answer(GOOD)),
        talks=True,
        prints="2 of 2 pairs",
        changes=("data/.downloads*", "data/MINI*"),
    ),
]
