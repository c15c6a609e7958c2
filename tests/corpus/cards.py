"""Cards of data sets: wrong types, paths that lead out, patterns that never end, reserved names."""

from .case import Build, Case
from .world import World

HEAD = 'title = "Own"\n'
COUNT = "[count]\npairs = 3\n"
# what stands in the card, before or after the count -> the key that the error names
CARDS: dict[str, tuple[str, str]] = {
    "title-number": ("title = 5\n" + COUNT, "title"),
    "title-missing": (COUNT, "title"),
    "count-missing": (HEAD, "count"),
    "count-no-table": (HEAD + "count = 3\n", "count"),
    "count-negative": (HEAD + "[count]\npairs = -1\n", "count.pairs"),
    "count-text": (HEAD + '[count]\npairs = "3"\n', "count.pairs"),
    "count-fraction": (HEAD + "[count]\npairs = 2.5\n", "count.pairs"),
    "count-true": (HEAD + "[count]\npairs = true\n", "count.pairs"),
    "aliases-number": (HEAD + "aliases = 1\n" + COUNT, "aliases"),
    "aliases-text": (HEAD + 'aliases = "o"\n' + COUNT, "aliases"),
    "aliases-mixed": (HEAD + 'aliases = ["o", 2]\n' + COUNT, "aliases"),
    "alias-of-a-shipped-set": (HEAD + 'aliases = ["sod"]\n' + COUNT, "aliases|sod"),
    "role": (HEAD + 'role = "val"\n' + COUNT, "role"),
    "folders-number": (HEAD + "folders = [1]\n" + COUNT, "folders"),
    "generator": (HEAD + 'generator = "magic"\n' + COUNT, "generator"),
    "generator-number": (HEAD + "generator = 1\n" + COUNT, "generator"),
    "location-number": (HEAD + "location = 5\n" + COUNT, "location"),
    "location-missing": (HEAD + 'location = "nowhere"\n' + COUNT, "nowhere"),
    "location-of-nobody": (HEAD + 'location = "~nobody-at-all/x"\n' + COUNT, "location|nobody-at-all"),
    "location-nul": (HEAD + 'location = "a\\u0000b"\n' + COUNT, "location|own.toml"),
    "pattern": (HEAD + COUNT + "[names]\npattern = '('\n", "names.pattern"),
    "pattern-number": (HEAD + COUNT + "[names]\npattern = 5\n", "names.pattern"),
    "pattern-of-nested-groups": (
        HEAD + COUNT + f"[names]\npattern = '{'(' * 5000}a{')' * 5000}'\n",
        "names.pattern|no folder own",  # RE2 reads it
    ),
    "range": (HEAD + COUNT + '[names]\nrange = "1 to 9"\n', "names.range"),
    "range-backwards": (HEAD + COUNT + '[names]\nrange = "9-1"\n', "names.range"),
    "range-endless": (HEAD + COUNT + '[names]\nrange = "0-99999999999"\n', "names.range"),
    "list-missing": (HEAD + COUNT + '[names]\nlist = "none.txt"\n', "names.list"),
    "list-elsewhere": (HEAD + COUNT + '[names]\nlist = "../../../../../../etc/passwd"\n', "names.list"),
    "layout-out": (
        HEAD + COUNT + '[[layouts]]\nname = "l"\nimages = "../x"\nmasks = "m"\n',
        "layouts.0..images",
    ),
    "layout-absolute": (
        HEAD + COUNT + '[[layouts]]\nname = "l"\nimages = "i"\nmasks = "/etc"\n',
        "layouts.0..masks",
    ),
    "layout-no-table": (HEAD + 'layouts = ["i"]\n' + COUNT, "layouts"),
    "layouts-no-list": (HEAD + COUNT + '[layouts]\nname = "l"\nimages = "i"\nmasks = "m"\n', "layouts"),
    "archive-name-out": (
        HEAD + COUNT + '[[mirrors]]\narchives = [{ name = "../a.zip", address = "x" }]\n',
        "archives.0..name",
    ),
    "archive-name-hidden": (
        HEAD + COUNT + '[[mirrors]]\narchives = [{ name = ".a.zip", address = "x" }]\n',
        "archives.0..name",
    ),
    "archive-into-out": (
        HEAD + COUNT + '[[mirrors]]\narchives = [{ name = "a.zip", address = "x", into = "../.." }]\n',
        "into",
    ),
    "archive-digest": (
        HEAD + COUNT + '[[mirrors]]\narchives = [{ name = "a.zip", address = "x", sha256 = "ab" }]\n',
        "sha256",
    ),
    "archive-size": (
        HEAD + COUNT + '[[mirrors]]\narchives = [{ name = "a.zip", address = "x", size = -5 }]\n',
        "size",
    ),
    "archive-no-address": (HEAD + COUNT + '[[mirrors]]\narchives = [{ name = "a.zip" }]\n', "address"),
    "mirror-kind": (HEAD + COUNT + '[[mirrors]]\nkind = "torrent"\n', "mirrors.0..kind"),
    "quirk-no-text": (HEAD + COUNT + "[[quirks]]\nknown = []\n", "quirks.0..text"),
    "quirk-rename": (HEAD + COUNT + '[[quirks]]\ntext = "q"\nrename = ["a", "b"]\n', "quirks.0..rename"),
    "quirk-rename-number": (
        HEAD + COUNT + '[[quirks]]\ntext = "q"\nrename = { a = 1 }\n',
        "quirks.0..rename",
    ),
    "attributes-text": (HEAD + COUNT + 'attributes = "AC.txt"\n', "attributes"),
    "attribute-lists-text": (HEAD + COUNT + '[attributes]\nlists = "AC.txt"\n', "attributes.lists"),
    "attribute-list-number": (HEAD + COUNT + "[attributes.lists]\nAC = 5\n", "attributes.lists.AC"),
    "attribute-list-out": (HEAD + COUNT + '[attributes.lists]\nAC = "../../a"\n', "attributes.lists"),
    "attribute-list-absolute": (
        HEAD + COUNT + '[attributes.lists]\nAC = "/etc/passwd"\n',
        "attributes.lists",
    ),
    "attribute-list-no-name": (HEAD + COUNT + '[attributes.lists]\n"" = ["a"]\n', "attributes.lists"),
    "attribute-list-mixed": (HEAD + COUNT + '[attributes.lists]\nAC = ["a", 1]\n', "attributes.lists.AC"),
    "terms": (HEAD + COUNT + '[terms]\nredistribution = "maybe"\n', "terms.redistribution"),
    "home-text": (HEAD + COUNT + '[home]\npages = "x"\n', "home.pages"),
    "citation-number": (HEAD + COUNT + "[citation]\ntext = 5\n", "citation.text"),
    "unknown-key": (HEAD + COUNT + "[names]\nprefix = 'a'\n", "prefix"),
    "split-of-nothing": (HEAD + COUNT + '[split]\nof = "unheard"\nlists = ["l.txt"]\n', "unheard|split"),
    "split-of-itself": (HEAD + COUNT + '[split]\nof = "own"\nlists = ["l.txt"]\n', "split|own"),
}
# what only the use of the set finds wrong: it is scored, not shown
USED = {"location-missing", "location-of-nobody", "location-nul", "split-of-nothing", "split-of-itself"}
OWN = 'title = "Own"\nlocation = "{work}"\n[[layouts]]\nname = "l"\nimages = "images"\nmasks = "masks"\n'


