"""The page: one static HTML file that needs no server, no network and no build step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sodbench import __version__
from sodbench.files import write_text
from sodbench.report.cells import aside, count, explained, score
from sodbench.report.efficiency import EFFICIENCY, cell
from sodbench.report.frame import Table, marks, ranked_rows
from sodbench.report.labels import arrow, label, protocols_of, split_name
from sodbench.report.page_data import dataset_data
from sodbench.results.run import Run

TEMPLATES = Path(__file__).with_name("templates")
SCRIPTS = ("start.js", "leaderboard.js", "charts.js", "images.js")


def write_page(
    reports: Path,
    table: Table,
    runs: Sequence[Run],
    figures: Mapping[str, Mapping[str, Sequence[Path]]] | None = None,
    count_of_images: int = 6,
) -> Path:
    """Writes `index.html` and the gallery's thumbnails into `reports`; returns the page's path.

    `count_of_images` worst, best and most disputed images of each data set get thumbnails; `figures` are
    offered for download. Whatever names hold, they are text: jinja2 escapes them.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    # in their own order: metrics as the field prints them
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    datasets = [
        dataset_data(reports, table, dataset, rows, runs, count_of_images)
        for dataset, _, rows in table.datasets()
    ]
    html = environment.get_template("page.html").render(
        css=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        script="\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS),
        data={"precision": table.precision, "datasets": datasets},
        sections=[_section(table, reports, figures or {}, *one) for one in table.datasets()],
        methods=len({run.name for run in runs}),
        images=sum(len(one["images"]) for one in datasets),
        explained=explained(table),
        ranks=_downloads(reports, (figures or {}).get("", {})),
        protocols=protocols_of(table.metrics),
        published=bool((table.frame["kind"] == "published").any()),
        version=__version__,
    )
    path = reports / "index.html"
    write_text(path, html)
    return path


def _downloads(reports: Path, figures: Mapping[str, Sequence[Path]]) -> list[dict[str, Any]]:
    """Kinds of figures with the ending and address of each file."""
    return [
        {"kind": kind, "files": [(f.suffix[1:], f.relative_to(reports).as_posix()) for f in files]}
        for kind, files in figures.items()
        if files
    ]


def _section(
    table: Table,
    reports: Path,
    figures: Mapping[str, Mapping[str, Sequence[Path]]],
    dataset: str,
    title: str,
    rows: Any,
) -> dict[str, Any]:
    """What the template shows of one data set: heading, columns, rows, notes, downloads."""
    metrics = table.metrics_of(rows)
    protocols = protocols_of(metrics)
    found, ranked = marks(table), set(ranked_rows(rows).index)
    columns = [
        {
            "name": name,
            "head": EFFICIENCY[name].text,
            "arrow": "",
            "protocol": "",
            "better": EFFICIENCY[name].better,
            "text": EFFICIENCY[name].text,
        }
        for name in table.efficiency
    ]
    for full in metrics:
        metric, protocol = split_name(full)
        columns.append(
            {
                "name": full,
                "head": metric,
                "arrow": arrow(full),
                "protocol": protocol if len(protocols) > 1 else "",
                "better": label(full).better or "up",
                "text": f"{label(full).text}, protocol {protocol}",
            }
        )
    lines = [
        _row(table, metrics, row.to_dict(), index in ranked, found, index) for index, row in rows.iterrows()
    ]
    measured = rows[rows["kind"] == "measured"]
    return {
        "id": dataset,
        "title": title,
        "expected": int(rows["expected"].iloc[0]),
        "most": int(measured["scored"].max()),
        "protocols": protocols,
        "columns": columns,
        "rows": lines,
        "outsiders": len(ranked) < len(measured),
        "notes": table.notes.get(dataset, []),
        "downloads": _downloads(reports, figures.get(dataset, {})),
    }


def _row(
    table: Table, metrics: Sequence[str], facts: dict[Any, Any], ranked: bool, found: Any, index: Any
) -> dict[str, Any]:
    published = facts["kind"] == "published"
    cells = [
        {"text": cell(name, facts[name]), "value": facts[name], "mark": "", "aside": ""}
        for name in table.efficiency
    ]
    for full in metrics:
        text = score(facts, full, table.precision)
        cells.append(
            {
                "text": "" if published and text == "–" else text,
                "value": facts[full],
                "mark": found.at[index, full],
                "aside": aside(facts, full, table.precision),
            }
        )
    return {
        "method": str(facts["method"]),
        "published": published,
        "source": facts["source"] if published else "",
        "note": facts["note"] if published and isinstance(facts["note"], str) else "",
        "count": count(facts),
        "ranked": ranked or published,
        "cells": cells,
    }
