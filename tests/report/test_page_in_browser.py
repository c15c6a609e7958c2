"""The page in a real headless Chromium: sorting, filtering, gallery, keyboard, accessibility, no requests."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from report.browser import DRIVER, FOUND, Browser
from report.pictured import made, nameless, per_image
from sodbench.cli.main import main
from sodbench.data.images import read_image, read_map, read_mask
from sodbench.reporting.pictures import error_overlay

pytestmark = pytest.mark.skipif(
    not (FOUND and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
HOSTILE = "<img src=x onerror=hacked=1></script><script>hacked=2</script>'\"&"
CHECKS = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    reports = root / "reports"
    made(reports, root / "Blocks", {"still": 0, "slow": 1, "fast": 3, HOSTILE: 2})
    nameless(reports, "still")
    options = ["--reports", str(reports), "--format", "html", "--gallery", "2", "--figures"]
    assert main(["report", *options]) == 0
    return reports


@pytest.fixture
def page(chromium: Browser, reports: Path) -> Browser:
    """The page freshly opened at desktop width in light colours."""
    chromium.command("Emulation.setEmulatedMedia", media="", features=[])
    chromium.resize(1440, 900)
    chromium.open(reports / "index.html")
    chromium.log("browser")
    return chromium


# JavaScript expressions about the first data set
ROWS = "[...document.querySelectorAll('#set-0 tbody tr:not([hidden])')].map(r => r.dataset.method)"
CARDS = "[...document.querySelectorAll('#set-0 .card h4')].map(h => h.firstChild.textContent)"
TIP = "!document.getElementById('tip').hidden && document.getElementById('tip').textContent"


def show_images(page: Browser) -> None:
    page.run("document.querySelector('.images').scrollIntoView({behavior: 'instant'})")
    page.wait("document.querySelectorAll('.card').length")


def choose(page: Browser, control: str, value: str) -> None:
    page.run(
        "const c = document.querySelector(`.dataset [data-control=${a[0]}]`); c.value = a[1];"
        "c.dispatchEvent(new Event(c.tagName === 'INPUT' ? 'input' : 'change'))",
        control,
        value,
    )


def walk(page: Browser) -> None:
    """Scrolls through the page, so that everything lazy is drawn."""
    page.run(
        "for (let y = 0; y < document.documentElement.scrollHeight; y += 500) {"
        "scrollTo({top: y, behavior: 'instant'}); await new Promise(r => setTimeout(r, 30)); }"
        "scrollTo({top: 0, behavior: 'instant'})"
    )


def test_nothing_is_asked_of_the_network_and_nothing_fails(page: Browser) -> None:
    page.requests()
    walk(page)
    page.wait("document.querySelector('canvas[data-drawn]')")
    asked = page.requests()
    assert any(address.endswith(".jpg") for address in asked)
    assert {address.partition(":")[0] for address in asked} <= {"file", "data"}
    assert page.log("browser") == []


def test_names_are_text_and_never_run(page: Browser) -> None:
    walk(page)
    assert page.run("return typeof hacked") == "undefined"
    assert HOSTILE in page.run(f"return {ROWS}")


def test_headings_sort_best_first_then_the_other_way(page: Browser, reports: Path) -> None:
    click = "document.querySelector('.dataset thead th[data-name=\"MAE@pysodmetrics\"] button').click();"
    methods = ["still", "slow", "fast", HOSTILE]
    expected = sorted(methods, key=lambda name: per_image(reports, name, "MAE").mean())
    assert page.run(f"{click} return {ROWS}") == expected
    state = "return document.querySelector('[aria-sort]').getAttribute('aria-sort')"
    assert page.run(state) == "ascending"
    assert page.run(f"{click} return {ROWS}") == expected[::-1]
    assert page.run(state) == "descending"
    page.run("document.querySelector('.dataset [data-sort=method]').click()")
    assert page.run(f"return {ROWS}") == sorted(methods, key=str.lower)
    assert page.run("return document.querySelectorAll('.dataset [aria-sort]').length") == 1
    assert "sorted by Method" in page.run("return document.getElementById('status').textContent")


def test_the_filter_hides_rows_lines_and_tiles(page: Browser) -> None:
    walk(page)
    page.run("document.getElementById('filter').focus()")
    page.keys("slow, FAST")
    assert sorted(page.run(f"return {ROWS}")) == ["fast", "slow"]
    assert page.run("return document.querySelectorAll('.legend')[0].children.length") == 2
    assert "2 of 4 methods" in page.run("return document.getElementById('status').textContent")
    tiles = page.run(
        "return [...document.querySelector('.card').querySelectorAll('figcaption span')]"
        ".map(s => s.textContent)"
    )
    assert sorted(tiles) == ["fast", "image", "mask", "slow"]


def test_one_data_set_can_be_chosen(page: Browser) -> None:
    page.run(
        "const s = document.getElementById('dataset'); s.value = 'other';s.dispatchEvent(new Event('change'))"
    )
    shown = (
        "return [...document.querySelectorAll('.dataset')].filter(s => !s.hidden).map(s => s.dataset.dataset)"
    )
    assert page.run(shown) == ["other"]


def test_details_open_by_keyboard_and_show_the_provenance(page: Browser) -> None:
    page.run("document.querySelector('.dataset .name').focus()")
    page.keys("\ue007")
    text = page.wait("document.querySelector('.details')?.textContent")
    assert "MAE@pysodmetrics" in text and "packages" in text and "numpy" in text and "data digest" in text
    assert page.run("return document.querySelector('.dataset .name').getAttribute('aria-expanded')") == "true"
    page.keys("\ue007")
    assert page.run("return document.querySelectorAll('.details').length") == 0


def test_a_cell_tells_the_full_value_and_protocol_under_the_pointer(page: Browser) -> None:
    x, y = page.run(
        "const c = document.querySelector('.dataset td[data-value]');"
        "c.scrollIntoView({behavior: 'instant', block: 'center'});"
        "const b = c.getBoundingClientRect(); return [b.x + b.width / 2, b.y + 5]"
    )
    page.move(round(x), round(y))
    text = page.wait(TIP)
    assert "@pysodmetrics = " in text and "9/9 images" in text


def test_images_come_worst_best_and_by_disagreement(page: Browser, reports: Path) -> None:
    scores = np.stack([per_image(reports, name, "S") for name in ("still", "slow", "fast", HOSTILE)])
    names = list(per_image(reports, "still", "S").index)
    show_images(page)
    mean, span = scores.mean(axis=0), np.ptp(scores, axis=0)
    for order, key in (("worst", mean), ("best", -mean), ("disagreement", -span)):
        choose(page, "order", order)
        shown = page.run(f"return {CARDS}")
        values = [key[names.index(name)] for name in shown]
        assert len(shown) == 6 and values == sorted(values)
        assert values[0] == pytest.approx(key.min(), abs=1e-4)
    choose(page, "order", "name")
    assert page.run(f"return {CARDS}") == names[:6]
    page.run("document.querySelector('[data-page=\"1\"]').click()")
    assert page.run(f"return {CARDS}") == names[6:]


def test_any_image_is_found_by_name_and_its_files_are_shown(page: Browser) -> None:
    show_images(page)
    choose(page, "find", "ü#%")
    assert page.run(f"return {CARDS}") == ["0003 ü#%"]
    assert page.wait(
        "[...document.querySelectorAll('.card img')].every(i => i.complete && i.naturalWidth > 0)"
    )
    page.wait("document.querySelectorAll('.card canvas[data-drawn]').length >= 1")
    choose(page, "find", "nothing like that")
    assert page.run("return document.querySelector('.where').textContent") == "no image has this name"


def test_errors_are_drawn_as_python_draws_them(page: Browser, reports: Path) -> None:
    """Compares the canvas on screen with `error_overlay` of the files, away from JPEG's edges."""
    show_images(page)
    choose(page, "find", "0005")
    page.run("document.getElementById('filter').value = 'fast';"
             "document.getElementById('filter').dispatchEvent(new Event('input'))")  # fmt: skip
    page.wait("document.querySelectorAll('.card canvas[data-drawn]').length === 1")
    box = page.run(
        "const c = document.querySelector('.card canvas');"
        "c.scrollIntoView({behavior: 'instant', block: 'center'});"
        "await new Promise(r => setTimeout(r, 200)); const b = c.getBoundingClientRect();"
        "return [b.x, b.y, b.width, b.height]"
    )
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    root = reports.parent / "Blocks"
    expected = error_overlay(
        read_image(root / "images" / "0005.jpg"),
        read_mask(root / "masks" / "0005.png"),
        read_map(root / "maps" / "fast" / "0005.png"),
    )
    height, width = expected.shape[:2]
    for row, column in ((24, 24), (24, 56), (24, 40), (6, 6)):
        x = round(box[0] + (column + 0.5) * box[2] / width)
        y = round(box[1] + (row + 0.5) * box[3] / height)
        seen = screen[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).mean(axis=0)
        wanted = expected[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3).mean(axis=0)
        np.testing.assert_allclose(seen, wanted, atol=14, err_msg=f"row {row}, column {column}")


