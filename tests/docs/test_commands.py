"""docs/commands/ says what the parsers say."""

import importlib.util
from pathlib import Path

from sodbench.cli.main import COMMANDS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_pages_of_the_commands_are_current() -> None:
    spec = importlib.util.spec_from_file_location("write_commands", DOCS / "write_commands.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = {name: text.rstrip() + "\n" for name, text in module.pages().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")}
    assert found == expected, "run: python docs/write_commands.py"


def test_every_command_has_a_page_that_the_site_shows() -> None:
    site = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    for name in COMMANDS:
        page = f"commands/{name.replace(' ', '-')}.md"
        text = (DOCS / page).read_text(encoding="utf-8")
        assert text.startswith(f"# sodbench {name}\n") and f": {page}\n" in site, name


def test_options_are_shown_with_values_defaults_and_what_is_required() -> None:
    text = (DOCS / "commands" / "run.md").read_text(encoding="utf-8")
    assert "sodbench run BASELINE --datasets NAME ... [options]" in text
    assert "| `--precision {fp32,bf16,fp16}` | numeric precision (the baseline's) |" in text
    assert "--protocol`" not in text, "the former spelling of an option is not shown"
