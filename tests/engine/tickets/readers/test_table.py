from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.columns import guess_columns
from engine.tickets.detect import SourceOverrides, detect
from tests.engine.tickets.exports import only, read, said, workbook, write


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("question,answer", ","),
        ("Frage;Antwort", ";"),
        ("Pregunta\tRespuesta", "\t"),
        ("Question du client|Réponse", "|"),
        ("Domanda;Risposta", ";"),
        ("Pergunta;Resposta", ";"),
        ("Vraag;Antwoord", ";"),
        ("Pytanie;Odpowiedź", ";"),
        ("Spørgsmål;Svar", ";"),
        ("Вопрос;Ответ", ";"),
        ("質問,回答", ","),
        ("Customer Message,Agent Reply", ","),
        ("user_message,agent_response", ","),
        ("CustomerQuestion,AgentAnswer", ","),
    ],
)
def test_wide_headers_are_guessed_in_many_languages(tmp_path: Path, header: str, delimiter: str) -> None:
    path = write(tmp_path / "t.txt", f"{header}\nDark{delimiter}Press it\n")
    found = detect([path])
    assert (found.delimiter, found.mapping) == (
        delimiter,
        dict(zip(("question", "answer"), found.columns, strict=True)),
    )
    assert said(only(path)) == [("user", "public", "Dark"), ("assistant", "public", "Press it")]


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


def test_a_text_column_without_a_ticket_is_not_enough() -> None:
    assert guess_columns(["text", "date"]) == {}
    assert guess_columns(["id", "message", "sender"]) == {"ticket": "id", "text": "message", "author": "sender"}