def test_an_image_opens_large_and_gives_the_focus_back(page: Browser) -> None:
    show_images(page)
    first, second = page.run(f"return {CARDS}")[:2]
    page.run("document.querySelector('.open').focus()")
    page.keys("\ue007")
    title = "document.getElementById('image-title').textContent"
    assert page.wait(f"document.getElementById('image').open && {title}") == f"Blocks: {first}"
    assert page.run("return document.querySelectorAll('dialog .each section').length") == 4
    page.keys("\ue014")
    assert page.run(f"return {title}") == f"Blocks: {second}"
    page.keys("\ue012")
    assert page.run(f"return {title}") == f"Blocks: {first}"
    assert page.run(CHECKS) == []
    page.keys("\ue00c")
    page.wait("!document.getElementById('image').open")
    assert page.run("return document.activeElement.className") == "open"


def test_missing_files_are_named(page: Browser) -> None:
    page.run("document.querySelectorAll('.images')[1].scrollIntoView({behavior: 'instant'})")
    page.wait("document.querySelectorAll('.dataset')[1].querySelectorAll('.absent').length")
    assert "no longer in" in page.run("return document.querySelectorAll('.gone')[1].textContent")


def test_charts_follow_the_buttons_and_the_pointer(page: Browser) -> None:
    page.run("document.querySelector('.curves').scrollIntoView({behavior: 'instant'})")
    page.wait("document.querySelector('.charts path.line')")
    page.run("document.querySelector('[data-chart=f]').click()")
    captions = page.run(
        "return [...document.querySelectorAll('#set-0 figure figcaption')].slice(0, 2)"
        ".map(c => c.textContent)"
    )
    assert captions == [
        "Mean of the images’ F curves (gives max F of protocol pysodmetrics)",
        "F of mean precision and mean recall (not used by protocol pysodmetrics)",
    ]
    lines = "document.querySelectorAll('.charts')[0].querySelectorAll('path.line').length"
    assert page.run(f"return {lines}") == 8
    coloured = lines.replace("path.line", "path.line.coloured")
    assert page.run(f"return {coloured}") == 8
    page.run("document.querySelector('.legend button').click()")
    assert page.run(f"return [{lines}, {coloured}]") == [8, 6]
    x, y = page.run(
        "const p = document.querySelector('.charts path.line');"
        "const s = p.ownerSVGElement.getBoundingClientRect();"
        "const q = p.getPointAtLength(p.getTotalLength() / 2); return [s.x + q.x, s.y + q.y]"
    )
    page.move(round(x), round(y))
    assert "threshold" in page.wait(TIP)


def test_light_and_dark_can_be_chosen(page: Browser) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    page.run("document.getElementById('theme').click()")
    dark = page.run(ground)
    assert light != dark and page.run("return document.documentElement.dataset.theme") == "dark"
    page.run("document.getElementById('theme').click()")
    assert page.run(ground) == light
    page.run("localStorage.clear()")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_is_accessible(page: Browser, width: int, dark: bool) -> None:
    page.resize(width, 844)
    page.dark(dark)
    page.run("document.querySelector('.dataset .name').click()")
    walk(page)
    page.run("document.querySelector('.picker summary').click()")
    assert page.run(CHECKS) == []
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_everything_is_reached_by_tab_and_the_focus_is_seen(page: Browser) -> None:
    page.run("document.activeElement.blur()")
    reached = []
    for _ in range(30):
        page.keys("\ue004")
        reached.append(
            page.run(
                "const e = document.activeElement; const s = getComputedStyle(e);"
                "const name = e.className || e.id || e.dataset.sort || e.tagName;"
                "return [name, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1]"
            )
        )
    names = [name for name, _ in reached]
    assert names[0] == "skip" and {"quiet", "filter", "name", "method"} <= set(names)
    assert all(seen for _, seen in reached)
