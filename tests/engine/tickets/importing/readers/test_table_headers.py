"""Which columns of a table hold what, by their headers alone."""

from pathlib import Path

import pytest

from engine.tickets.importing.columns import guess_columns
from engine.tickets.importing.detect import detect
from engine.tickets.importing.header_parts import composed_role, plain
from engine.tickets.importing.parties import who
from tests.engine.tickets.exports import only, said, write


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
        ("Kundennachricht;Antwort des Supports", ";"),
        ("Problem Description,Resolution Notes", ","),
        ("Message du client|Réponse de l'agent", "|"),
        ("Descripción del problema;Solución", ";"),
        ("Messaggio del cliente;Risposta dell'operatore", ";"),
        ("Descrição do problema;Resposta do atendente", ";"),
        ("Probleemomschrijving;Antwoord van medewerker", ";"),
        ("Opis problemu;Odpowiedź konsultanta", ";"),
        ("Müşteri mesajı;Temsilci yanıtı", ";"),
        ("Сообщение клиента;Ответ оператора", ";"),
        ("お客様からの問い合わせ,回答内容", ","),
        ("客户问题,客服回复", ","),
        ("문의 내용,답변", ","),
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


def test_a_text_column_without_a_ticket_is_not_enough() -> None:
    assert guess_columns(["text", "date"]) == {}
    assert guess_columns(["id", "message", "sender"]) == {"ticket": "id", "text": "message", "author": "sender"}


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (
            ["Ticket ID", "Customer Name", "Ticket Type", "Ticket Subject", "Ticket Description", "Resolution"],
            {
                "question": "Ticket Description",
                "answer": "Resolution",
                "subject": "Ticket Subject",
                "ticket": "Ticket ID",
            },
        ),
        (
            ["CONVERSATION_ID", "SENDER", "MESSAGE_CONTENT", "MESSAGE_DATE", "MESSAGE_ID"],
            {"ticket": "CONVERSATION_ID", "author": "SENDER", "text": "MESSAGE_CONTENT", "date": "MESSAGE_DATE"},
        ),
        (
            ["folder", "dialogueID", "date", "from", "to", "text"],
            {"ticket": "dialogueID", "author": "from", "text": "text", "date": "date"},
        ),
        (
            ["Id", "ParentId", "CreatedDate", "Subject", "TextBody", "FromName", "Incoming"],
            {
                "ticket": "ParentId",
                "text": "TextBody",
                "incoming": "Incoming",
                "author": "FromName",
                "date": "CreatedDate",
            },
        ),
        (
            ["Id", "ParentId", "IsPublished", "CommentBody", "CreatedById", "CreatedDate", "From"],
            {"ticket": "ParentId", "public": "IsPublished", "text": "CommentBody", "date": "CreatedDate"},
        ),
    ],
)
def test_headers_of_desks_and_data_sets_are_known(header: list[str], mapping: dict[str, str]) -> None:
    assert mapping.items() <= guess_columns(header).items()


def test_a_rare_parent_is_no_tickets_number() -> None:
    rows = [["1", "", "Dark?", "Press it."], ["2", "1", "Bright?", "Leave it."]]
    assert guess_columns(["id", "parent_id", "question", "answer"], rows)["ticket"] == "id"


@pytest.mark.parametrize(
    "header",
    [
        "ID conversazione;Mittente;Testo;Data",
        "N° ticket;Auteur;Message;Date",
        "Номер обращения;Автор;Сообщение;Дата",
        "对话ID;发送者;内容;时间",
        "session;speaker;utterance;sent",
    ],
)
def test_headers_of_messages_are_guessed_in_many_languages(header: str) -> None:
    ticket, author, said_in, date = header.split(";")
    guessed = guess_columns(header.split(";"))
    assert guessed == {"ticket": ticket, "author": author, "text": said_in, "date": date}


@pytest.mark.parametrize(
    "header",
    [
        "Problem category",
        "Answered by",
        "Response time",
        "Solution ID",
        "回答者",
        "问题类型",
        "Agent name",
        "Antwort von",
    ],
)
def test_a_header_of_which_a_part_is_unknown_is_neither(header: str) -> None:
    assert composed_role(plain(header)) == ""


@pytest.mark.parametrize(
    "header",
    [
        "Fall-ID,Von,Inhalt,Zeitpunkt",
        "N° de ticket,Auteur,Contenu,Date de création",
        "Caso,De,Texto,Enviado",
        "ID ticket,Autore,Testo,Data creazione",
        "Número do chamado,Remetente,Mensagem,Data/Hora",
        "Ticket-ID,Auteur,Inhoud,Aangemaakt op",
        "ID zgłoszenia,Autor,Treść,Data utworzenia",
        "Sagsnummer,Afsender,Besked,Dato",
        "Tikettinumero,Lähettäjä,Viesti,Päivämäärä",
        "Číslo tiketu,Odesílatel,Zpráva,Datum",
        "Talep No,Gönderen,Mesaj,Tarih",
        "Номер заявки,Автор,Текст,Дата создания",
        "Номер звернення,Відправник,Повідомлення,Дата",
        "Jegyszám,Feladó,Üzenet,Dátum",
        "Număr tichet,Expeditor,Mesaj,Data",
        "Αριθμός αιτήματος,Αποστολέας,Μήνυμα,Ημερομηνία",
        "チケットID,送信者,メッセージ,日時",
        "工单编号,发送者,消息,时间",
        "會話ID,發送者,訊息,時間",
        "티켓 번호,보낸 사람,메시지,날짜",
    ],
)
def test_a_row_a_message_is_known_by_its_headers_in_many_languages(header: str) -> None:
    columns = header.split(",")
    rows = [("1", "Ada", "Is it dark, and what now?", "2026-01-02"), ("1", "Ben", "Press it.", "2026-01-03")]
    assert guess_columns(columns, rows) == dict(zip(("ticket", "author", "text", "date"), columns, strict=True))


@pytest.mark.parametrize(
    "pair", ["お客様 サポート", "客户 坐席", "고객 상담원", "пользователь специалист", "Kundin Kundenservice"]
)
def test_customers_and_agents_are_known_in_many_languages(pair: str) -> None:
    customer, agent = pair.split()
    assert (who(customer)[0], who(agent)[0]) == ("user", "assistant")
