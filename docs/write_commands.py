"""Writes docs/commands/, one page per command, from the parsers of `--help`: `python docs/write_commands.py`.

tests/docs/test_commands.py holds the pages against them.
"""

import argparse
import html
import re
from collections.abc import Iterable
from pathlib import Path

from sodbench.cli.main import build_parser

FOLDER = Path(__file__).with_name("commands")
HEAD = """# Commands

`python docs/write_commands.py` generates these pages from the parsers; do not edit them.
`sodbench COMMAND --help` prints the same.

| command | what it does |
|---|---|
"""
FOOT = """
Every command also takes `--debug`: show the traceback of an error. `sodbench --version` prints the version.

Results go to stdout, progress and notes to stderr; with `--json`, stdout is one JSON object.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | a check failed: drift, an audit, parity, a step of a suite |
| 2 | wrong usage, bad input, or any other error |
| 130 | interrupted (Ctrl-C) |
| 143 | terminated (SIGTERM) |
| 141 | the output was closed before its end (`sodbench ... \\| head`) |
"""


def pages() -> dict[str, str]:
    """File name -> text of every page."""
    commands = _commands(build_parser())
    rows = [f"| [`{parser.prog}`]({_file(parser)}) | {_plain(summary)} |\n" for parser, summary in commands]
    texts = {"index.md": HEAD + "".join(rows) + FOOT}
    for parser, _ in commands:
        texts[_file(parser)] = "\n".join(_section(parser, "#"))
    return texts


def _file(parser: argparse.ArgumentParser) -> str:
    return parser.prog.removeprefix("sodbench ").replace(" ", "-") + ".md"


def _commands(parser: argparse.ArgumentParser) -> list[tuple[argparse.ArgumentParser, str]]:
    """The commands of a parser, each with its line in the parser's help."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for entry in action._choices_actions:
                found.append((action.choices[entry.dest], entry.help or ""))
    return found


def _section(parser: argparse.ArgumentParser, heading: str) -> list[str]:
    """One command: what it does, how it is called, its arguments, examples, the commands below it."""
    lines = [f"{heading} {parser.prog}", "", _plain(parser.description or ""), ""]
    below = _commands(parser)
    if not below:
        lines += ["```sh", _usage(parser), "```", ""]
    for group in parser._action_groups:
        lines += _table(parser, group)
    if parser.epilog:
        examples = [line.strip() for line in parser.epilog.removeprefix("example: ").splitlines()]
        lines += ["Example:" if len(examples) == 1 else "Examples:", "", "```sh", *examples, "```", ""]
    for command, _ in below:
        lines += _section(command, heading + "#")
    return lines


def _usage(parser: argparse.ArgumentParser) -> str:
    """The call with everything that must be given."""
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    positional = [_values(action) for action in shown if not action.option_strings]
    required = [_option(action) for action in shown if action.option_strings and action.required]
    return " ".join([parser.prog, *positional, *required, "[options]"])


def _table(parser: argparse.ArgumentParser, group: argparse._ArgumentGroup) -> Iterable[str]:
    rows = []
    for action in group._group_actions:
        shown = action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)
        if shown and not isinstance(action, argparse._SubParsersAction):
            text = parser._get_formatter()._expand_help(action) if action.help else ""
            name = _option(action) if action.option_strings else _values(action)
            note = " (required)" if action.option_strings and action.required else ""
            rows.append(f"| `{_cell(name)}` | {_plain(text)}{note} |")
    if not rows:
        return
    own = group.title not in ("positional arguments", "options", "optional arguments")
    if own:
        yield from (f"**{(group.title or '').capitalize()}.** {_plain(group.description or '')}".strip(), "")
    title = "argument" if group.title == "positional arguments" else "option"
    yield from (f"| {title} | meaning (default) |", "|---|---|", *rows, "")


def _option(action: argparse.Action) -> str:
    return " ".join(filter(None, ["/".join(action.option_strings), _values(action)]))


def _values(action: argparse.Action) -> str:
    """The values of an option or argument, as in a usage line."""
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    name = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    return {"+": f"{name} ...", "*": f"[{name} ...]", "?": f"[{name}]", None: name}.get(action.nargs, name)


def _plain(text: str) -> str:
    """Text that markdown shows as it is."""
    return _cell(re.sub(r"([*_])", r"\\\1", html.escape(" ".join(text.split()), quote=False)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write(folder: Path = FOLDER) -> None:
    """Writes all pages and removes those of commands that are no more."""
    folder.mkdir(exist_ok=True)
    texts = pages()
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
    print(FOLDER)