def _card(content: str, name: str = "own") -> Build:
    def build(world: World) -> None:
        world.write(f"datasets/{name}.toml", content.replace("{work}", str(world.work)))

    return build


def _score(name: str = "own") -> tuple[str, ...]:
    return ("score", "own", "--dataset", name, "--name", "n", "--quiet")


def _cases() -> list[Case]:
    cases = []
    for what, (content, key) in CARDS.items():
        if what.startswith("range-"):  # looked at only where there are files
            content = OWN + content.removeprefix(HEAD)
        run = _score() if what in USED else ("datasets", "verify", "own")
        cases.append(Case(f"cards/{what}", run, says=key, build=_card(content), seconds=30))
    return cases


CASES = [
    *_cases(),
    # one broken card must not break the use of another set, nor the list
    *(
        Case(
            f"cards/list-with-{what}",
            ("datasets", "list"),
            code=0,
            says="own\\.toml",
            prints="ecssd",
            talks=True,
            build=_card(CARDS[what][0]),
        )
        for what in ("aliases-number", "pattern", "generator", "count-text", "count-missing", "layout-out")
    ),
    *(
        Case(
            f"cards/show-another-beside-{what}",
            ("datasets", "show", "sod"),
            code=0,
            prints="SOD",
            build=_card(CARDS[what][0]),
        )
        for what in ("aliases-number", "pattern", "alias-of-a-shipped-set")
    ),
    # a pattern that takes exponential time must not hang the audit
    Case(
        "cards/pattern-without-end",
        ("datasets", "verify", "own"),
        code=(1, 2),
        says="pattern|^$",
        seconds=30,
        build=lambda w: [
            _card(OWN + COUNT + "[names]\npattern = '(a+)+$'\n")(w),
            (w.work / "images/a.png").rename(w.work / "images" / ("a" * 40 + "b.png")),
        ],
    ),
    # a user's card under a shipped name: refused where it is used, said where it is listed
    Case(
        "cards/shadows-a-shipped-one",
        ("score", "own", "--dataset", "sod", "--name", "n", "--quiet"),
        says="sod.toml",
        build=_card(OWN + COUNT, "sod"),
    ),
    Case(
        "cards/shadows-in-verify",
        ("datasets", "verify", "sod"),
        says="sod.toml",
        build=_card(OWN + COUNT, "sod"),
    ),
    Case(
        "cards/shadows-in-fetch",
        ("datasets", "fetch", "sod"),
        says="sod.toml",
        build=_card(OWN + COUNT, "sod"),
    ),
    Case(
        "cards/shadows-in-list",
        ("datasets", "list"),
        code=0,
        says="sod.toml",
        prints="ecssd",
        talks=True,
        build=_card(OWN + COUNT, "sod"),
    ),
    Case(
        "cards/shadows-an-alias",
        ("score", "own", "--dataset", "sample-test", "--name", "n", "--quiet"),
        says="sample-test",
        build=_card(OWN + COUNT, "sample-test"),
    ),
    Case(
        "cards/count-lower-than-the-set",
        _score(),
        code=(0, 2),
        says="3|^$",
        never="3/1\\b",
        build=_card(OWN + "[count]\npairs = 1\n"),
        changes=("work/reports/*",),
    ),
    Case(
        "cards/fetch-without-mirrors",
        ("datasets", "fetch", "own"),
        says="own: could not be fetched",
        talks=True,
        build=_card(HEAD + COUNT),
        changes=("data/.downloads/*",),
    ),
]
