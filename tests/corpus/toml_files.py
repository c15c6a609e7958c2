"""TOML files that are damaged in a way that has nothing to do with what they say; every reader of TOML."""

from collections.abc import Callable

from .case import Build, Case
from .world import World

GOOD = {
    "protocol": 'based_on = "raw"\n',
    "baseline": 'title = "Own"\nnetwork = "unet"\n',
    "card": 'title = "Own"\n[count]\npairs = 3\n',
    "suite": 'title = "Own"\ndatasets = ["sod"]\nmethods = [{ maps = "maps/DSS" }]\n',
}
PATHS = {
    "protocol": "own.toml",
    "baseline": "baselines/own.toml",
    "card": "datasets/own.toml",
    "suite": "suites/own.toml",
}
COMMANDS = {
    "protocol": ("protocols", "show", "own.toml"),
    "baseline": ("baselines", "show", "own"),
    "card": ("datasets", "show", "own"),
    "suite": ("suite", "plan", "own"),
}

# what becomes of the good file -> what the error says besides the file's name
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "syntax": (lambda good: good + b"key = = 3\n", "not valid TOML.*line"),
    "unclosed-text": (lambda good: good + b'key = "open\n', "not valid TOML"),
    "unclosed-table": (lambda good: good + b"[open\n", "not valid TOML"),
    "json": (lambda good: b'{"title": "Own"}', "not valid TOML"),
    "html": (lambda good: b"<!DOCTYPE html><html></html>", "not valid TOML"),
    "nul-bytes": (lambda good: good + b"\0\0\0", "not valid TOML"),
    "all-nul": (lambda good: bytes(4096), "not valid TOML"),
    "not-utf8": (lambda good: b"# caf\xe9\n" + good, "not valid TOML|UTF-8"),
    "utf-16": (lambda good: good.decode().encode("utf-16"), "not valid TOML|UTF-8"),
    "control-characters": (lambda good: good + b'key = "\x1b[31m"\n', "not valid TOML"),
    "key-twice": (lambda good: good + good, "not valid TOML"),
    "table-over-value": (lambda good: good + b"[a]\nb = 1\n[a.b]\nc = 2\n", "not valid TOML"),
    "unknown-key": (lambda good: b"unheard = 1\n" + good, "unknown key 'unheard'"),
    "escaped-unknown-key": (lambda good: b'"\\u001B[31m\\n" = 1\n' + good, "unknown key"),
    "nested-lists": (
        lambda good: b"unheard = " + b"[" * 100_000 + b"]" * 100_000 + b"\n" + good,
        "nested|deep|TOML",
    ),
    "nested-tables": (
        lambda good: b"unheard = " + b"{a=" * 50_000 + b"1" + b"}" * 50_000 + b"\n" + good,
        "nested|deep|TOML",
    ),
    "dotted-deep": (
        lambda good: b".".join([b"unheard"] * 50_000) + b" = 1\n" + good,
        "unheard|nested|deep|dots",
    ),
    "list-of-5000": (
        lambda good: b"unheard = [" + b"[" * 5000 + b"]" * 5000 + b"]\n" + good,
        "nested|deep|TOML",
    ),
    "huge-number": (lambda good: b"unheard = " + b"9" * 5000 + b"\n" + good, "number|digits|TOML"),
    "huge-exponent": (lambda good: b"unheard = 1e999999999\n" + good, "unheard"),
    "date": (lambda good: b"unheard = 2024-02-30\n" + good, "not valid TOML"),
    "ten-megabytes-of-keys": (
        lambda good: b"".join(b"k%d = 1\n" % number for number in range(600_000)) + good,
        "unknown key|too large|at most 1,000,000 bytes",
    ),
}


def _damaged(kind: str, damage: Callable[[bytes], bytes]) -> Build:
    def build(world: World) -> None:
        world.write(PATHS[kind], damage(GOOD[kind].encode()))

    return build


def _own(kind: str, content: str) -> Build:
    def build(world: World) -> None:
        world.write(PATHS[kind], content)

    return build


CASES = [
    *(
        Case(
            f"toml/{kind}-{what}",
            COMMANDS[kind],
            says=f"own\\.toml.*({says})",
            build=_damaged(kind, damage),
            megabytes=800,
            whole=what == "ten-megabytes-of-keys",
        )
        for kind in GOOD
        for what, (damage, says) in DAMAGES.items()
    ),
    # a byte-order mark, as editors on Windows write it, is no damage: taken, or refused by name
    *(
        Case(
            f"toml/{kind}-byte-order-mark",
            COMMANDS[kind],
            code=(0, 2),
            says="own\\.toml|^$",
            build=_damaged(kind, lambda good: b"\xef\xbb\xbf" + good),
        )
        for kind in GOOD
    ),
    # a broken file of the user's must not break the list of all the others
    *(
        Case(
            f"toml/list-with-{what}",
            ("datasets", "list"),
            code=0,
            says="own\\.toml",
            prints="ecssd",
            talks=True,
            build=_damaged("card", DAMAGES[what][0]),
        )
        for what in ("syntax", "not-utf8", "nested-lists", "unknown-key", "huge-number")
    ),
    *(
        Case(
            f"toml/baselines-list-with-{what}",
            ("baselines", "list"),
            code=0,
            says="own\\.toml",
            prints="basnet-tiny",
            build=_damaged("baseline", DAMAGES[what][0]),
        )
        for what in ("syntax", "not-utf8", "nested-lists", "unknown-key", "huge-number")
    ),
    Case(
        "toml/another-set-beside-a-broken-card",
        ("datasets", "show", "sod"),
        code=0,
        prints="SOD",
        build=_damaged("card", DAMAGES["syntax"][0]),
    ),
    Case(
        "toml/scoring-beside-a-broken-card",
        ("score", "maps/DSS", "--dataset", "sod", "--name", "n", "--quiet"),
        code=0,
        build=_damaged("card", DAMAGES["syntax"][0]),
        changes=("work/reports/*",),
    ),
    Case(
        "toml/run-beside-a-broken-baseline",
        ("run", "net.py:create", "--weights", "net.pth", "--datasets", "sod", "--name", "n", "--quiet"),
        code=0,
        build=_damaged("baseline", DAMAGES["nested-tables"][0]),
        changes=("work/reports/*", "work/maps/*"),
    ),
    Case(
        "toml/list-with-an-escape-in-a-title",
        ("datasets", "list"),
        code=0,
        talks=True,
        build=_own("card", 'title = "\\u001B]0;gone\\u0007"\n[count]\npairs = 1\n'),
    ),
    Case(
        "toml/show-with-an-escape-in-a-title",
        ("datasets", "show", "own"),
        code=(0, 2),
        says="own|^$",
        build=_own("card", 'title = "a\\u001B[2Jb"\nsummary = "\\u009B2J"\n[count]\npairs = 1\n'),
    ),
    Case(
        "toml/baselines-list-with-an-escape",
        ("baselines", "list"),
        code=0,
        build=_own("baseline", 'title = "a\\u001B[2Jb"\nnetwork = "unet"\n'),
    ),
    Case(
        "toml/baselines-show-with-an-escape",
        ("baselines", "show", "own"),
        code=(0, 2),
        build=_own("baseline", 'title = "a\\u001B[2Jb"\ndescription = "\\u0007"\nnetwork = "unet"\n'),
    ),
    Case(
        "toml/protocols-show-with-an-escape",
        ("protocols", "show", "own.toml"),
        code=(0, 2),
        build=_own("protocol", 'based_on = "raw"\ntitle = "a\\u001B[2Jb"\nnotes = ["\\u009B2J"]\n'),
    ),
]
