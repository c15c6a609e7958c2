"""Writes docs/api.md from the signatures and docstrings of the public names: `python docs/write_api.py`.

tests/test_api.py holds the file against them.
"""

import ast
import dataclasses
import inspect
import re
import textwrap
from pathlib import Path

import sodbench

PAGE = Path(__file__).with_name("api.md")
MOST_FIELDS = 15  # a class with more is described in words
HEAD = """# Python API

All commands are also functions: `import sodbench as sb`. Names are imported on first use.
`python docs/write_api.py` generates this page from the docstrings; do not edit it.

[tour.ipynb](tour.ipynb) is a tour of the library on the embedded sample.

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
            if method.startswith("_") or method in _field_names(thing):
                continue
            if not (inspect.isfunction(value) or isinstance(value, property)):
                continue
            if not inspect.getdoc(value):
                continue
            if isinstance(value, property):
                lines += [f"- `{method}`: {_first_sentence(value)}"]
            else:
                call = " ".join(
                    _signature(method, value).replace("(\n    ", "(").replace(",\n)", ")").split()
                )
                lines += [f"- `{call}`: {_first_sentence(value)}"]
        lines.append("")
    return "\n".join(lines)


def _signature(name: str, thing: object, width: int = 100) -> str:
    """The call as it is written in the source, one parameter per line where it is long."""
    node = _definition(thing)
    if isinstance(node, ast.ClassDef):
        made = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        if made:
            parameters, after = _parameters(made[0]), ""
        else:
            parameters, after = _fields(node), ""
        if len(parameters) > MOST_FIELDS or not parameters:
            return f"{name}(...)"
    else:
        parameters = _parameters(node)
        after = f" -> {_plain(node.returns)}" if node.returns else ""
    line = f"{name}({', '.join(parameters)}){after}"
    if len(line) <= width:
        return line
    return f"{name}(\n    " + ",\n    ".join(parameters) + f",\n){after}"


def _definition(thing: object) -> ast.FunctionDef | ast.ClassDef:
    source = textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    return node


def _parameters(node: ast.FunctionDef) -> list[str]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    missing = [None] * (len(plain) - len(arguments.defaults))
    parts = [
        _parameter(one, value) for one, value in zip(plain, [*missing, *arguments.defaults], strict=True)
    ]
    parts = [part for part in parts if part != "self"]
    if arguments.vararg:
        parts.append(f"*{_parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        parts.append("*")
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    parts += [_parameter(one, value) for one, value in keywords]
    if arguments.kwarg:
        parts.append(f"**{_parameter(arguments.kwarg, None)}")
    return parts


def _parameter(one: ast.arg, default: ast.expr | None) -> str:
    text = one.arg if one.annotation is None else f"{one.arg}: {_plain(one.annotation)}"
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if one.annotation else f"{text}={ast.unparse(default)}"


def _fields(node: ast.ClassDef) -> list[str]:
    """The fields of a dataclass; a default that is made by a function is shown as `...`."""
    parts = []
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = f"{one.target.id}: {_plain(one.annotation)}"
            if one.value is not None:
                made = isinstance(one.value, ast.Call)
                text += " = ..." if made else f" = {ast.unparse(one.value)}"
            parts.append(text)
    return parts


def _field_names(thing: type) -> set[str]:
    return {field.name for field in dataclasses.fields(thing)} if dataclasses.is_dataclass(thing) else set()


def _plain(annotation: ast.expr) -> str:
    """An annotation without the quotes that put its evaluation off."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return re.sub(r"'([^']*)'", r"\1", ast.unparse(annotation))


def _text(thing: object) -> list[str]:
    """The docstring as markdown: indented parameter lines become a list."""
    lines: list[str] = []
    for line in (inspect.getdoc(thing) or "").splitlines():
        match = re.match(r"(\w+(?:, \w+)*): (.*)", line)
        if match:
            lines.append(f"- **{match[1]}**: {match[2]}")
        elif line.startswith((">>>", "...")) or (line and lines and lines[-1].startswith("    >>>")):
            lines.append(f"    {line}")  # an example and what it prints
        elif line.startswith("    "):
            lines.append(f"  {line.strip()}")
        else:
            if line and lines and lines[-1].startswith(("- ", "  ")):
                lines.append("")  # the list ends here
            lines.append(line)
    return lines


def _first_sentence(thing: object) -> str:
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[a-z0-9)`])\. ", text)[0].rstrip(".").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
