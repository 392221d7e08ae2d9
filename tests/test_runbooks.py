"""Runbooks: every page is in the index, links lead somewhere, and commands are as they are written."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

DOCS = Path(__file__).resolve().parent.parent / "docs"
RUNBOOKS = sorted((DOCS / "runbooks").glob("*.md"))
PAGES = [path for path in RUNBOOKS if path.stem != "README"]


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r"\]\(([\w-]+)\.md\)", (DOCS / "runbooks" / "README.md").read_text())
    assert sorted(listed) == [path.stem for path in PAGES]


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), link


def commands(page: Path) -> list[str]:
    """What the page says to type of `manage.py`, in code blocks and in sentences."""
    return re.findall(r"manage\.py ([^\n`]+)", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_take_what_is_written(page: Path) -> None:
    apps = get_commands()
    for line in commands(page):
        name, *arguments = shlex.split(line.replace("$(date -u +%F)", "2026-11-23").partition(": ends")[0])
        assert name in apps, f"{page.stem}: there is no command {name}"
        app = apps[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        parser = command.create_parser("manage.py", name)
        parser.error = lambda message, said=line: pytest.fail(f"{page.stem}: “{said}”: {message}")  # type: ignore[method-assign]
        parser.parse_args(arguments)


def parsers(name: str) -> dict[str, ArgumentParser]:
    """The command's own parser, and those of what it can be told to do."""
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("manage.py", name)
    inside = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
    return {name: parser, **{word: one for choices in inside for word, one in choices.items()}}


def test_the_readme_names_every_option_that_a_command_needs() -> None:
    section = (DOCS.parent / "README.md").read_text().partition("\n## Commands")[2].partition("\n## ")[0]
    lines = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")][1:]
    assert len(lines) > 15
    needed = 0
    for line in lines:
        for told in re.findall(r"`([a-z_]+)", line):
            name = told if told in get_commands() else re.findall(r"`([a-z_]+)", line)[0]
            for action in parsers(name).get(told, parsers(name)[name])._actions:
                if action.required and action.option_strings:
                    needed += 1
                    assert action.option_strings[-1] in line, f"{told} needs {action.option_strings[-1]}"
    assert needed > 2


def test_there_is_something_to_try() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 20
