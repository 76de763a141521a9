"""Who 'we' are, where an export names writers and not sides."""

from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import Conversation, Message
from engine.tickets.importing.detect import detect
from engine.tickets.importing.sides import guess, sided, writers
from engine.tickets.overrides import SourceOverrides
from tests.engine.tickets.exports import prepared, read, said, write
from tests.engine.tickets.importing.readers.test_mail import ANSWER, QUESTION, mbox

ROWS = (
    "ticket,author,text,date\n"
    "1,Cara,Is it dark?,2026-01-01\n1,Ben,Press the switch please.,2026-01-02\n"
    "2,Ben,Your lamp is recalled.,2026-01-03\n2,Dora,Which lamp?,2026-01-04\n2,Ben,The tall one.,2026-01-05\n"
)


def talk(*names: str, source: str = "chat") -> Conversation:
    return Conversation(names[0], tuple(Message("user", "Words", name) for name in names), source=source)


@pytest.mark.parametrize(
    ("talks", "ours"),
    [
        ([talk("Cara", "Ben", "Cara"), talk("Dora", "Ben"), talk("Ben", "Cara")], {"ben"}),
        ([talk("Cara", "Ben"), talk("Dora", "Eve"), talk("Fay", "Ben", "Eve")], {"ben", "eve"}),
        ([talk("Cara", "Shop Help"), *[talk("Dora", "Ben")] * 40], {"ben", "shop help"}),
        ([talk("Ben", "Cara", source="Chat with Cara.txt")], {"ben"}),
        ([talk("Cara", "Help bot"), talk("Cara", "Help bot", "Ben")], {"ben"}),
        ([talk("Cara", "Cara")], set()),
        ([], set()),
    ],
)
def test_who_answers_what_others_begin_is_taken_for_the_support(talks: list[Conversation], ours: set[str]) -> None:
    assert guess(talks) == ours


def test_a_customer_who_once_helped_is_no_colleague() -> None:
    talks = [*[talk("Cara", "Ben")] * 60, talk("Fay", "Dora"), talk("Dora", "Ben")]
    assert guess(talks) == {"ben"}


def test_whom_the_vendor_calls_staff_needs_no_guess() -> None:
    staff = Conversation("1", (Message("assistant", "x", "Dora"), Message("user", "x", "Ben")))
    assert guess([*[talk("Cara", "Ben")] * 9, staff]) == {"dora"}


def test_who_writes_is_counted_and_the_support_stands_first() -> None:
    shown = [
        (writer.name, writer.messages, writer.ours)
        for writer in writers(item for item in sided([talk("Cara", "Ben", "cara ", "Cara")]) if hasattr(item, "people"))
    ]
    assert shown == [("Ben", 1, True), ("Cara", 3, False)]


def test_agents_that_are_named_are_the_support_wherever_they_first_write() -> None:
    talks = [*[talk("Cara", "Ben")] * 2_100, talk("Eve", "Cara")]
    *_, last = sided(talks, ["eve"])
    assert isinstance(last, Conversation)
    assert [message.role for message in last.messages] == ["assistant", "user"]
    with pytest.raises(TicketsError, match="Nobody called Gil writes") as caught:
        list(sided(talks, ["Gil"]))
    assert "Cara, Ben, Eve" in caught.value.remedy


def test_a_table_that_only_names_authors_asks_who_we_are_and_takes_the_answer(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", ROWS)
    assert {writer.name for writer in detect([table]).writers} == {"Cara", "Ben", "Dora"}
    chosen = SourceOverrides(agents=("Ben",))
    assert [(writer.name, writer.messages) for writer in detect([table], chosen).writers if writer.ours] == [("Ben", 3)]
    second = read(table, overrides=chosen)[1]
    assert [role for role, _, _ in said(second)] == ["assistant", "user", "assistant"]
    assert second.customer == "Dora"
    report, _ = prepared([table], tmp_path / "out", overrides=chosen, mask=False)
    assert report.conversations_kept == 2
    told = write(tmp_path / "told.csv", "ticket,author,customer,text\n1,Cara,Cara,Is it dark?\n1,Ben,Cara,Press it.\n")
    assert detect([told]).writers == ()


def test_a_mailbox_asks_too_and_an_export_that_tells_the_sides_refuses_names(tmp_path: Path) -> None:
    box = write(tmp_path / "box.mbox", mbox(QUESTION, ANSWER))
    assert [(writer.name, writer.ours) for writer in detect([box]).writers] == [
        ("cleo@shop.example", True),
        ("ada@customer.example", False),
    ]
    turned = SourceOverrides(agents=("customer.example",))
    assert [role for role, _, _ in said(read(box, overrides=turned)[0])] == ["assistant", "user"]
    wide = write(tmp_path / "w.csv", "question,answer\nDark?,Press it.\n")
    assert detect([wide]).writers == ()
    with pytest.raises(TicketsError, match="say themselves"):
        detect([wide], turned)


def test_in_a_crowd_who_writes_after_many_people_is_the_support() -> None:
    guests = [f"Guest {number}" for number in range(70)]
    crowd = talk(*(name for number, guest in enumerate(guests) for name in (guest, ("Ben", "Eve")[number % 5 == 0])))
    assert guess([crowd]) == {"ben", "eve"}


def test_one_name_written_in_two_ways_is_one_writer(tmp_path: Path) -> None:
    composed, apart, marked = "Caf\u00e9 Shop", "Cafe\u0301 Shop", "\u200eCaf\u00e9 Shop\u200f"
    rows = "".join(f"{n},Ada,Where is it?\n{n},{who},In van {n}.\n" for n, who in enumerate((composed, apart, marked)))
    table = write(tmp_path / "t.csv", f"ticket,author,text\n{rows}")
    found = {writer.name: (writer.messages, writer.ours) for writer in detect([table]).writers}
    assert found == {composed: (3, True), "Ada": (3, False)}
    assert detect([table], SourceOverrides(agents=("CAFE\u0301 shop",))).writers[0].messages == 3


def test_names_in_two_scripts_are_two_writers_and_both_can_be_named(tmp_path: Path) -> None:
    rows = "".join(f"{n},Cara,Where is it?\n{n},{('Anna', 'Анна')[n % 2]},In van {n}.\n" for n in range(8))
    table = write(tmp_path / "t.csv", f"ticket,author,text\n{rows}")
    both = SourceOverrides(agents=("анна", "anna"))
    assert {writer.name for writer in detect([table], both).writers if writer.ours} == {"Anna", "Анна"}


@pytest.mark.parametrize("agents", [(), ("Ada",)])
def test_a_file_of_one_person_asks_and_is_told_what_is_missing(tmp_path: Path, agents: tuple[str, ...]) -> None:
    table = write(tmp_path / "t.csv", "ticket,author,text\n" + "".join(f"{n},Ada,Where is it?\n" for n in range(9)))
    overrides = SourceOverrides(agents=agents)
    assert [writer.name for writer in detect([table], overrides).writers] == ["Ada"]
    with pytest.raises(TicketsError, match=r"only one person writes, Ada: .* Export the talk with what both sides"):
        prepared([table], tmp_path / "out", overrides=overrides)


def test_many_names_are_all_counted(tmp_path: Path) -> None:
    rows = "".join(f"{n},Guest {n},Where is it?\n{n},Ben,In van {n}.\n" for n in range(70))
    table = write(tmp_path / "t.csv", f"ticket,author,text\n{rows}")
    found = detect([table]).writers
    assert (found[0].name, len(found)) == ("Ben", 71)
