import json
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import SourceOverrides, detect
from tests.engine.tickets.exports import only, read, said, workbook, write


def test_a_subject_and_a_description_are_both_used(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        "Ticket ID,Subject,Description,Response,Tags,Customer Email,Created At\n"
        '4,Lamp,Dark,Press,"a, b",x@example.com,2025-01-02\n',
    )
    found = only(path)
    assert (found.id, found.subject, found.tags, found.customer) == ("4", "Lamp", ("a", "b"), "x@example.com")
    assert [content for _, _, content in said(found)] == ["Dark", "Press"]


LONG = """ticket_id,author,role,message,created_at
1,Ada,customer,Dark,2025-01-01 10:00
2,Bob,customer,Broken,2025-01-01 10:01
1,Cleo,agent,Press it,2025-01-01 10:02
2,Cleo,agent,Send it,2025-01-01 10:03
2,Cleo,internal note,Again,2025-01-01 10:04
1,Ada,end-user,Thanks,2025-01-01 10:05
"""


def test_rows_of_a_long_table_are_put_together(tmp_path: Path) -> None:
    first, second = read(write(tmp_path / "t.csv", LONG))
    assert said(first) == [
        ("user", "public", "Dark"),
        ("assistant", "public", "Press it"),
        ("user", "public", "Thanks"),
    ]
    assert [kind for _, kind, _ in said(second)] == ["public", "public", "note"]
    assert first.people == ("Ada", "Cleo")


def test_without_roles_the_first_writer_is_the_customer_unless_he_writes_all_the_time(tmp_path: Path) -> None:
    rows = ["ticket,author,text"]
    for number in range(8):
        order = [(f"user{number}", "Dark"), ("cleo", "Press it")]
        rows += [f"{number},{who},{words}" for who, words in (order if number else reversed(order))]
    found = read(write(tmp_path / "t.csv", "\n".join(rows)))
    roles = [[role for role, _, _ in said(conversation)] for conversation in found]
    assert roles == [["assistant", "user"], *[["user", "assistant"]] * 7]


def test_a_row_with_too_many_cells_is_damage(tmp_path: Path) -> None:
    from engine.tickets.conversation import LeftOut
    from tests.engine.tickets.exports import read_all

    items = read_all(write(tmp_path / "t.csv", "question,answer\na,b\nc,d,e\nf,g\n"))
    damaged = [item for item in items if isinstance(item, LeftOut)]
    assert [(item.ticket, item.reason) for item in damaged] == [("line 3 of t.csv", "damaged line")]
    assert len(items) == 3


def test_words_that_pandas_takes_for_nothing_stay(tmp_path: Path) -> None:
    found = read(write(tmp_path / "t.csv", "question,answer\nNA,None\nnull,nan\n"))
    assert [content for conversation in found for _, _, content in said(conversation)] == ["NA", "None", "null", "nan"]


