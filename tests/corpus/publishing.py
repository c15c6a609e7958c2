"""What `publish` refuses: folders, sizes, names, damaged records; nothing is left of what was refused."""

from .case import Build, Case
from .world import World

FAST = ("--figures", "--gallery", "1", "--datasets", "sod")


def _holding(name: str, content: str = "{}") -> Build:
    """A folder `site` with one file."""

    def build(world: World) -> None:
        world.write(f"site/{name}", content)

    return build


def _published(world: World) -> None:
    import sodbench

    sodbench.publish(world.reports, world.work / "site", figures=[], gallery=0, datasets=["sod"])


def _published_with(name: str) -> Build:
    def build(world: World) -> None:
        _published(world)
        world.write(f"site/{name}", "own")

    return build


def _file(world: World) -> None:
    world.write("site", "a file")


def _link(world: World) -> None:
    (world.work / "site").symlink_to(world.work / "masks")


def _own(world: World) -> None:
    world.only("mine", "own")


def _flipped(world: World) -> None:
    path = world.only("DSS") / "curves.parquet"
    path.write_bytes(path.read_bytes()[:-3] + b"abc")


def _part(world: World) -> None:
    import json

    path = world.only("DSS") / "run.json"
    content = json.loads(path.read_text())
    world.edit(path, "expected", to=content["expected"] + 1)


def _case(name: str, says: str, *words: str, build: Build | None = None) -> Case:
    run = ("publish", "site", *FAST, *words)
    return Case(f"publish/{name}", run, says=says, **({} if build is None else {"build": build}))


CASES = [
    _case("not-empty", "is not empty.*new or empty folder", build=_holding("thesis.tex")),
    _case("not-empty-replace", "was not written by", "--replace", build=_holding("thesis.tex")),
    _case("hidden-file", "is not empty", build=_holding(".git")),
    _case("no-contents", "is not empty", "--replace", build=_holding("published.json")),
    _case("contents-broken", "is not empty", "--replace", build=_holding("published.json", "{")),
    _case("contents-list", "is not empty", "--replace", build=_holding("published.json", "[1]")),
    _case("published-before", "replace it with --replace", build=_published),
    _case("holds-more", "CNAME, not written by", "--replace", build=_published_with("CNAME")),
    _case("holds-more-deep", "runs/x/y, not written by", "--replace", build=_published_with("runs/x/y")),
    _case("file", "site: is a file", build=_file),
    _case("link-to-masks", "is not empty", "--replace", build=_link),
    _case("size-over", "more than 20 kB: .*--datasets, --methods, --metrics", "--max-size", "20kB"),
    *(
        _case(f"size-{number}", "--max-size is .*expected a size such as 5MB", f"--max-size={size}")
        for number, size in enumerate(("", "0", "-1MB", "5 pages", "1e9", "9" * 99, "five"))
    ),
    _case("pictures-unknown", "unknown data set 'sood'.*'sod'", "--pictures", "sood"),
    _case("model-card-unknown", "unknown method 'DDS'.*'DSS'", "--model-card", "DDS"),
    _case("method-unknown", "unknown method 'DDS'", "--methods", "DDS"),
    _case("gallery", "gallery", "--gallery=-1"),
    _case("record-damaged", "none of the records", build=_flipped),
    _case("model-card-part", "DSS: no run on all images", "--model-card", "DSS", build=_part),
    Case("publish/nothing", ("publish",), says="name a new one: sodbench publish site"),
    Case("publish/here", ("publish", ".", "--figures"), says="is not empty|folder you are in"),
    Case("publish/above", ("publish", "..", "--figures"), says="folder you are in, or one above"),
    Case("publish/no-runs", ("publish", "site", "--reports", "masks"), says="no runs in"),
    Case("publish/below-a-file", ("publish", "net.py/site", *FAST), says="net.py"),
    Case(
        "publish/read-only",
        ("publish", "locked/site", *FAST),
        says="locked",
        build=lambda world: (world.work / "locked").mkdir(mode=0o555),
        user=True,
    ),
    Case("publish/own-set", ("publish", "--model-card", "mine"), code=0, prints="name: maxF@", build=_own),
    Case(
        "publish/replaced",
        ("publish", "site", *FAST, "--replace"),
        code=0,
        prints="3 records",
        build=_published,
        changes=("work/site/*", "home/*"),
    ),
]
