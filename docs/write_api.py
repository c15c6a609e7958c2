"""Writes docs/api.md from the signatures and docstrings of the public names: `python docs/write_api.py`.

tests/test_api.py holds the file against them.
"""

import inspect
import re
from pathlib import Path

import sodbench

PAGE = Path(__file__).with_name("api.md")
HEAD = """# Python API

Everything that the commands do, as functions: `import sodbench as sb`. Names are imported on first use.
This page is written from the docstrings by `python docs/write_api.py`; do not edit it.

[tour.ipynb](tour.ipynb) shows the library at work on the embedded sample.

| name | what it does |
|---|---|
"""


def page() -> str:
    """The whole page."""
    names = [name for name in sodbench.__all__ if name != "__version__"]
    rows = [f"| [`{name}`](#{name.lower()}) | {_first_sentence(getattr(sodbench, name))} |" for name in names]
    sections = [_section(name, getattr(sodbench, name)) for name in names]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(sections)


def _section(name: str, thing: object) -> str:
    lines = [f"## {name}", "", "```python", _signature(name, thing), "```", "", *_text(thing), ""]
    if inspect.isclass(thing):
        for method, value in vars(thing).items():
            if method.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property)):
                continue
            if not inspect.getdoc(value):
                continue
            if isinstance(value, property):
                lines += [f"- `{method}`: {_first_sentence(value)}"]
            else:
                lines += [f"- `{_signature(method, value)}`: {_first_sentence(value)}"]
        lines.append("")
    return "\n".join(lines)


def _signature(name: str, thing: object) -> str:
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    text = str(signature.replace(parameters=parameters))
    # annotations that are strings are shown without their quotes, defaults without their module's path
    text = re.sub(r": '([^']*)'", r": \1", text)
    text = re.sub(r"-> '([^']*)'", r"-> \1", text)
    text = re.sub(r"\b(?:pathlib|collections\.abc|typing|numpy|sodbench(?:\.\w+)*)\.(?=[A-Z])", "", text)
    text = re.sub(r"<factory>", "...", text)
    line = f"{name}{text}"
    if len(line) <= 100:
        return line
    inside, _, after = line[len(name) + 1 :].rpartition(")")
    return f"{name}(\n    " + ",\n    ".join(_split(inside)) + f",\n){after}"


def _split(inside: str) -> list[str]:
    """The parameters of a signature, split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(inside):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(inside[start:place].strip())
            start = place + 1
    return [*parts, inside[start:].strip()]


def _text(thing: object) -> list[str]:
    """The docstring as markdown: indented parameter lines become a list."""
    lines = []
    for line in (inspect.getdoc(thing) or "").splitlines():
        match = re.match(r"(\w+(?:, \w+)*): (.*)", line)
        if match and not line.startswith(" "):
            lines.append(f"- **{match[1]}**: {match[2]}")
        elif line.startswith(">>>") or line.startswith("..."):
            lines.append(f"    {line}")
        else:
            lines.append(f"  {line.strip()}" if line.startswith("    ") else line)
    return lines


def _first_sentence(thing: object) -> str:
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[a-z0-9)`])[.:;] ", text)[0].rstrip(".:;").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
