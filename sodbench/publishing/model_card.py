"""The scores of a method as `model-index`, the YAML metadata that model hubs read from a model's README.

The form is that of Hugging Face's model cards: one result per data set, with task, data set and metrics. Each
metric has its full name, `maxF@pysodmetrics`, because the number means nothing without its protocol.
`verified` is left out: a hub sets it, not an author. Only runs on all images of a data set are included, as
the form has no place for a count.
"""

import json
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from sodbench.errors import InputError, Note, first_of, unknown_names
from sodbench.names import folder_name
from sodbench.reporting.labels import split_name
from sodbench.reporting.report_table import runs_of
from sodbench.reporting.selection import Selection, select_metrics
from sodbench.results.card_of_run import card_of
from sodbench.results.run import Run

TASK = "image-segmentation"
TASK_NAME = "Salient object detection"
# text that means itself in YAML without quotes; the rest is quoted as in JSON
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_@.+-]*(?: [A-Za-z][A-Za-z0-9_@.+-]*)*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}


def model_card(
    runs: Run | Iterable[Run] | Path | str,
    method: str,
    *,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str | Path] | None = None,
) -> str:
    """The scores of a method as the YAML block `model-index`, for the head of a model's README.

    `runs` are runs or a reports folder; `metrics` and `protocols` are chosen as in `report`. Values have six
    digits after the point. Runs that lack images of their data set are left out with a note. Raises
    InputError for an unknown method or metric, and where no run is complete.
    """
    found = runs_of(runs)
    mine = sorted((run for run in found if run.name == method), key=lambda run: run.dataset)
    if not mine:
        raise unknown_names("method", [method], {run.name for run in found})
    complete = [run for run in mine if run.scored == run.expected]
    partial = [f"{run.dataset} ({run.count} images)" for run in mine if run.scored != run.expected]
    if not complete:
        raise InputError(
            f"{method}: no run on all images of a data set, only {first_of(partial)}; a model card has no"
            " place for the count"
        )
    if partial:
        warnings.warn(f"{method}: not in the model card: {first_of(partial)}", Note, stacklevel=2)
    shown = select_metrics(complete, Selection(metrics=metrics, protocols=protocols))
    lines = ["---", "model-index:", f"- name: {_text(method)}", "  results:"]
    for run in complete:
        lines += _result(run, shown)
    if lines[-1] == "  results:":
        raise InputError(f"{method}: no score under these metrics and protocols")
    return "\n".join([*lines, "---"]) + "\n"


def model_card_file(method: str) -> Path:
    """Where a published folder holds the model card of a method."""
    return Path("model-cards") / f"{folder_name(method)}.md"


def _result(run: Run, metrics: Sequence[str]) -> list[str]:
    values = {full: value for full, value in run.values().items() if full in metrics and math.isfinite(value)}
    if not values:
        return []
    lines = [
        "  - task:",
        f"      type: {TASK}",
        f"      name: {TASK_NAME}",
        "    dataset:",
        f"      type: {_text(run.dataset)}",
        f"      name: {_text(run.title)}",
    ]
    if split := _split(run):
        lines.append(f"      split: {split}")
    lines.append("    metrics:")
    for full in metrics:
        if full in values:
            lines.append(f"    - type: {_text(split_name(full)[0])}")
            lines.append(f"      name: {_text(full)}")
            lines.append(f"      value: {values[full]:.6f}")
    return lines


def _split(run: Run) -> str:
    """The split that the card of the data set states; empty for a set without one."""
    card = card_of(run)
    return "" if card is None or card.role == "both" else card.role


def _text(text: str) -> str:
    """A string of YAML, quoted where it needs to be."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