def test_unknown_json_objects_can_be_mapped(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", [{"alpha": "Dark", "beta": "Press it", "n": 1}])
    assert detect([path]).columns == ("alpha", "beta", "n")
    found = read(path, overrides=SourceOverrides(mapping={"question": "alpha", "answer": "beta"}))
    assert said(found[0]) == [("user", "public", "Dark"), ("assistant", "public", "Press it")]


def test_a_workbook_with_titles_two_sheets_and_cut_cells(tmp_path: Path) -> None:
    rows = [
        ["Export of May"],
        [],
        ["Frage", "Antwort", "Erstellt"],
        ["Dunkel", "Bitte drücken", "2025-01-02"],
        ["Lang", "x" * 32_767],
        [7, 8.5],
    ]
    write(tmp_path / "t.xlsx", workbook({"Notes": [["Read me"]], "Data": rows}))
    found = detect([tmp_path / "t.xlsx"])
    assert (found.sheet, found.columns) == ("Data", ("Frage", "Antwort", "Erstellt"))
    first, second, third = read(tmp_path / "t.xlsx")
    assert said(first)[1] == ("assistant", "public", "Bitte drücken")
    assert second.messages[1].kind == "truncated"
    assert [content for _, _, content in said(third)] == ["7", "8.5"]
    assert first.id == "row 4"


def test_overrides_win(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "Größe;b\nDunkel;Drücken\n".encode("cp1252"))
    overrides = SourceOverrides(encoding="cp850", delimiter=";", mapping={"question": "1", "answer": "b"})
    assert read(path, overrides=overrides)[0].messages[1].content != "Drücken"
    right = SourceOverrides(encoding="cp1252", delimiter=";", mapping={"question": "größe", "answer": "2"})
    assert read(path, overrides=right)[0].messages[1].content == "Drücken"
    for wrong, part in (
        (SourceOverrides(encoding="nope"), "no encoding called 'nope'"),
        (SourceOverrides(encoding="base64"), "not a text encoding"),
        (SourceOverrides(delimiter="::"), "cannot separate cells"),
        (SourceOverrides(format="lotus"), "no format 'lotus'"),
        (SourceOverrides(mapping={"asker": "b"}), "no role 'asker'"),
    ):
        with pytest.raises(TicketsError, match=part):
            read(path, overrides=wrong)


SIDES = [("user", "Is it dark?"), ("assistant", "Press the switch."), ("user", "Now it shines.")]


def two_sides(header: str, customer: str, agent: str) -> str:
    """A row a message; only the cell under one header says who wrote it."""
    cells = {"user": customer, "assistant": agent}
    rows = [f"1,{cells[role]},{content},2025-01-02T1{hour}:00:00Z" for hour, (role, content) in enumerate(SIDES)]
    return "\n".join([f"ticket_id,{header},body,created_at", *rows, ""])


@pytest.mark.parametrize("header", ["incoming", "Incoming", "inbound", "is_inbound", "from_customer", "Is Customer"])
@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("1", "0"), ("Yes", "No"), ("WAHR", "FALSCH")])
def test_yes_under_a_header_of_the_customer_means_the_customer(tmp_path: Path, header: str, yes: str, no: str) -> None:
    found = only(write(tmp_path / "t.csv", two_sides(header, yes, no)))
    assert [(role, content) for role, _, content in said(found)] == SIDES


@pytest.mark.parametrize("header", ["is_agent", "from_agent", "outgoing", "Outbound", "staff", "is_staff", "from_me"])
@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("1", "0"), ("Y", "N")])
def test_yes_under_a_header_of_the_support_means_the_support(tmp_path: Path, header: str, yes: str, no: str) -> None:
    found = only(write(tmp_path / "t.csv", two_sides(header, no, yes)))
    assert [(role, content) for role, _, content in said(found)] == SIDES


def test_a_column_of_words_says_the_same_under_either_header(tmp_path: Path) -> None:
    found = only(write(tmp_path / "t.csv", two_sides("direction", "incoming", "outgoing")))
    assert [(role, content) for role, _, content in said(found)] == SIDES


@pytest.mark.parametrize("header", ["type", "role", "direction"])
def test_yes_and_no_under_any_other_header_are_asked_about(tmp_path: Path, header: str) -> None:
    path = write(tmp_path / "t.csv", two_sides(header, "true", "false"))
    found = detect([path])
    assert found.mapping == {}
    assert f"{header!r} holds only yes and no" in found.doubts[0]
    assert found.likely == {"ticket": "ticket_id", "text": "body", "date": "created_at"}
    with pytest.raises(TicketsError, match="which of them is the customer is not clear"):
        read(path)


