"""The README's tables: what goes in, every setting of a recipe, every command and option, as the program has them.

    python tests/reference.py    writes it into README.md, between the two marks

test_docs.py fails while the README says something else.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

README = ROOT / "README.md"
BEGIN, END = "<!-- written by tests/reference.py -->", "<!-- end of what is written by tests/reference.py -->"

SOURCES_BEGIN, SOURCES_END = "<!-- what goes in, by tests/reference.py -->", "<!-- end of what goes in -->"


def sources() -> str:
    """Return the table of what can be read, from the readers themselves."""
    from engine.tickets.importing.readers import READERS, mail, table

    lines = ["| source | how to export it there | file | what is read |", "| --- | --- | --- | --- |"]
    for reader in (*READERS, mail, table):
        cells = (reader.LABEL, *reader.GUIDE)
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join((SOURCES_BEGIN, *lines, SOURCES_END))


def reference() -> str:
    """Return the reference as Markdown."""
    return f"{BEGIN}\n{_settings()}\n{_commands()}\n{END}"


def _settings() -> str:
    from engine.recipe import FIELDS

    lines = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for name, setting in FIELDS.items():
        allowed = ", ".join(map(str, setting.choices)) or _between(setting.low, setting.high)
        allowed = " ".join(part for part in (allowed, setting.unit) if part)
        told = f"{setting.label}. {setting.help}" + (f" ({allowed})" if allowed else "")
        lines.append(f"| `{name}` | {_shown(setting.default)} | {told.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _commands() -> str:
    import typer

    import app
    from engine.__main__ import app as commands

    group: Any = typer.main.get_command(commands)
    told = {f"python -m engine {name}": command for name, command in group.commands.items()}
    window = typer.Typer()
    window.command()(app.main)
    told["python app.py"] = typer.main.get_command(window)
    lines = ["| command | options |", "| --- | --- |"]
    for name, command in told.items():
        options = [_option(option) for option in command.params if option.name != "help"]
        lines.append(f"| `{name}` | {'; '.join(options)} |")
    return "\n".join(lines) + "\n"


def _option(option: Any) -> str:
    """An option with its other name, and what it is."""
    plain = option.param_type_name == "argument"
    names = option.name.upper() if plain else "/".join([*option.opts, *option.secondary_opts])
    meaning = (option.help or "").rstrip(".").replace("|", "/")
    return f"`{names}`" + (f" {meaning[0].lower()}{meaning[1:]}" if meaning else "")


def _between(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return " ".join(["" if low is None else _number(low), "to", "" if high is None else _number(high)]).strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _shown(value: Any) -> str:
    return "on" if value is True else "off" if value is False else f"`{value}`" if value != "" else "empty"


def write() -> None:
    """Put the reference into the README."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    text = before + reference() + rest.split(END)[1]
    before, rest = text.split(SOURCES_BEGIN)
    README.write_text(before + sources() + rest.split(SOURCES_END)[1], encoding="utf-8")


if __name__ == "__main__":
    write()
