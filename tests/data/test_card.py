"""Cards: all that ship are valid and sourced; mistakes are named with file and key."""

import re
from pathlib import Path

import pytest

from sodbench.data.card import card_names, load_card, load_cards, read_card
from sodbench.errors import InputError

COUNTS = {
    "duts-tr": 10553, "duts-te": 5019, "ecssd": 1000, "hku-is": 4447, "hku-is-test": 1447,
    "pascal-s": 850, "dut-omron": 5168, "sod": 300, "sample": 60, "sample-train": 400, "duts-tr-256": 10553,
    "msra-b": 5000, "msra10k": 10000, "thur15k": 6232, "soc": 6000, "soc-train": 3600, "soc-val": 1200,
    "soc-test": 1200, "hrsod-te": 400, "davis-s": 92, "uhrsd-tr": 4932, "uhrsd-te": 988, "dis5k-tr": 3000,
    "dis5k-vd": 470, "dis5k-te1": 500, "dis5k-te2": 500, "dis5k-te3": 500, "dis5k-te4": 500,
    "cod10k-train": 3040, "cod10k": 2026, "camo-train": 1000, "camo": 250, "chameleon": 76, "nc4k": 4121,
}  # fmt: skip


def test_counts_of_the_field() -> None:
    assert {name: load_card(name).expected for name in card_names()} == COUNTS


@pytest.mark.parametrize("name", card_names())
def test_addresses_have_the_form_of_their_kind(name: str) -> None:
    card = load_card(name)
    for mirror in card.mirrors:
        for archive in mirror.archives:
            form = r"https?://[^\s]+" if mirror.kind == "http" else r"[A-Za-z0-9_-]{28,33}"
            assert re.fullmatch(form, archive.address), archive
            assert archive.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
            assert archive.md5 is None or re.fullmatch(r"[0-9a-f]{32}", archive.md5)
    assert card.terms.redistribution != "forbidden" or {mirror.kind for mirror in card.mirrors} == {"manual"}


@pytest.mark.parametrize("name", card_names())
def test_every_card_says_where_each_of_its_facts_comes_from(name: str) -> None:
    card = load_card(name)
    assert card.title and card.summary and card.count.source != "unknown"
    assert card.terms.source != "unknown" and card.citation.source != "unknown"
    assert all(mirror.source != "unknown" for mirror in card.mirrors)
    assert all(quirk.source != "unknown" for quirk in card.quirks)
    assert all(layout.source != "unknown" for layout in card.layouts)
    assert card.generator or card.layouts
    assert not card.home.pages or card.home.source != "unknown"
    if card.official_names is not None:
        assert len(card.official_names) == card.expected


def test_names_and_aliases_in_any_case() -> None:
    assert load_card("ECSSD").name == load_card("ecssd").name == "ecssd"
    assert load_card("DUTS").name == "duts-te"


def test_all_unknown_names_are_reported_together() -> None:
    with pytest.raises(InputError, match=r"'ecsd'.*ecssd.*'sodd'.*sod"):
        load_cards(["ecsd", "sod", "sodd"])


def test_official_names() -> None:
    assert load_card("ecssd").is_official("0557") and not load_card("ecssd").is_official("1001")
    assert load_card("pascal-s").is_official("850") and not load_card("pascal-s").is_official("0001")
    assert load_card("duts-te").is_official("sun_aaa") and not load_card("duts-te").is_official("0001")
    assert load_card("sod").is_official("27059") and not load_card("sod").is_official("1")


