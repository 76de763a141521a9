import pytest

from engine.tickets.detectors.forms import Forms
from engine.tickets.detectors.names import name_index
from engine.tickets.detectors.spans import Covered, without_overlaps


def mentions(text: str, *people: str, allowed: tuple[str, ...] = ()) -> list[str]:
    spans = list(name_index(frozenset(people), frozenset(allowed)).find(Forms(text), Covered()))
    return [text[span.start : span.end] for span in without_overlaps(spans)]


def test_full_first_and_last_names_are_one_person() -> None:
    index = name_index(frozenset({"Ines Vale"}), frozenset())
    spans = list(index.find(Forms("Ines Vale, Ines, Vale"), Covered()))
    assert len(spans) == 3
    assert len({span.identity for span in spans}) == 1


@pytest.mark.parametrize(
    ("entry", "text", "names"),
    [
        ("Vale, Ines", "Ines Vale and Vale, Ines", ["Ines Vale", "Vale, Ines"]),
        ("VALE INES", "Ines and Vale", ["Ines", "Vale"]),
        ("ines vale", "Ines; INES VALE; ines vale", ["Ines", "INES VALE", "ines vale"]),
        ("Dr. Ines Vale (Lamp Shop)", "Dr. Ines asked", ["Ines"]),
        ("Ines de la Vale", "Frau de la Vale und Vale", ["de la Vale", "Vale"]),
        ("Jean-Luc Vale", "Jean-Luc wrote", ["Jean-Luc"]),
        ("Grace O'Vale", "O’Vale wrote", ["O’Vale"]),
        ("Ines Vale", "Ines's lamp, Iness", ["Ines", "Ines"]),
        ("ines_77", "ines_77 wrote, ines_777 too", ["ines_77"]),
        ("田中 太郎", "田中様、田中太郎さん", ["田中", "田中太郎"]),
        ("Иван Соколов", "Здравствуйте, Иван", ["Иван"]),
        ("José Luis Vale", "José Luis called", ["José Luis"]),
    ],
)
def test_names_are_found_as_people_write_them(entry: str, text: str, names: list[str]) -> None:
    assert mentions(text, entry) == names


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("Ines Vale", "ines and vale in lower case, Valentine, Inessa"),
        ("Mark Will", "Will you mark it? Mark it."),
        ("Lamp Support", "Support for the Lamp"),
        ("Vale GmbH", "Vale is down in the valley"),
        ("a.vale@lamps.example", "a vale"),
        ("Ines van der Vale", "van der"),
        ("X Y", "X and Y"),
        ("", "anything"),
        ("42", "42 lamps"),
    ],
)
def test_what_is_no_name_is_left_alone(entry: str, text: str) -> None:
    assert mentions(text, entry) == []


@pytest.mark.parametrize(
    "text", ["Hi Mark,", "Dear Mark", "Mr. Will called", "Thanks Mark!", "Good.\n\nMark", "Hallo Mark", "Mark Will"]
)
def test_a_common_word_is_a_name_where_names_stand(text: str) -> None:
    assert mentions(text, "Mark Will")


def test_a_name_in_a_link_is_part_of_the_link() -> None:
    index = name_index(frozenset({"Ines Vale"}), frozenset())
    assert list(index.find(Forms("https://l.example/Vale"), Covered([(0, 22)]))) == []


def test_an_allowed_part_stays_while_the_other_goes() -> None:
    assert mentions("Ines and Vale", "Ines Vale", allowed=("vale",)) == ["Ines"]
