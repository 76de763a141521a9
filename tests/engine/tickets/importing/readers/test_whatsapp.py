"""WhatsApp's chats from both kinds of phones, as several languages write dates."""

from pathlib import Path

import pytest

from engine.tickets.conversation import Message
from engine.tickets.importing.detect import detect
from engine.tickets.importing.readers.pauses import split_at_pauses
from engine.tickets.importing.readers.whatsapp import evidence_in
from tests.engine.tickets.exports import only, prepared, read, said, write
from tests.engine.tickets.importing.hostile import grows_in_proportion

MARK = "\u200e"
IOS = (
    "[05/01/2026, 10:00:00] Ada Lane: \u200eMessages and calls are end-to-end encrypted.\n"
    "[05/01/2026, 10:00:01] Ada Lane: Is the lamp 🙂\nmeant for outside?\n"
    "\u200e[05/01/2026, 10:00:30] Ada Lane: \u200e<attached: 0001-PHOTO.jpg>\n"
    "[05/01/2026, 10:02:00] ~\u202fLamp Shop: No, it is for rooms alone. \u200e<This message was edited>\n"
    "[05/01/2026, 10:03:00] ~\u202fLamp Shop: \u200eThis message was deleted.\n"
    "[13/01/2026, 21:00:00] Ada Lane: How long does the bulb last?\n"
    "[14/01/2026, 09:00:00] ~\u202fLamp Shop: \u200eimage omitted\nAbout ten years, as the box says.\n"
)
ANDROID = "{0} - Ada changed this group's icon\n{0} - Ada: Is it dark: yes or no?\n{1} - Ben: Press the switch.\n"


def test_a_chat_of_an_iphone_is_parted_by_its_pauses_and_freed_of_what_nobody_typed(tmp_path: Path) -> None:
    path = write(tmp_path / "_chat.txt", IOS)
    found = detect([path])
    assert (found.format, found.evidence[:31]) == ("whatsapp", "7 of the first 9 lines begin wi")
    assert [(writer.name, writer.messages, writer.ours) for writer in found.writers] == [
        ("Lamp Shop", 2, True),
        ("Ada Lane", 2, False),
    ]
    first, second = read(path)
    assert said(first) == [
        ("assistant", "system", "Messages and calls are end-to-end encrypted."),
        ("user", "public", "Is the lamp 🙂\nmeant for outside?"),
        ("user", "attachment", "0001-PHOTO.jpg"),
        ("assistant", "public", "No, it is for rooms alone."),
        ("assistant", "hidden", "This message was deleted."),
    ]
    assert said(second)[1] == ("assistant", "public", "About ten years, as the box says.")
    assert (second.created_at, second.customer, second.people) == (
        *("2026-01-13T21:00:00", "Ada Lane"),
        ("Ada Lane", "Lamp Shop"),
    )
    report, _ = prepared([path], tmp_path / "out")
    assert report.conversations_kept == 2
    assert report.messages_left_out == {
        "system message": 1,
        "attachment without words": 1,
        "hidden or deleted": 1,
    }


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("25/01/2026, 22:00", "26/01/2026, 01:05"),  # English, Spanish, Italian
        ("1/25/26, 10:00\u202fPM", "1/26/26, 1:05\u202fAM"),  # American
        ("1/2/26, 10:00 PM", "1/3/26, 1:05 AM"),
        ("25/01/26, 10:00 pm", "26/01/26, 1:05 am"),  # Indian
        ("25.01.26, 22:00", "26.01.26, 01:05"),  # German
        ("25.1.2026 klo 22.00", "26.1.2026 klo 1.05"),  # Finnish
        ("25/01/2026 à 22:00", "26/01/2026 à 01:05"),  # French
        ("25-01-2026 22:00", "26-01-2026 01:05"),  # Dutch
        ("25/01/26, 10:00 p. m.", "26/01/26, 1:05 a. m."),  # Spanish
        ("2026-01-25 22:00", "2026-01-26 01:05"),  # Swedish
        ("2026. 01. 25. 22:00", "2026. 01. 26. 1:05"),  # Hungarian
        ("2026. 1. 25. 오후 10:00", "2026. 1. 26. 오전 1:05"),  # Korean
        ("2026年1月25日 下午10:00", "2026年1月26日 上午1:05"),  # Chinese
        ("2026/01/25 22:00", "2026/01/26 1:05"),  # Japanese
        ("٢٥/٠١/٢٠٢٦، ١٠:٠٠ م", "٢٦/٠١/٢٠٢٦، ١:٠٥ ص"),  # Arabic
        ("٢٥\u200f/١\u200f/٢٠٢٦، ١٠:٠٠ م", "٢٦\u200f/١\u200f/٢٠٢٦، ١:٠٥ ص"),
        ("25/1/26, 10:00\u202fp.\u00a0m.", "26/1/26, 1:05\u202fa.\u00a0m."),  # Spanish, as phones write it
        ("25.01.26 г., 22:00", "26.01.26 г., 1:05"),  # Bulgarian
        ("25/1/2569 22:00", "26/1/2569 1:05"),  # Thai, from Buddha's death on
    ],
)
def test_dates_are_read_as_the_language_of_the_phone_writes_them(tmp_path: Path, asked: str, answered: str) -> None:
    conversation = read(write(tmp_path / "chat.txt", ANDROID.format(asked, answered)))[0]
    day = "2026-01-02" if asked.startswith("1/2/") else "2026-01-25"
    assert [message.at for message in conversation.messages[1:]] == [
        f"{day}T22:00:00",
        f"{day[:-2]}{int(day[-2:]) + 1:02}T01:05:00",
    ]
    assert said(conversation) == [
        ("assistant", "system", "Ada changed this group's icon"),
        ("user", "public", "Is it dark: yes or no?"),
        ("assistant", "public", "Press the switch."),
    ]


