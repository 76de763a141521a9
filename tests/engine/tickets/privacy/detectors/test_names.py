import pytest

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.names import name_index
from engine.tickets.privacy.detectors.spans import Covered, without_overlaps


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


@pytest.mark.parametrize(
    ("entry", "text", "names"),
    [
        ("José García", "Hola Jose Garcia, hola Jose", ["Jose Garcia", "Jose"]),
        ("Jürgen Müller", "Juergen and Mueller; Jurgen; MÜLLER", ["Juergen", "Mueller", "Jurgen", "MÜLLER"]),
        ("Juergen Mueller", "Jürgen Müller", ["Jürgen Müller"]),
        ("Łukasz Wiśniewski", "Lukasz called, then Wisniewski", ["Lukasz", "Wisniewski"]),
        ("Zoë Vale", "Zoe and Zoe\u0308", ["Zoe", "Zoe\u0308"]),
        ("Zoe\u0308 Vale", "Zoë", ["Zoë"]),
        ("Francois Vale", "François", ["François"]),
        ("Søren Ærø", "Soren Aero", ["Soren Aero"]),
        ("Rita Okafor", "hi rita, thanks", ["rita"]),
        ("Rita Okafor", "Thanks,\nrita", ["rita"]),
        ("Rita Okafor", "I spoke with rita today", ["rita"]),
        (
            "Rita Okafor",
            "r.okafor, rita_okafor, RitaOkafor, rokafor77",
            ["r.okafor", "rita_okafor", "RitaOkafor", "rokafor77"],
        ),
        ("Sophie Santos", "Sophie_Santos wrote", ["Sophie_Santos"]),
        ("anna.schmidt", "Hallo Anna, anna.schmidt", ["Anna", "anna.schmidt"]),
        ("anna.schmidt@lamps.example", "Hallo Anna, danke. Anna Schmidt", ["Anna", "Anna Schmidt"]),
        ("李小龙", "小龙您好，李小龙", ["小龙", "李小龙"]),
        ("李小龙", "李先生", ["李"]),
        ("田中太郎", "田中様、太郎さん", ["田中", "太郎"]),
        ("김민수", "민수님, 김민수", ["민수", "김민수"]),
        ("Jessica Sales", "Hi Jessica, Jessica Sales wrote to sales", ["Jessica", "Jessica Sales"]),
        ("Anna Guest", "Dear Anna, Anna Guest is a guest", ["Anna", "Anna Guest"]),
        ("Tom Service", "Thanks Tom, your service is good", ["Tom"]),
        ("Li Co", "Hi Li, Li Co asked", ["Li", "Li Co"]),
    ],
)
def test_names_are_found_without_accents_capitals_or_spaces(entry: str, text: str, names: list[str]) -> None:
    assert mentions(text, entry) == names


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("Rita Okafor", "the rita variable and okafor"),
        ("李小龙", "龙门 and 小"),
        ("Lamp Sales", "Lamp sales are up, a Lamp is on sale"),
        ("Support Team", "Hi Team, Support here"),
        ("Sales Service", "Sales and Service"),
        ("info@lamps.example", "Hi info"),
    ],
)
def test_words_of_ordinary_language_stay(entry: str, text: str) -> None:
    assert mentions(text, entry) == []
