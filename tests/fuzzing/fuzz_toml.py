"""The TOML files that a user brings: baselines, cards, protocols, recipes and published numbers."""

import contextlib
import tempfile
import tomllib
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

from sodbench.data.card import read_card
from sodbench.errors import InputError
from sodbench.json_text import plain
from sodbench.metrics.protocol import Protocol, load_protocol
from sodbench.models.lookup import load_baseline
from sodbench.results import published
from sodbench.training.recipe import Recipe, load_recipe

from .bounds import bounded
from .choices import EDITED, VERBATIM, Choices, edited_bytes, edited_tree
from .toml_text import toml_text


def one_input(data: bytes) -> None:
    """Reads one file as what its kind says, and asks for everything that is computed from its text."""
    if len(data) < 2:
        return
    read, _ = kinds()[data[1] % len(kinds())]
    content = content_of(data)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, bounded():
        path = Path(folder) / "mine.toml"
        path.write_bytes(content)
        with warnings.catch_warnings(), contextlib.suppress(InputError):
            warnings.simplefilter("ignore")
            read(path)


def content_of(data: bytes) -> bytes:
    """The file that an input stands for."""
    if data[0] == VERBATIM:
        return data[2:]
    _, text = kinds()[data[1] % len(kinds())]
    choices = Choices(data[2:])
    if choices.number(8) == 7:
        return edited_bytes(text.encode(), choices)
    return toml_text(edited_tree(tomllib.loads(text), choices)).encode("utf-8", "surrogatepass")


def seeds() -> list[bytes]:
    """Inputs to start from: every valid file, and one to be edited."""
    made = [bytes((VERBATIM, kind)) + text.encode() for kind, (_, text) in enumerate(kinds())]
    return made + [bytes((EDITED, kind, 0)) for kind in range(len(kinds()))]


@cache
def kinds() -> tuple[tuple[Callable[[Path], object], str], ...]:
    """What reads each kind of file, and a valid file with all of its tables."""
    protocol = {
        "name": "mine",
        **{k: v for k, v in plain(load_protocol("basnet2019")).items() if k != "name"},
    }
    own_protocol = {"based_on": "sal-eval", "f_beta2": 0.5, "notes": ["a note"], "families": ["MAE", "F"]}
    recipe = plain(Recipe(dataset=("sample-train",), iterations=10, batch=4, lr=1e-3, resize=(64, 64)))
    training = {"title": "mine", "network": "basnet", "training": recipe}
    return (
        (_baseline, BASELINE),
        (_baseline, 'extends = "basnet"\ntitle = "mine"\n[published]\nof = "basnet"\n'),
        (_card, CARD),
        (_protocol, toml_text(protocol)),
        (_protocol, toml_text(own_protocol)),
        (_baseline, toml_text(training)),
        (_published, PUBLISHED),
    )


def _baseline(path: Path) -> None:
    baseline = load_baseline(path)
    baseline.weights_path()
    repr(baseline)
    if baseline.weights is not None:
        repr(baseline.weights.addresses)
    if baseline.training:
        recipe = load_recipe(baseline.training, source=str(path))
        recipe.as_dict()
        recipe.augmentation()
        for iteration in (0, recipe.iterations // 2, recipe.iterations):
            recipe.learning_rate(iteration)


def _card(path: Path) -> None:
    card = read_card(path)
    card.is_official("0001")
    card.owns_folder("mine")


def _protocol(path: Path) -> None:
    protocol = load_protocol(path)
    assert isinstance(protocol, Protocol)
    protocol.changes()
    protocol._repr_html_()


def _published(path: Path) -> None:
    published.method_of("mine")  # the names of methods are read from the real folder, once
    with mock.patch.object(published, "FOLDER", path.parent):
        for value in published.published_values.__wrapped__():
            repr((value.digits, value.remark))


BASELINE = """
title = "mine"
description = "a network"
source = "made here"
network = "basnet"
options = {width = 16}
input = {height = 32, width = 32, scaling = "255", mean = [0.1, 0.2, 0.3], std = [1.0, 1, 1], fixed = false}
output = {kind = "logits", stretch = true, gain = 2.0}
weights = {file = "mine.pth", url = "https://example.org/w.pth", size = 10, licence = "MIT", note = "none"}
inference = {cpu = "fp32", cuda = "bf16", scales = [0.5, 1.0], mirror = true}
published = {ecssd = {maxF = 0.9}}
"""

CARD = """
title = "Mine"
summary = "three pictures"
role = "test"
folders = ["Mine"]
aliases = ["my-set"]
count = {pairs = 3, source = "counted"}
names = {range = "0001-0003", source = "seen"}
split = {of = "sod", lists = ["test.txt"], hint = "ask"}
layouts = [{name = "official", images = "images", masks = "*/masks", mask_suffix = "_mask"}]
home = {pages = ["https://example.org"]}
terms = {licence = "unknown", redistribution = "forbidden"}
citation = {text = "A. Nobody"}
quirks = [{text = "one is odd", ignore_images = ["a.jpg"], rename = {"a.png" = "b.png"}, known = ["0001"]}]

[[mirrors]]
kind = "http"
archives = [{address = "https://example.org/a.zip", name = "a.zip", size = 3, into = "images"}]
"""

PUBLISHED = """
[source]
short = "Mine"
title = "My paper"
venue = "CVPR 2020"
toolkit = "unknown"
cite = "qin2019basnet"

[[tables]]
name = "Table 1"
read_from = "page 3"
variant = "trained on DUTS"
metrics = ["maxF", "MAE"]
printed = ["F", "MAE"]
protocol = {maxF = "basnet2019"}
family = {maxF = "curve of means"}
counts = {ecssd = 1000}
marks = {"*" = "with CRF"}
remarks = {"BASNet/ecssd/MAE" = "rounded"}
dataset_remarks = {sod = "other masks"}
remark = "read by hand"
rows = {BASNet = {ecssd = ".942 .037*", sod = ".851 .114"}, "Mine (RN50)" = {ecssd = ".9 .1"}}
"""
