"""The options of all commands: one name for one thing, former spellings lead to the new ones."""

import argparse
from pathlib import Path

import pytest

from sodbench.cli.main import build_parser, main


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command and sub-command by its name, `datasets list` included."""
    found: dict[str, argparse.ArgumentParser] = {}

    def visit(parser: argparse.ArgumentParser, name: str) -> None:
        inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not inner and name:
            found[name] = parser
        for action in inner:
            for word, one in action.choices.items():
                visit(one, f"{name} {word}".strip())

    visit(build_parser(), "")
    return found


def options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that `--help` shows, by their spelling."""
    shown = [a for a in parser._actions if a.help != argparse.SUPPRESS]
    return {name: action for action in shown for name in action.option_strings if name.startswith("--")}


def test_shared_options_are_the_same_everywhere() -> None:
    shared = ("--reports", "--data-root", "--quiet", "--json", "--precision")
    for name in shared:
        seen = {}
        for command, parser in commands().items():
            action = options(parser).get(name)
            if action is not None:
                seen[command] = (action.help, action.metavar, action.default, action.nargs, action.type)
        assert len(seen) >= 2 and len(set(seen.values())) == 1, (name, seen)


def test_several_values_have_a_plural_name_and_one_a_singular_one() -> None:
    checked = 0
    for command, parser in commands().items():
        for name, action in options(parser).items():
            noun = name.removeprefix("--")
            if noun in ("dataset", "protocol", "metric", "format", "method", "figure", "tolerance"):
                # `report --format` is a second name of --formats; without --parity `compare --dataset` is the
                # former spelling of --datasets
                if "--formats" not in action.option_strings and (command, noun) != ("compare", "dataset"):
                    assert action.nargs is None, f"{command} {name} takes several values"
                checked += 1
            if noun in ("datasets", "protocols", "metrics", "formats", "methods", "figures", "tolerances"):
                assert action.nargs in ("+", "*"), f"{command} {name} takes one value"
                checked += 1
    assert checked > 15


def test_a_former_spelling_works_with_a_note(
    root: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = str(root / "SOD" / "GT")
    job = ["score", maps, "--dataset", "sod", "--name", "a", "--data-root", str(root), "--quiet"]
    assert main([*job, "--protocol", "raw", "salod"]) == 0
    output = capsys.readouterr()
    assert " raw " in output.out and " salod " in output.out
    assert output.err.strip() == (
        "sodbench: note: --protocol is now called --protocols; the former spelling works in this version only"
    )
    assert main([*job, "--protocols", "raw", "--reports", "other"]) == 0
    assert capsys.readouterr().err == ""
