"""What README, CONTRIBUTING and CHANGELOG say of the repository is there."""

import re
from pathlib import Path

import pytest

from tests.reference import BEGIN, END, SOURCES_BEGIN, SOURCES_END, reference, sources

ROOT = Path(__file__).parents[1]
DOCS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/benchmarks/LOG.md")
TOP = ("app.py", "assets/", "engine/", "tests/", "ui/", ".ci/")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_command_and_option_stands_in_the_readme_as_it_is():
    written = text("README.md").split(BEGIN)[1].split(END)[0]
    assert f"{BEGIN}{written}{END}" == reference(), "run: python tests/reference.py"


def test_everything_that_goes_in_stands_in_the_readme_as_its_reader_has_it():
    written = text("README.md").split(SOURCES_BEGIN)[1].split(SOURCES_END)[0]
    assert f"{SOURCES_BEGIN}{written}{SOURCES_END}" == sources(), "run: python tests/reference.py"


@pytest.mark.parametrize("name", DOCS)
def test_every_path_that_is_named_is_there(name):
    named = {path for path in re.findall(r"[\w./]+", text(name)) if path.startswith(TOP)}
    named = {path.rstrip(".") for path in named}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DOCS)
def test_every_link_inside_the_repository_leads_somewhere(name):
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text(name)) if "://" not in link]
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_the_map_names_what_is_in_the_files():
    named = re.findall(r"`([\w/.]+\.py)::(\w+)`", text("CONTRIBUTING.md"))
    assert len(named) >= 15
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(?:def|class|async def) {name}\b", text(file), re.MULTILINE)
    ]
    assert missing == []


def test_the_map_answers_twenty_questions():
    rows = text("CONTRIBUTING.md").split("## To change")[1].split("##")[0].strip().splitlines()
    assert len([row for row in rows if row.startswith("| ")]) - 2 >= 20
