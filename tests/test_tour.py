"""docs/tour.ipynb runs from its first cell to its last, and shows what it promises."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TOUR = Path(__file__).resolve().parents[1] / "docs" / "tour.ipynb"


@pytest.mark.slow
def test_the_tour_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(shown) == len(code) > 8, "every cell ends with something to look at"
    pages = " ".join(data.get("text/html", "") for data in shown)
    for part in ("basnet-tiny on Sample", "saliency map</figcaption>", "colour-distance", "training loss"):
        assert part in pages, part
    assert (tmp_path / "tour" / "reports" / "index.html").stat().st_size > 10_000


def test_the_committed_outputs_name_no_folder_of_a_machine() -> None:
    text = TOUR.read_text(encoding="utf-8")
    assert "/home/" not in text and "/root" not in text and "/tmp/" not in text and "Users" not in text