def test_a_person_says_what_yes_means(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", two_sides("flag", "0", "1"))
    with pytest.raises(TicketsError, match="which of its columns"):
        read(path)
    with pytest.raises(TicketsError, match="'flag' holds only yes and no") as caught:
        read(path, overrides=SourceOverrides(mapping={"ticket": "ticket_id", "text": "body", "role": "flag"}))
    assert "--map incoming='flag'" in caught.value.remedy
    for role, side in (("outgoing", "user"), ("incoming", "assistant")):
        mapping = {"ticket": "ticket_id", "text": "body", role: "flag"}
        (found,) = read(path, overrides=SourceOverrides(mapping=mapping))
        assert said(found)[0][0] == side


def test_a_column_of_the_customer_mapped_as_the_role_still_means_the_customer(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", two_sides("incoming", "true", "false"))
    mapping = {"ticket": "ticket_id", "text": "body", "role": "incoming"}
    (found,) = read(path, overrides=SourceOverrides(mapping=mapping))
    assert [(role, content) for role, _, content in said(found)] == SIDES


@pytest.mark.parametrize(
    ("header", "internal", "seen"),
    [
        ("private", "true", "false"),
        ("is_public", "0", "1"),
        ("Internal", "yes", "no"),
        ("visibility", "private", "public"),
    ],
)
def test_what_only_staff_saw_is_a_note(tmp_path: Path, header: str, internal: str, seen: str) -> None:
    rows = [("true", seen, "Is it dark?"), ("false", internal, "Ask Bob."), ("false", seen, "Press the switch.")]
    table = "\n".join([f"ticket_id,incoming,{header},body", *(f"1,{a},{b},{c}" for a, b, c in rows)])
    assert [kind for _, kind, _ in said(only(write(tmp_path / "t.csv", table)))] == ["public", "note", "public"]


def test_the_oldest_message_tells_the_customer_wherever_it_stands(tmp_path: Path) -> None:
    rows = ["ticket id,date,author,text"]
    for number in range(6):
        agent = ("Ben", "Ida", "Olaf")[number % 3]
        talk = [(agent, "Welcome."), (f"c{number}", "Thanks. And now?"), (agent, "Press it."), (f"c{number}", "Dark?")]
        rows += [f"{number},2026-01-02 1{3 - at}:00:00,{who},{words}" for at, (who, words) in enumerate(talk)]
    for found in read(write(tmp_path / "t.csv", "\n".join(rows))):
        assert [(role, content) for role, _, content in said(found)] == [
            ("user", "Dark?"),
            ("assistant", "Press it."),
            ("user", "Thanks. And now?"),
            ("assistant", "Welcome."),
        ]
        assert (found.customer, found.created_at) == (f"c{found.id}", "2026-01-02 10:00:00")


def test_equal_dates_follow_the_order_of_a_file_that_begins_with_the_newest(tmp_path: Path) -> None:
    days = [("2026-01-03", "Ben", "Welcome."), ("2026-01-02", "Ben", "Press it."), ("2026-01-02", "Ada", "Dark?")]
    table = "\n".join(["ticket,date,author,text", *(f"1,{day},{who},{words}" for day, who, words in days)])
    assert [content for _, _, content in said(only(write(tmp_path / "t.csv", table)))] == [
        "Dark?",
        "Press it.",
        "Welcome.",
    ]


def test_a_message_that_nobody_can_be_made_out_for_is_left_out(tmp_path: Path) -> None:
    table = "ticket,role,text\n1,customer,Dark?\n1,zygote,Whatever this is.\n1,agent,Press it.\n"
    assert [kind for _, kind, _ in said(only(write(tmp_path / "t.csv", table)))] == ["public", "unknown", "public"]


def test_a_column_whose_few_values_repeat_is_no_answer(tmp_path: Path) -> None:
    outcomes = ("Refunded in full", "Replacement sent", "No action was needed")
    rows = [f"{number},Where is parcel {number}?,{outcomes[number % 3]}" for number in range(30)]
    path = write(tmp_path / "t.csv", "\n".join(["case,subject,resolution", *rows]))
    assert "'resolution' repeats 3 short values in 30 rows: it is a category" in detect([path]).doubts[0]
    with pytest.raises(TicketsError, match="it is a category"):
        read(path)
    mapping = {"question": "subject", "answer": "resolution"}
    assert len(read(path, overrides=SourceOverrides(mapping=mapping))) == 30


def test_another_column_answers_where_the_first_is_a_category(tmp_path: Path) -> None:
    rows = [f"Where is parcel {number}?,Solved,It lies in depot {number} and comes soon." for number in range(12)]
    path = write(tmp_path / "t.csv", "\n".join(["question,solution,reply", *rows]))
    assert detect([path]).mapping == {"question": "question", "answer": "reply"}


def test_a_column_of_senders_that_names_roles_is_one_of_roles(tmp_path: Path) -> None:
    rows = [
        "TICKET_ID,SENDER,MESSAGE_CONTENT",
        "1,operator,How may I help?",
        "1,visitor,Dark?",
        "1,operator,Press it.",
    ]
    rows += ["1,automation,Rate us!"]
    assert said(only(write(tmp_path / "t.csv", "\n".join(rows)))) == [
        ("assistant", "public", "How may I help?"),
        ("user", "public", "Dark?"),
        ("assistant", "public", "Press it."),
        ("assistant", "system", "Rate us!"),
    ]


def test_american_dates_of_a_table_are_sorted_as_they_are_meant(tmp_path: Path) -> None:
    talk = [
        ("1/13/2026 09:00", "Ben", "Press it."),
        ("1/12/2026 09:00", "Ada", "Dark?"),
        ("2/1/2026 09:00", "Ada", "Ah."),
    ]
    rows = [f"1,{at},{who},{words}" for at, who, words in talk]
    found = only(write(tmp_path / "t.csv", "\n".join(["ticket,date,author,text", *rows])))
    assert [content for _, _, content in said(found)] == ["Dark?", "Press it.", "Ah."]
    assert found.created_at == "2026-01-12 09:00:00"
    wide = only(write(tmp_path / "w.csv", "question,answer,date\nDark?,Press it.,1/13/2026\n"))
    assert wide.created_at == "2026-01-13 00:00:00"


def test_dates_that_do_not_tell_the_day_from_the_month_are_said(tmp_path: Path) -> None:
    found = detect([write(tmp_path / "t.csv", "question,answer,date\nDark?,Press it.,1/2/2026\n")])
    assert "'1/2/2026' begins with the day or the month cannot be told" in found.cautions[0]
    for date in ("2026-01-02", "1.2.2026", "13/1/2026"):
        assert detect([write(tmp_path / "t.csv", f"question,answer,date\nDark?,Press it.,{date}\n")]).cautions == ()


@pytest.mark.parametrize("name", ["Answer Bot", "Support-Bot", "AI Agent", "Virtual Assistant", "Automation", "x[bot]"])
def test_a_writer_whose_name_is_a_machines_is_one(tmp_path: Path, name: str) -> None:
    rows = [f"1,{name},We got your message.", "1,Ada,Dark?", f"1,{name},See article 7.", "1,Ben Talbot,Press it."]
    found = only(write(tmp_path / "t.csv", "\n".join(["ticket,author,text", *rows])))
    assert [(role, kind) for role, kind, _ in said(found)] == [
        ("assistant", "bot"),
        ("user", "public"),
        ("assistant", "bot"),
        ("assistant", "public"),
    ]


@pytest.mark.parametrize("header", ["automated", "is_bot", "from_ai_agent", "Bot", "is_ai_answer"])
def test_a_column_that_marks_machines_is_believed(tmp_path: Path, header: str) -> None:
    rows = ["1,user,false,Dark?", "1,operator,true,See article 7.", "1,operator,false,Press it."]
    found = only(write(tmp_path / "t.csv", "\n".join([f"session_id,from,{header},content", *rows])))
    assert [kind for _, kind, _ in said(found)] == ["public", "bot", "public"]


@pytest.mark.parametrize(("header", "mark"), [("is_agent", "yes"), ("role", "agent"), ("staff", "x")])
def test_a_blank_means_the_customer_where_only_the_support_is_marked(tmp_path: Path, header: str, mark: str) -> None:
    found = only(write(tmp_path / "t.csv", two_sides(header, "", mark)))
    assert [(role, content) for role, _, content in said(found)] == SIDES


def test_a_blank_means_nobody_where_both_are_marked(tmp_path: Path) -> None:
    table = two_sides("role", "customer", "agent") + "1,,Whose is this?,2025-01-02T19:00:00Z\n"
    assert said(only(write(tmp_path / "t.csv", table)))[-1][1] == "unknown"


def test_a_person_written_as_json_is_told_by_his_address(tmp_path: Path) -> None:
    rows = [
        ("Press it.", "11:00", {"name": "Shop", "address": "help@shop.example"}),
        ("Dark?", "10:00", {"name": "Cara Lund", "address": "c@example.org"}),
    ]
    table = "id,subject,body_text,sent_datetime,customer_id,sender_info\n"
    for body, time, sender in rows:
        table += f'7,Lamp,{body},2026-01-02 {time},5,"{json.dumps(sender).replace(chr(34), chr(34) * 2)}"\n'
    found = only(write(tmp_path / "t.csv", table))
    assert said(found) == [("user", "public", "Dark?"), ("assistant", "public", "Press it.")]
    assert {"Cara Lund", "c@example.org", "Shop"} <= set(found.people)


def test_sheets_of_the_same_columns_are_read_together_and_others_named(tmp_path: Path) -> None:
    months = {month: [["Frage", "Antwort"], [f"Dunkel im {month}?", "Bitte drücken."]] for month in ("Mai", "Juni")}
    prices = [["Artikel", "Preis", "Text"], ["Lampe", "5", "rot"]]
    path = write(tmp_path / "t.xlsx", workbook({**months, "Preise": prices}))
    found = detect([path])
    assert [name for name, _ in found.files] == ["t.xlsx: Mai", "t.xlsx: Juni"]
    assert "the sheets 'Mai', 'Juni' are read, and not 'Preise'" in found.cautions[0]
    assert (found.sheet, found.sheets) == ("Mai", ("Mai", "Juni", "Preise"))
    assert [(entry.id, entry.messages[0].content) for entry in read(path)] == [
        ("row 2 of t.xlsx: Mai", "Dunkel im Mai?"),
        ("row 2 of t.xlsx: Juni", "Dunkel im Juni?"),
    ]


def test_a_person_chooses_the_sheet(tmp_path: Path) -> None:
    sheets = {"A": [["question", "answer"], ["a", "b"]], "B": [["question", "answer", "tags"], ["c", "d", "e"]]}
    path = write(tmp_path / "t.xlsx", workbook(sheets))
    assert detect([path], SourceOverrides(sheet="A")).columns == ("question", "answer")
    with pytest.raises(TicketsError, match="no sheet 'C'"):
        detect([path], SourceOverrides(sheet="C"))


def test_replies_make_the_conversations_where_rows_name_what_they_reply_to(tmp_path: Path) -> None:
    rows = [
        "4,shop,False,Tue Oct 31 22:30:00 +0000 2017,Blue.,3",
        "2,shop,False,Tue Oct 31 22:10:00 +0000 2017,Turn it.,1",
        "1,115,True,Tue Oct 31 22:00:00 +0000 2017,Does it leak?,",
        "3,116,True,Tue Oct 31 22:20:00 +0000 2017,Which colours?,",
        "5,115,True,Wed Nov 01 09:00:00 +0000 2017,It is dry.,2",
    ]
    header = "tweet_id,author_id,inbound,created_at,text,in_response_to_tweet_id\n"
    path = write(tmp_path / "t.csv", header + "\n".join(rows) + "\n")
    assert detect([path]).mapping["reply"] == "in_response_to_tweet_id"
    found = {entry.messages[0].content: said(entry)[1:] for entry in read(path)}
    assert found == {
        "Does it leak?": [("assistant", "public", "Turn it."), ("user", "public", "It is dry.")],
        "Which colours?": [("assistant", "public", "Blue.")],
    }


def test_a_reply_within_tickets_that_have_a_number_changes_nothing(tmp_path: Path) -> None:
    table = "ticket_id,role,text,in_reply_to\n7,customer,Dark?,\n7,agent,Press it.,Dark?\n8,customer,Where?,\n"
    path = write(tmp_path / "t.csv", table)
    assert "reply" not in detect([path]).mapping
    assert [len(entry.messages) for entry in read(path)] == [2, 1]
