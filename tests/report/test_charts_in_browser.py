"""The page's charts of few and many methods: what is in colour, beside the plot, in print and on phones."""

from pathlib import Path

import numpy as np
import pytest

from report.browser import DRIVER, FOUND, Browser
from report.pictured import nameless, per_image
from sodbench.cli.main import main
from sodbench.results.loading import load_runs

pytestmark = pytest.mark.skipif(
    not (FOUND and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
CHECKS = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")
METHODS = [f"method-{number:02d}" for number in range(11)] + ["a-method-with-a-very-long-name-" + "x" * 40]
SETS = ("one", "two")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reports = tmp_path_factory.mktemp("charts")
    for dataset, first in zip(SETS, (0, 100), strict=True):
        for number, method in enumerate(METHODS):
            nameless(reports, method, dataset, first + number)
    options = ["--reports", str(reports), "--formats", "html", "--gallery", "0", "--figures", "ranks"]
    # the table is sorted by name: charts are in the order of max F all the same
    assert main(["report", *options, "--sort", "name"]) == 0
    return reports


@pytest.fixture
def page(chromium: Browser, reports: Path) -> Browser:
    """The page freshly opened at desktop width in light colours, the first charts in view."""
    chromium.command("Emulation.setEmulatedMedia", media="", features=[])
    chromium.resize(1440, 900)
    return opened(chromium, reports)


def opened(browser: Browser, reports: Path) -> Browser:
    browser.open(reports / "index.html")
    browser.run("document.querySelector('.curves').scrollIntoView({behavior: 'instant'})")
    browser.wait("document.querySelector('.dataset .charts svg')")
    return browser


def ranked(reports: Path, dataset: str) -> list[str]:
    """The methods in the order of max F, read from the records."""
    scores = {
        run.name: run.values()["maxF@pysodmetrics"] for run in load_runs(reports) if run.dataset == dataset
    }
    return sorted(scores, key=lambda name: (-scores[name], name))


# JavaScript expressions about the section of the first data set
SECTION = "document.querySelector('.dataset[data-dataset=one]')"
LEGEND = f"[...{SECTION}.querySelectorAll('.legend button')]"
IN_COLOUR = f"{LEGEND}.filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.dataset.method)"
LINES = f"{SECTION}.querySelector('.charts figure').querySelectorAll('path.line.coloured').length"
FILTER = "const f = document.getElementById('filter'); f.value = a[0]; f.dispatchEvent(new Event('input'))"
TIP = "!document.getElementById('tip').hidden && document.getElementById('tip').textContent"


def test_the_best_five_of_many_are_in_colour(page: Browser, reports: Path) -> None:
    order = ranked(reports, "one")
    assert page.run(f"return {LEGEND}.map(b => b.dataset.method)") == order
    assert page.run(f"return {IN_COLOUR}") == order[:5]
    assert page.run(f"return {LINES}") == 5
    strokes = page.run(
        f"return [...{SECTION}.querySelector('.charts figure').querySelectorAll('path.line')]"
        ".map(p => getComputedStyle(p).stroke)"
    )
    # seven of one grey below five different colours
    assert len(strokes) == 12 and len(set(strokes[:7])) == 1 and len(set(strokes[7:])) == 5
    assert strokes[0] not in strokes[7:]


def test_a_method_that_is_chosen_comes_into_colour_on_every_data_set(page: Browser, reports: Path) -> None:
    order = ranked(reports, "one")
    last = order[-1]
    page.run("document.querySelectorAll('.curves')[1].scrollIntoView({behavior: 'instant'})")
    page.wait("document.querySelectorAll('.dataset')[1].querySelector('.charts svg')")
    page.run(f"{LEGEND}.at(-1).click()")
    assert page.run(f"return {IN_COLOUR}") == [*order[:5], last] and page.run(f"return {LINES}") == 6
    assert last in page.run("return " + IN_COLOUR.replace("=one", "=two"))
    page.run(f"{LEGEND}.at(-1).click(); {LEGEND}[0].click()")
    assert page.run(f"return {IN_COLOUR}") == order[1:5]


def test_pointing_raises_the_line_and_a_click_keeps_it(page: Browser) -> None:
    raised = f"[...{SECTION}.querySelectorAll('.pointed-line:not([visibility=hidden])')]"
    assert page.run(f"return {raised}.length") == 0
    page.run(f"{LEGEND}.at(-1).focus()")
    assert page.run(f"return {raised}.length") == 1
    path = f"{SECTION}.querySelector('path.line')"  # the last method's line is drawn first
    assert page.run(f"return {raised}[0].getAttribute('d') === {path}.getAttribute('d')")
    assert page.run(f"return {SECTION}.querySelectorAll('.row.pointed').length") == 1
    page.run(f"{LEGEND}.at(-1).blur()")
    assert page.run(f"return {raised}.length") == 0
    x, y = page.run(
        f"const p = {path}; const s = p.ownerSVGElement.getBoundingClientRect();"
        "const q = p.getPointAtLength(1); return [s.x + q.x, s.y + q.y]"
    )
    page.move(round(x), round(y))
    name = page.wait(TIP).split("\n")[0]
    assert page.run(f"return {SECTION}.querySelector('.legend .pointed').dataset.method") == name
    before = page.run(f"return {IN_COLOUR}.includes(a[0])", name)
    click = "new MouseEvent('click', {clientX: a[0], clientY: a[1]})"
    page.run(f"{path}.ownerSVGElement.dispatchEvent({click})", round(x), round(y))
    assert page.run(f"return {IN_COLOUR}.includes(a[0])", name) != before


def test_up_to_eight_methods_are_all_in_colour(page: Browser) -> None:
    page.run(FILTER, "method-0")
    assert page.run(f"return {LEGEND}.length") == 10 and page.run(f"return {LINES}") == 5
    page.run(FILTER, "01, 02, 03, 04, 05, 06, 07, 08")
    assert page.run(f"return {LINES}") == 8
    looks = page.run(
        f"return [...{SECTION}.querySelector('.charts figure').querySelectorAll('path.line')]"
        ".map(p => getComputedStyle(p).stroke + p.getAttribute('stroke-dasharray'))"
    )
    assert len(set(looks)) == 8


def test_rows_of_the_distribution_are_in_order_and_tell_their_numbers(page: Browser, reports: Path) -> None:
    order = ranked(reports, "one")
    names = page.run(f"return [...{SECTION}.querySelectorAll('.row text')].map(t => t.textContent)")
    assert len(names) == 12
    assert all(full.startswith(name.rstrip("…")) for full, name in zip(order, names, strict=True))
    x, y = page.run(
        f"const r = {SECTION}.querySelector('.row .box');"
        "r.scrollIntoView({behavior: 'instant', block: 'center'});"
        "const b = r.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
    )
    page.move(round(x), round(y))
    text = page.wait(TIP)
    values = per_image(reports, order[0], "S", "one")
    low, middle, high = np.percentile(values, (25, 50, 75))
    for number in (values.mean(), low, middle, high):
        assert f"{number:.3f}".lstrip("0") in text


@pytest.mark.parametrize("dark", [False, True])
def test_the_legend_is_beside_the_plot_or_above_it_on_phones(
    page: Browser, reports: Path, dark: bool
) -> None:
    boxes = (
        f"return ['.charts', '.legend'].map(c => {SECTION}.querySelector(c).getBoundingClientRect())"
        ".map(b => [b.left, b.right, b.top, b.bottom])"
    )
    page.dark(dark)
    charts, legend = page.run(boxes)
    assert legend[0] >= charts[1] and legend[3] - legend[2] < 500
    page.resize(390, 844)
    opened(page, reports)
    charts, legend = page.run(boxes)
    assert legend[3] <= charts[2] and legend[3] - legend[2] < 200
    assert page.run("return document.documentElement.scrollWidth") <= 390
    smallest = page.run(
        f"return Math.min(...[...{SECTION}.querySelectorAll('.charts svg')]"
        ".map(s => s.getBoundingClientRect().width / s.viewBox.baseVal.width))"
    )
    assert smallest > 0.95  # letters are as large as they are set
    assert page.run(CHECKS) == []


def test_all_charts_are_printed_on_light_paper(page: Browser) -> None:
    page.dark(True)
    page.run("scrollTo({top: 0, behavior: 'instant'})")
    assert len(page.command("Page.printToPDF", printBackground=True)["data"]) > 10000
    drawn = (
        "return [...document.querySelectorAll('.dataset')].map(s => s.querySelectorAll('.charts svg').length)"
    )
    assert page.run(drawn) == [2, 2]
    page.command(
        "Emulation.setEmulatedMedia",
        media="print",
        features=[{"name": "prefers-color-scheme", "value": "dark"}],
    )
    shown = page.run(
        f"const [c, l] = ['.charts', '.legend'].map(n => {SECTION}.querySelector(n));"
        "return [c.checkVisibility(), getComputedStyle(c).getPropertyValue('--raised').trim(),"
        " [...l.querySelectorAll('button')].filter(b => b.checkVisibility()).length]"
    )
    assert shown == [True, "#ffffff", 5]
