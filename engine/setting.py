"""One setting of a recipe: its kind, range and words, how it is read from text and checked.

It knows no recipe: :mod:`engine.recipe` declares its fields with :func:`setting`, and :func:`settings_of` reads them.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

from engine.errors import RecipeError
from engine.typed_numbers import AmbiguousNumberError, plain, read_float, read_whole

Group = Literal["Model", "Adapter", "Learning", "Batches", "Memory", "Evaluation"]
_KINDS: dict[type, str] = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}
_YES_OR_NO = {**dict.fromkeys(("true", "yes", "1", "on"), True), **dict.fromkeys(("false", "no", "0", "off"), False)}


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the recipe as the window and the command line see it."""

    name: str
    kind: type
    """str, int, float or bool."""
    choices: tuple[str, ...]
    """The closed set, or empty."""
    default: Any
    group: Group
    label: str
    help: str
    """One plain sentence."""
    low: float | None
    high: float | None
    unit: str

    @property
    def range_text(self) -> str:
        """The allowed range in words, such as '1 to 512 steps'."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low is None:
            return ""
        return f"{plain(self.low)} to {plain(self.high or 0)} {self.unit}".strip()

    def parse(self, text: str) -> Any:
        """Read a value from text.

        Raises:
            RecipeError: It is not of the field's type.
        """
        text = text.strip() if self.kind is not str else text
        if not text and self.kind is not str:
            raise RecipeError(self.name, f"{self.label}: there is no value.", f"Write {self._wanted}.")
        try:
            return self._read(text)
        except AmbiguousNumberError as error:
            remedy = "Write it without the mark, or with more or fewer decimals."
            raise RecipeError(self.name, f"{self.label}: '{text}' {error}.", remedy) from error
        except (ValueError, KeyError) as error:
            raise RecipeError(
                self.name, f"{self.label}: '{text}' is not {_KINDS[self.kind]}.", f"Write {self._wanted}."
            ) from error

    def _read(self, text: str) -> Any:
        if self.kind is bool:
            return _YES_OR_NO[text.lower()]
        if self.kind is str:
            return text
        number = text.removesuffix(self.unit) if self.unit else text
        return read_whole(number) if self.kind is int else read_float(number)

    @property
    def _wanted(self) -> str:
        """What to write, in words."""
        return f"{_KINDS[self.kind]} from {self.range_text}" if self.low is not None else _KINDS[self.kind]

    def check(self, value: Any) -> None:
        """Raise a RecipeError unless ``value`` is of the field's type and in its range."""
        right_type = isinstance(value, self.kind) or (self.kind is float and isinstance(value, int))
        if not right_type or (isinstance(value, bool) and self.kind is not bool):
            if self.kind in (int, float) and (value is None or isinstance(value, str)):
                self.parse(value or "")  # what is wrong with the text; where nothing is, it is still no number
            raise RecipeError(
                self.name, f"{self.label}: {value!r} is not {_KINDS[self.kind]}.", f"Write {self._wanted}."
            )
        if self.choices and value not in self.choices:
            raise RecipeError(self.name, f"{self.label}: '{value}' is not one of {', '.join(self.choices)}.")
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            raise RecipeError(self.name, f"{self.label}: {plain(value)} is outside {self.range_text}.")


def setting(
    default: Any,
    group: Group,
    label: str,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> Any:
    """Describe one field of a recipe.

    Args:
        default: Its value where nobody says another.
        group: Where it is shown.
        label: What it is called on the page.
        help: What it does, one plain sentence.
        low: The least value, inclusive; None where it is no number.
        high: The greatest value, inclusive.
        unit: Of its value, in words.
    """
    metadata = {"group": group, "label": label, "help": help, "low": low, "high": high, "unit": unit}
    return field(default=default, metadata=metadata)


def settings_of(recipe: type) -> dict[str, Setting]:
    """Return the fields of a dataclass whose fields were all declared with :func:`setting`, by name, in order."""
    settings: dict[str, Setting] = {}
    for item in dataclasses.fields(recipe):
        choices = get_args(item.type) if get_origin(item.type) is Literal else ()
        kind = str if choices else item.type
        assert isinstance(kind, type)
        settings[item.name] = Setting(item.name, kind, choices, item.default, **item.metadata)
    return settings