@pytest.mark.parametrize("clocks", [("22:00", "01:05"), ("10:00 PM", "1:05 AM")])
def test_what_was_copied_out_of_the_browser_has_its_time_first(tmp_path: Path, clocks: tuple[str, str]) -> None:
    text = f"[{clocks[0]}, 25/1/2026] Ada: Is it dark?\n[{clocks[1]}, 26/1/2026] Ben: Press the\nswitch.\n"
    (conversation,) = read(write(tmp_path / "chat.txt", text))
    assert [(message.at, message.content) for message in conversation.messages] == [
        ("2026-01-25T22:00:00", "Is it dark?"),
        ("2026-01-26T01:05:00", "Press the\nswitch."),
    ]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("\u200eimage absente", "attachment"),
        ("\u200e写真は含まれていません", "attachment"),
        ("bill.pdf • \u200e2 pages \u200edocument omitted", "attachment"),
        ("<המדיה לא נכללה>", "attachment"),
        ("Missed voice call", "system"),
        ("Bill • all is paid", "public"),
    ],
)
def test_what_nobody_typed_is_no_words(tmp_path: Path, line: str, kind: str) -> None:
    text = f"[25/01/2026, 10:00:00] Ada: Is it dark?\n[25/01/2026, 10:01:00] Ben: {line}\n"
    assert only(write(tmp_path / "chat.txt", text)).messages[1].kind == kind


def test_the_order_of_day_and_month_is_the_one_in_which_time_never_runs_back(tmp_path: Path) -> None:
    days = ("2/1/26", "3/1/26", "2/2/26", "4/2/26")
    talk = "".join(f"{day}, 10:00 - {name}: words\n" for day, name in zip(days, ("Ada", "Ben") * 2, strict=True))
    dates = [message.at for talk in read(write(tmp_path / "c.txt", talk)) for message in talk.messages]
    assert dates == ["2026-01-02T10:00:00", "2026-01-03T10:00:00", "2026-02-02T10:00:00", "2026-02-04T10:00:00"]


def test_a_log_a_letter_and_json_are_no_chats() -> None:
    log = "[2026-01-02 10:00:00] ERROR: no disk\n[2026-01-02 10:00:01] INFO: end\n"
    for text in (log, "02.01.2026, Bonn\nDear Ada:\n", '[{"a": 1},\n{"a": 2}]', "2026-01-02 10:00:00 - Ada: x\n" * 3):
        assert evidence_in(text) == ""


def talk(*said: tuple[str, int]) -> list[list[str]]:
    """Part messages at pauses; each is a name and an hour since the first day's midnight."""
    messages = [
        (name, Message("user", "x", name, f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00:00")) for name, hour in said
    ]
    return [[name for name, _ in part] for part in split_at_pauses(messages)]


def test_an_answer_after_a_weekend_belongs_to_its_question_and_a_new_question_the_next_day_does_not() -> None:
    assert talk(("ada", 0), ("ben", 60)) == [["ada", "ben"]]
    assert talk(("ada", 0), ("ben", 1), ("ada", 12)) == [["ada", "ben"], ["ada"]]
    assert talk(("ada", 0), ("ben", 1), ("dora", 12)) == [["ada", "ben"], ["dora"]]
    assert talk(("ada", 0), ("ben", 1), ("ben", 30)) == [["ada", "ben", "ben"]]
    assert talk(("ada", 0), ("ada", 30), ("ben", 40)) == [["ada", "ada", "ben"]]
    assert talk(("ada", 0), ("ben", 100)) == [["ada"], ["ben"]]
    assert talk(("ada", 0), ("ben", 1), ("ada", 5)) == [["ada", "ben", "ada"]]


@pytest.mark.parametrize(
    "unit",
    ["a\n", " ", "\n", "<a b c ", "1/2/26, ", "1.1.1 10:00 a ", "[1/2/26, 10:00] A: <", "a" * 60 + ": ", MARK + "<a"],
)
def test_a_chat_made_to_do_harm_takes_time_in_proportion_to_its_length(tmp_path: Path, unit: str) -> None:
    def work(text: str) -> None:
        path = write(tmp_path / "c.txt", f"1/2/26, 10:00 - Ada: x\n1/2/26, 10:01 - Ben: {text}")
        detect([path])

    assert grows_in_proportion(work, unit)