def test_aliases_do_not_clash() -> None:
    cards = load_cards(card_names())
    names = [alias.lower() for card in cards for alias in (card.name, *card.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*", "(a|aa)+", "a*a*a*a*a*a*b", "(a*)*b"])
def test_no_pattern_takes_long(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "mine.toml").write_text(BASE + f"[names]\npattern = '{pattern}'\n", encoding="utf-8")
    card = read_card(tmp_path / "mine.toml")
    assert not card.is_official("a" * 250 + "!")


@pytest.mark.parametrize("stem", ["img\n1", "img1\n", "x\nimg1", "\udcff", "img\udcff"])
def test_a_pattern_fits_the_whole_name(tmp_path: Path, stem: str) -> None:
    (tmp_path / "mine.toml").write_text(BASE + "[names]\npattern = 'a|img\\d'\n", encoding="utf-8")
    card = read_card(tmp_path / "mine.toml")
    assert card.is_official("img1") and card.is_official("a") and not card.is_official(stem)


BASE = 'title = "T"\nfolders = ["T"]\n[count]\npairs = 2\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 3\n[count]\npairs = 1", r"mine\.toml: title: expected text, found 3"),
        ("[count]\npairs = 1", "title: missing"),
        ('title = "T"', r"mine\.toml: count: missing; expected a table"),
        ('title = "T"\n[count]\npairs = -1', r"count\.pairs: expected 0 or more, found -1"),
        ('title = "T"\n[count]\npairs = true', r"count\.pairs: expected a whole number, found True"),
        (BASE + "[colour]\nred = 1", "unknown key 'colour'"),
        (BASE + "[terms]\nlicense = 'x'", r"unknown key 'terms\.license' \(did you mean 'terms\.licence'"),
        (
            BASE + "[terms]\nredistribution = 'perhaps'",
            r"terms\.redistribution: expected 'unknown' or .*, found 'perhaps'",
        ),
        (
            BASE + "[names]\nrange = '1 to 5'",
            r"names\.range: expected a range like '0001-1000', found '1 to 5'",
        ),
        (BASE + "[names]\nlist = 'none.txt'", "no file none.txt"),
        (
            BASE + "[[layouts]]\nname = 'x'\nimages = '../a'\nmasks = 'b'",
            r"layouts\[0\]\.images: expected a path inside the set's folder, found '\.\./a'",
        ),
        (BASE + "[[mirrors]]\nkind = 'ftp'\narchives = []", r"mirrors\[0\]\.kind: expected 'http' or"),
        (
            BASE + "[[mirrors]]\narchives = [{name = '../x', address = 'y'}]",
            r"mirrors\[0\]\.archives\[0\]\.name: expected a plain file name, found '\.\./x'",
        ),
        (
            BASE + "[[quirks]]\ntext = 'x'\nignore_masks = [1]",
            r"quirks\[0\]\.ignore_masks\[0\]: expected text, found 1",
        ),
        ("layouts = 3\n" + BASE, "layouts: expected a list of tables, found 3"),
        ("aliases = 3\n" + BASE, "aliases: expected a list of text, found 3"),
        ("name = 'x'\n" + BASE, "unknown key 'name'"),
        ("generator = 'noise'\n" + BASE, "generator: expected 'synthetic:train' or"),
        (BASE + "[names]\npattern = '('", r"names\.pattern: expected a regular expression .*, found '\('"),
        (
            BASE + "[names]\npattern = '(?=a)b'",
            r"names\.pattern: expected a regular expression .*RE2.*, found '\(\?=a",
        ),
        (BASE + "[names]\npattern = '((a{99}){99}){99}'", r"names\.pattern: expected a regular expression"),
        (f"location = '{'x' * 256}'\n" + BASE, r"location: expected a path .* 255 bytes"),
        ("location = '~no-such-user/x'\n" + BASE, r"location: expected a path"),
        (BASE + f"[names]\nlist = '{'x' * 256}'", r"names\.list: expected a path .* 255 bytes"),
        (BASE + "[[mirrors]]\narchives = [{name = 'x', address = 'y', sha256 = '12'}]", "64 hexadecimal"),
        ("title = ", "not valid TOML"),
    ],
)
def test_mistakes_in_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        load_card("mine")
    assert "mine.toml" in str(caught.value)
