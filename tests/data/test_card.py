"""Cards: all that ship are valid and sourced; mistakes are named with file and key."""

import re
from pathlib import Path

import pytest

from sodbench.data.card import card_names, load_card, load_cards
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
    assert {name: load_card(name).count for name in card_names()} == COUNTS


@pytest.mark.parametrize("name", card_names())
def test_addresses_have_the_form_of_their_kind(name: str) -> None:
    card = load_card(name)
    for mirror in card.mirrors:
        for archive in mirror.archives:
            form = r"https?://[^\s]+" if mirror.kind == "http" else r"[A-Za-z0-9_-]{28,33}"
            assert re.fullmatch(form, archive.address), archive
            assert archive.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
            assert archive.md5 is None or re.fullmatch(r"[0-9a-f]{32}", archive.md5)
    assert card.redistribution != "forbidden" or {mirror.kind for mirror in card.mirrors} == {"manual"}


@pytest.mark.parametrize("name", card_names())
def test_every_card_says_where_each_of_its_facts_comes_from(name: str) -> None:
    card = load_card(name)
    assert card.title and card.summary and card.count_source != "unknown"
    assert card.terms_source != "unknown" and card.citation_source != "unknown"
    assert all(mirror.source != "unknown" for mirror in card.mirrors)
    assert all(quirk.source != "unknown" for quirk in card.quirks)
    assert all(layout.source != "unknown" for layout in card.layouts)
    assert card.generator or card.layouts
    assert not card.home or card.home_source != "unknown"
    if card.names is not None:
        assert len(card.names) == card.count


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
    said = [alias.lower() for card in cards for alias in (card.name, *card.aliases)]
    assert len(said) == len(set(said))


BASE = 'title = "T"\nfolders = ["T"]\n[count]\npairs = 2\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3\n[count]\npairs = 1", "title: found 3; expected a text"),
        ("[count]\npairs = 1", "title: missing"),
        ('title = "T"', "count.pairs: missing"),
        ('title = "T"\n[count]\npairs = -1', "count.pairs: found -1"),
        ('title = "T"\n[count]\npairs = true', "count.pairs: found True"),
        (BASE + "[colour]\nred = 1", "unknown key colour"),
        (BASE + "[terms]\nlicense = 'x'", "unknown key terms.license"),
        (BASE + "[terms]\nredistribution = 'perhaps'", "terms.redistribution"),
        (BASE + "[names]\nrange = '1 to 5'", "names.range"),
        (BASE + "[names]\nlist = 'none.txt'", "no file none.txt"),
        (BASE + "[[layouts]]\nname = 'x'\nimages = '../a'\nmasks = 'b'", "leaves the set's folder"),
        (BASE + "[[mirrors]]\nkind = 'ftp'\narchives = []", "mirrors.kind"),
        (BASE + "[[mirrors]]\narchives = [{name = '../x', address = 'y'}]", "not a plain file name"),
        (BASE + "[[quirks]]\ntext = 'x'\nignore_masks = [1]", "quirks.ignore_masks"),
        (BASE + "layouts = 3", "unknown key|expected a list"),
        ("title = ", "not valid TOML"),
    ],
)
def test_mistakes_in_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        load_card("mine")
    assert "mine.toml" in str(caught.value)


def test_a_card_of_ones_own_replaces_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "sod.toml").write_text(BASE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_card("sod").count == 2
