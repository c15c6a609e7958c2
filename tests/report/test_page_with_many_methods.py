"""The page of six methods on three data sets in a headless Chromium: overview, links, gallery, dialog, print.

The scores of the images lie in files beside this page, as those of a large report do.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from report.browser import DRIVER, FOUND, Browser
from report.pictured import made, nameless, per_image
from sodbench.cli.main import main
from sodbench.reporting import page_parts
from sodbench.reporting.cell_text import number
from sodbench.results.loading import load_runs

pytestmark = pytest.mark.skipif(
    not (FOUND and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
METHODS = {"still": 0, "slow": 1, "fast": 3, "faster: 4 & more": 4, "half": 2, "double": 5}
CHECKS = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")
OVERVIEW = "[...document.querySelectorAll('.overview tbody tr:not([hidden])')].map(r => r.dataset.method)"
CARDS = "[...document.querySelectorAll('.dataset .card h4')].map(h => h.firstChild.textContent)"
TILES = (
    "[...document.querySelector('.card').querySelectorAll('figcaption span:first-child')]"
    ".map(s => s.textContent)"
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("many")
    reports = root / "reports"
    made(reports, root / "Blocks", METHODS)
    for seed, method in enumerate(METHODS):
        nameless(reports, method, "other", seed)
    for seed, method in enumerate(("still", "slow")):
        nameless(reports, method, "a-third", seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_parts, "EMBEDDED", 0)
        assert main(["report", "--reports", str(reports), "--format", "html", "--figures"]) == 0
    return reports


@pytest.fixture
def page(chromium: Browser, reports: Path) -> Browser:
    return opened(chromium, reports)


def opened(browser: Browser, reports: Path, link: str = "") -> Browser:
    """The page of an address, loaded anew at desktop width."""
    browser.command("Emulation.setEmulatedMedia", media="", features=[])
    browser.resize(1440, 900)
    browser.open("about:blank")
    browser.open((reports / "index.html").as_uri() + link)
    browser.log("browser")
    return browser


@contextmanager
def moved(path: Path, place: Path) -> Iterator[None]:
    """A file or folder is elsewhere for a while."""
    path.rename(place)
    try:
        yield
    finally:
        place.rename(path)


def show_images(page: Browser) -> None:
    page.run("document.querySelector('.images').scrollIntoView({behavior: 'instant'})")
    page.wait("document.querySelectorAll('.card').length")


def type_filter(page: Browser, text: str) -> None:
    page.run(
        "const f = document.getElementById('filter'); f.value = a[0]; f.dispatchEvent(new Event('input'))",
        text,
    )


def test_the_overview_comes_first_with_ranks_and_means_of_complete_data_sets(
    page: Browser, reports: Path
) -> None:
    assert page.run("return document.querySelector('main').firstElementChild.className") == "panel overview"
    heads = page.run(
        "return [...document.querySelectorAll('.overview .group')].map(h => h.textContent.trim())"
    )
    assert heads == ["Mean of 2 sets", "Blocks", "OTHER", "A-THIRD"]
    values = {run.dataset: {} for run in load_runs(reports)}
    for run in load_runs(reports):
        values[run.dataset][run.name] = run.values()
    metrics = [f"{name}@pysodmetrics" for name in ("MAE", "maxF", "S")]
    ranks: dict[str, list[int]] = {name: [] for name in METHODS}
    for dataset in ("blocks", "other"):
        for metric in metrics:
            ordered = sorted(METHODS, key=lambda name: values[dataset][name][metric])
            for name in METHODS:
                place = ordered.index(name) + 1
                ranks[name].append(place if metric.startswith("MAE") else 7 - place)
    expected = {name: sum(one) / 6 for name, one in ranks.items()}
    shown = page.run(f"return {OVERVIEW}")
    assert [expected[name] for name in shown] == sorted(expected.values())
    first = page.run(
        "return [...document.querySelectorAll('.overview tbody tr:first-child td')]"
        ".map(c => Number(c.dataset.value || NaN))"
    )
    means = [sum(values[dataset][shown[0]][m] for dataset in ("blocks", "other")) / 2 for m in metrics]
    assert first[:4] == pytest.approx([expected[shown[0]], *means])
    assert first[4:7] == pytest.approx([values["blocks"][shown[0]][m] for m in metrics])


def test_the_overview_sorts_and_shows_the_provenance_on_all_data_sets(page: Browser) -> None:
    page.run("document.querySelector('.overview th[data-name=\"other:MAE@pysodmetrics\"] button').click()")
    values = page.run(
        "return [...document.querySelectorAll('.overview tbody tr')]"
        ".map(r => Number(r.cells[8].dataset.value))"
    )
    assert values == sorted(values)
    assert "OTHER MAE, ascending" in page.run("return document.getElementById('status').textContent")
    page.run("document.querySelector('.overview tr[data-method=still] .name').click()")
    text = page.run("return document.querySelector('.overview .details').innerText")
    assert "Blocks: 9/9" in text and "A-THIRD: 6/6" in text and text.count("numpy") == 1


def test_the_jump_list_scrolls_to_a_data_set_and_the_link_keeps_it(page: Browser, reports: Path) -> None:
    names = page.run("return [...document.querySelectorAll('.jump li')].map(l => l.innerText)")
    assert names == ["Blocks 6 methods, 9 images", "OTHER 6 methods, 6 images", "A-THIRD 2 methods, 6 images"]
    page.run("document.querySelectorAll('.jump a')[2].click()")
    assert page.run("return document.activeElement.dataset.dataset") == "a-third"
    link = page.run("return location.hash")
    top = "document.querySelector('[data-dataset=a-third]').getBoundingClientRect().top"
    opened(page, reports, link)
    page.wait(f"{top} < innerHeight")


def test_a_link_restores_filter_order_methods_and_open_image(page: Browser, reports: Path) -> None:
    type_filter(page, "still, slow, more, half")
    page.run("document.querySelector('.overview th[data-name=\"blocks:S@pysodmetrics\"] button').click()")
    page.run("document.querySelector('.dataset th[data-name=method] button').click()")
    page.run(
        "const s = document.getElementById('dataset'); s.value = 'blocks';"
        "s.dispatchEvent(new Event('change'))"
    )
    show_images(page)
    page.run(
        "const c = document.querySelector('[data-control=order]'); c.value = 'name';"
        "c.dispatchEvent(new Event('change'))"
    )
    page.run("document.querySelector('.picker input[value=slow]').click()")
    page.wait(f"{CARDS}[3] === '0003 ü#%'")
    page.run("document.querySelectorAll('.open')[3].click()")
    page.wait("document.getElementById('image').open")
    sorted_by = "[...document.querySelectorAll('.leaderboard [aria-sort]')].map(h => h.dataset.name)"
    orders = f"return [{OVERVIEW}, {sorted_by}]"
    before, tiles, link = page.run(orders), page.run(f"return {TILES}"), page.run("return location.hash")
    assert "slow" not in tiles and len(tiles) == 5

    opened(page, reports, link)
    title = "document.getElementById('image').open && document.getElementById('image-title').textContent"
    assert page.wait(title) == "Blocks: 0003 ü#%"
    assert page.run(orders) == before
    assert page.run(f"return {TILES}") == tiles
    assert page.run("return document.getElementById('filter').value") == "still, slow, more, half"
    assert page.run("return document.querySelector('.overview').hidden")
    assert page.run("return location.hash") == link
    page.keys("\ue00c")
    page.wait("!location.hash.includes('&image=')")
    page.run("location.hash = '#filter=fast'")
    page.wait("document.getElementById('filter').value === 'fast'")
    assert page.run("return document.getElementById('dataset').value") == ""
    assert page.run("return document.querySelectorAll('.leaderboard [aria-sort]').length") == 0


def test_wrong_values_in_a_link_are_ignored(page: Browser, reports: Path) -> None:
    wrong = (
        "#filter=%E0%A4%A&dataset=none&sort=blocks:nothing:ascending&sort=:method:sideways&at=nowhere"
        "&images=blocks:upwards:S:nobody:maps&tiles=nobody&image=blocks:none&image&x=1&sort=a-third:method:descending"
    )
    opened(page, reports, wrong)
    page.wait("location.hash === '#sort=a-third:method:descending&images=blocks:worst:S::maps'")
    assert page.run("return document.querySelectorAll('[aria-sort]').length") == 1
    assert not page.run("return document.getElementById('image').open")
    assert len(page.run(f"return {OVERVIEW}")) == 6
    assert page.log("browser") == []


def test_the_gallery_says_how_many_methods_it_shows_and_lets_them_be_chosen(page: Browser) -> None:
    show_images(page)
    summary = "return document.querySelector('.picker summary').textContent"
    assert page.run(summary) == "4 of 6 methods"
    assert len(page.run(f"return {TILES}")) == 2 + 4
    page.run("document.querySelector('.picker summary').click()")
    assert page.run(CHECKS) == []
    page.run("document.querySelector('.picker input:not(:checked)').click()")
    assert page.run(summary) == "5 of 6 methods"
    page.run("document.querySelector('[data-pick=all]').click()")
    assert page.run(summary) == "6 of 6 methods" and len(page.run(f"return {TILES}")) == 2 + 6
    page.run("document.querySelector('[data-pick=first]').click()")
    page.run(
        "const c = document.querySelector('[data-control=method]'); c.value = 'double';"
        "c.dispatchEvent(new Event('change'))"
    )
    page.wait(f"{TILES}[2] === 'double'")
    assert page.run(summary) == "4 of 6 methods"


def test_the_dialog_has_all_methods_with_a_table_of_scores(page: Browser, reports: Path) -> None:
    show_images(page)
    type_filter(page, "slow")
    image = page.wait(f"{CARDS}[0]")
    page.run("document.querySelector('.open').click()")
    rows = (
        "[...document.querySelectorAll('dialog tbody tr')]"
        ".map(r => [r.cells[0].textContent, ...[...r.cells].slice(1).map(c => c.textContent)])"
    )
    page.wait(f"{rows}.length === 6 && !{rows}.flat().includes('–')")
    scores = {name: per_image(reports, name, "S")[image] for name in METHODS}
    table = page.run(f"return {rows}")
    heads = page.run(
        "return [...document.querySelectorAll('dialog thead button')].map(b => b.dataset.metric)"
    )
    column = 1 + heads.index("S")
    assert [scores[row[0]] for row in table] == sorted(scores.values(), reverse=True)
    assert [row[column] for row in table] == [number(scores[row[0]]) for row in table]
    best = page.run(f"return document.querySelector('dialog tbody tr').cells[{column}].className")
    assert best == "best"
    page.run("document.querySelector('dialog [data-metric=MAE]').click()")
    errors = {name: per_image(reports, name, "MAE")[image] for name in METHODS}
    names = page.run("return [...document.querySelectorAll('.each h3')].map(h => h.firstChild.textContent)")
    assert [errors[name] for name in names] == sorted(errors.values())
    assert page.run(CHECKS) == []


def test_filtering_to_nothing_says_so_and_is_undone(page: Browser) -> None:
    type_filter(page, "<b>zzz</b>")
    shown = (
        "return [...document.querySelectorAll('main section')]"
        ".filter(s => s.checkVisibility()).map(s => s.innerText)"
    )
    sections = page.run(shown)
    assert len(sections) == 1 and "No method’s name contains “<b>zzz</b>”." in sections[0]
    assert "0 of 6 methods" in page.run("return document.getElementById('status').textContent")
    page.run("[...document.querySelectorAll('[data-clear]')].find(b => b.checkVisibility()).click()")
    assert len(page.run(f"return {OVERVIEW}")) == 6
    type_filter(page, "fast")
    assert "No method’s name contains" in page.run(
        "return document.querySelector('[data-dataset=a-third]').innerText"
    )


def test_on_a_phone_the_method_stays_and_its_count_stands_below(page: Browser) -> None:
    page.resize(390, 844)
    place = (
        "const s = document.querySelector('.dataset .scroll'); s.scrollLeft = 200;"
        "const m = s.querySelector('tbody th'); const l = s.getBoundingClientRect().left;"
        "return [s.scrollLeft > 100, Math.abs(m.getBoundingClientRect().left - l) < 12, m.innerText]"
    )
    scrolled, stays, text = page.run(place)
    assert scrolled and stays and "9/9" in text
    assert page.run("return document.querySelector('.dataset td.count').checkVisibility()") is False
    page.run("document.querySelector('.overview .name').click()")
    assert page.run("return document.querySelector('.details dl').getBoundingClientRect().right") <= 390
    assert page.run("return document.documentElement.scrollWidth") <= 390
    assert page.run(CHECKS) == []


def test_printing_draws_every_chart_on_white(page: Browser) -> None:
    page.run("document.documentElement.dataset.theme = 'dark'")
    assert page.run("return document.querySelectorAll('.charts svg').length") < 6
    page.command("Page.printToPDF", preferCSSPageSize=True)
    assert page.run(
        "return [...document.querySelectorAll('.charts')].every(c => c.querySelector('path.line'))"
    )
    page.command("Emulation.setEmulatedMedia", media="print")
    colour, bar, scroll = page.run(
        "return [getComputedStyle(document.body).color, document.querySelector('.bar').checkVisibility(),"
        "getComputedStyle(document.querySelector('.scroll')).overflowX]"
    )
    assert colour == "rgb(29, 31, 33)" and not bar and scroll == "visible"


def test_the_scores_of_images_are_loaded_when_they_are_shown(page: Browser, reports: Path) -> None:
    files = sorted(path.name for path in (reports / "page" / "blocks").iterdir())
    assert {"images.js", "S.js", "MAE.js"} <= set(files)
    page.run("document.querySelector('.dataset .charts').scrollIntoView({behavior: 'instant'})")
    show_images(page)
    asked = page.run("return [...document.scripts].map(s => s.getAttribute('src')).filter(Boolean)")
    assert {"page/blocks/images.js", "page/blocks/S.js"} <= set(asked) and "page/blocks/wF.js" not in asked
    lines = "document.querySelectorAll('.dataset .charts path.line').length"
    assert page.run(f"return {lines}") >= len(METHODS)
    where = "document.querySelector('.where').textContent"
    with moved(reports / "page" / "blocks" / "wF.js", reports / "gone.js"):
        page.run(
            "const c = document.querySelector('[data-control=metric]'); c.value = 'wF';"
            "c.dispatchEvent(new Event('change'))"
        )
        assert page.wait(f"{where}.includes('not found: page/blocks/wF.js')")


def test_an_opened_image_shows_thumbnails_where_its_own_files_are_gone(page: Browser, reports: Path) -> None:
    with moved(reports.parent / "Blocks", reports.parent / "Elsewhere"):
        show_images(page)
        page.run("document.querySelector('.open').click()")
        tiles = "[...document.querySelectorAll('dialog .tile img')]"
        page.wait(f"{tiles}.slice(0, 4).every(i => i.src.includes('/gallery/') && i.naturalWidth)")
        page.wait("document.querySelectorAll('dialog canvas[data-drawn]').length")


def test_a_small_page_is_one_file_again(reports: Path, tmp_path: Path) -> None:
    reports = shutil.copytree(reports, tmp_path / "reports")
    before = (reports / "index.html").read_text()
    assert '"file": "page/blocks/S.js"' in before
    options = ["--methods", "still", "slow", "--gallery", "0", "--figures"]
    assert main(["report", "--reports", str(reports), "--format", "html", *options]) == 0
    assert '"file":' not in (reports / "index.html").read_text()
    assert not list((reports / "page").rglob("*"))
