"""How metrics are named and ranked in tables and figures."""

from dataclasses import dataclass
from typing import Literal

DEFAULT_PROTOCOL = "pysodmetrics"


@dataclass(frozen=True)
class Label:
    """A metric in print: which way is better, and its name in plain text and in LaTeX."""

    better: Literal["up", "down"] | None
    text: str
    latex: str


LABELS = {
    "MAE": Label("down", "MAE", r"\mathrm{MAE}"),
    "maxF": Label("up", "max F", r"F_{\beta}^{\max}"),
    "meanF": Label("up", "mean F", r"F_{\beta}^{\mathrm{mean}}"),
    "adpF": Label("up", "adaptive F", r"F_{\beta}^{\mathrm{adp}}"),
    "wF": Label("up", "weighted F", r"F_{\beta}^{w}"),
    "S": Label("up", "S-measure", r"S_{\alpha}"),
    "maxE": Label("up", "max E", r"E_{\phi}^{\max}"),
    "meanE": Label("up", "mean E", r"E_{\phi}^{\mathrm{mean}}"),
    "adpE": Label("up", "adaptive E", r"E_{\phi}^{\mathrm{adp}}"),
    "relaxF": Label("up", "relaxed F", r"\mathit{relax}F_{\beta}^{b}"),
    "HCE": Label("down", "HCE", r"\mathrm{HCE}"),
}
ORDER = tuple(LABELS)


def split_name(full: str) -> tuple[str, str]:
    """Splits a full metric name: `maxF@basnet2019` -> ("maxF", "basnet2019"); plain names mean the default.

    >>> split_name("maxF@basnet2019"), split_name("S")
    (('maxF', 'basnet2019'), ('S', 'pysodmetrics'))
    """
    metric, _, protocol = full.partition("@")
    return metric, protocol or DEFAULT_PROTOCOL


def label(full: str) -> Label:
    """The label of a metric, by plain or full name; one without a known direction is not ranked."""
    metric = split_name(full)[0]
    return LABELS.get(metric, Label(None, metric, rf"\mathrm{{{metric}}}"))


def arrow(full: str) -> str:
    """The sign that says which way is better, or nothing."""
    better = label(full).better
    return {"up": "↑", "down": "↓", None: ""}[better]


def order(full: str) -> tuple[int, str]:
    """Sort key: metrics in the order in which the field prints them, unknown ones last."""
    metric = split_name(full)[0]
    return (ORDER.index(metric) if metric in LABELS else len(ORDER), full)
