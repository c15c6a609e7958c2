"""CITATION.cff and the issue templates have the form that their readers expect."""

import re
import shlex
from pathlib import Path

import yaml

import sodbench
from sodbench.cli.main import build_parser

TOP = Path(__file__).resolve().parents[2]


def test_the_citation() -> None:
    """The keys that version 1.2.0 of the format requires, and what must agree with the package."""
    citation = yaml.safe_load((TOP / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["message"] and citation["title"].startswith("sodbench")
    assert all(set(author) <= {"name", "family-names", "given-names"} for author in citation["authors"])
    assert citation["version"] == sodbench.__version__ and citation["license"] == "MIT"


def test_the_issue_templates() -> None:
    forms = [path for path in (TOP / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"]
    assert len(forms) == 3
    (actions,) = (action for action in build_parser()._actions if action.dest == "command")
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and form["labels"], path.name
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields), path.name
        for field in fields:
            assert field["type"] in ("input", "textarea"), path.name
            assert field["attributes"]["label"], path.name
        for command in re.findall(r"`sodbench ([a-z].*?)`", path.read_text(encoding="utf-8")):
            assert shlex.split(command)[0] in (actions.choices or ()), f"{path.name}: sodbench {command}"
