"""How metrics are named and ranked in tables and figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sodbench.metrics.protocol import DEFAULT as DEFAULT_PROTOCOL
from sodbench.metrics.registry import all_metrics, split_name

__all__ = ["DEFAULT_PROTOCOL", "Label", "arrow", "label", "order", "protocols_of", "split_name"]

_LATEX = {
    "MAE": r"\mathrm{MAE}",
    "maxF": r"F_{\beta}^{\max}",
    "meanF": r"F_{\beta}^{\mathrm{mean}}",
    "adpF": r"F_{\beta}^{\mathrm{adp}}",
    "wF": r"F_{\beta}^{w}",
    "S": r"S_{\alpha}",
    "maxE": r"E_{\phi}^{\max}",
    "meanE": r"E_{\phi}^{\mathrm{mean}}",
    "adpE": r"E_{\phi}^{\mathrm{adp}}",
    "relaxF": r"\mathit{relax}F_{\beta}^{b}",
}


@dataclass(frozen=True)
class Label:
    """A metric in print: which way is better, and its name in plain text and in LaTeX."""

    better: Literal["up", "down"] | None
    text: str
    latex: str


def label(full: str) -> Label:
    """The label of a metric, by plain or full name; one that this version does not know is not ranked."""
    metric = split_name(full)[0]
    latex = _LATEX.get(metric, rf"\mathrm{{{''.join(c for c in metric if c.isalnum())}}}")
    info = all_metrics().get(metric)
    if info is None:
        return Label(None, metric, latex)
    return Label("up" if info.higher_is_better else "down", info.title, latex)


def arrow(full: str) -> str:
    """The sign that says which way is better, or nothing."""
    return {"up": "↑", "down": "↓", None: ""}[label(full).better]


def protocols_of(metrics: Iterable[str]) -> list[str]:
    """The protocols of full metric names, each once, in the order in which they appear."""
    return list(dict.fromkeys(split_name(full)[1] for full in metrics))


def order(full: str) -> tuple[int, str]:
    """Sort key: metrics in the order in which the field prints them, unknown ones last."""
    known = list(all_metrics())
    metric = split_name(full)[0]
    return (known.index(metric) if metric in known else len(known), full)
