"""Column headers -> roles: which column is the customer's question, which the agent's answer.

Guesses in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Danish, Norwegian, Finnish,
Czech, Turkish, Russian, Japanese and Chinese. The person may overrule every guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from engine.errors import TicketsError

ROLES: Final = ("question", "answer", "ticket", "author", "role", "text", "subject", "date", "customer", "tags")
"""What a column can be.

``question`` and ``answer`` make a wide table (a row a ticket); ``text`` makes a long one (a row a message), with
``ticket`` and ``role`` or ``author``.
"""

# The order inside a role is the order of preference.
_WORDS: Final[dict[str, str]] = {
    "question": """
        question, customer question, customer message, user message, inquiry, enquiry, query, request, request
        text, prompt, problem, instruction, input, user, customer text, question text, issue description,
        description, frage, anfrage, kundenfrage, kundenanfrage, problembeschreibung, beschreibung, pregunta,
        consulta, pregunta del cliente, descripcion, question du client, demande, question client, domanda,
        richiesta, descrizione, pergunta, duvida, questao, descricao, vraag, klantvraag, omschrijving,
        pytanie, zapytanie, opis, fraga, arende, sporgsmal, henvendelse, sporsmal, kysymys, otazka, dotaz,
        popis, soru, вопрос, запрос, 質問, 問い合わせ, 问题, 問題, 提问""",
    "answer": """answer, agent answer, agent reply, agent message, agent response, support reply, reply, response,
        completion, solution, resolution, output, assistant, answer text, public reply, antwort, losung,
        loesung, agentenantwort, support antwort, respuesta, solucion, reponse, solution apportee, risposta,
        soluzione, resposta, solucao, antwoord, oplossing, odpowiedz, rozwiazanie, svar, losning, vastaus,
        ratkaisu, odpoved, reseni, cevap, yanit, cozum, ответ, решение, 回答, 返信, 答案, 回复""",
    "ticket": """ticket id, ticket number, ticket, ticket no, ticket nr, ticket_id, case id, case number, case,
        conversation id, conversation, thread id, thread, issue id, issue key, issue, request id, id, number,
        ticketnummer, ticket nummer, vorgang, vorgangsnummer, fall, fallnummer, anfrage id, numero de ticket,
        id del ticket, caso, numero du ticket, dossier, numero ticket, chamado, zaaknummer, zgloszenie, numer
        zgloszenia, arendenummer, sagsnummer, saksnummer, номер, номер заявки, チケット番号, 工单号, 编号""",
    "author": """author, author name, sender, from, from name, agent, user name, username, created by, posted by,
        writer, autor, absender, verfasser, von, remitente, auteur, expediteur, mittente, autore, remetente,
        afzender, nadawca, avsandare, afsender, avsender, автор, отправитель, 送信者, 作者""",
    "role": """role, author role, author type, sender type, sender role, type, direction, message type, is agent,
        from agent, from_agent, incoming, rolle, typ, richtung, rol, direccion, sens, ruolo, direzione, papel,
        direcao, richting, rola, kierunek, roll, riktning, роль, тип, 役割, 角色""",
    "text": """text, message, body, content, comment, message text, message body, comment body, body text, reply
        text, nachricht, inhalt, kommentar, mensaje, texto, contenido, comentario, texte, contenu,
        commentaire, messaggio, testo, contenuto, commento, mensagem, conteudo, bericht, inhoud, tekst,
        wiadomosc, tresc, komentarz, meddelande, innehall, besked, melding, viesti, zprava, mesaj, icerik,
        сообщение, текст, комментарий, 本文, メッセージ, 内容, 消息""",
    "subject": """subject, title, summary, short description, topic, headline, betreff, titel, thema, kurzbeschreibung,
        asunto, titulo, objet, sujet, titre, oggetto, titolo, assunto, onderwerp, temat, tytul, amne, rubrik,
        emne, otsikko, aihe, predmet, konu, тема, 件名, 主题, 标题""",
    "date": """created at, created, date, created time, timestamp, time, sent at, date created, creation date,
        opened, updated, erstellt, datum, erstellt am, zeit, zeitpunkt, fecha, fecha de creacion, date de
        creation, cree le, data, data di creazione, creato, data de criacao, criado, aangemaakt, utworzono,
        skapad, oprettet, opprettet, luotu, vytvoreno, tarih, дата, создано, 日付, 作成日, 日期, 创建时间""",
    "customer": """customer, customer id, customer name, customer email, requester, requester id, requester email,
        client, user id, contact, email, e mail, kunde, kundennummer, kunden id, kunden email, cliente, id
        cliente, correo, client id, courriel, klant, klient, kund, asiakas, zakaznik, musteri, клиент, 顧客, 客户""",
    "tags": """tags, tag, labels, label, category, kategorie, kategorien, schlagworte, etiquetas, categoria,
        etiquettes, categorie, etichette, kategoria, etykiety, kategori, категория, метки, カテゴリ, 标签, 分类""",
}


def plain(header: str) -> str:
    """Bring a header to the form that guesses are made on: lower case, no accents, words with one space between."""
    decomposed = unicodedata.normalize(
        "NFKD", header.replace("ß", "ss").replace("ł", "l").replace("Ł", "l").replace("ø", "o")
    )
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", bare)
    return " ".join(re.sub(r"[^\w]+|_", " ", spaced).lower().split())


def _table() -> dict[str, dict[str, int]]:
    return {
        role: {plain(word): rank for rank, word in enumerate(words.replace("\n", " ").split(","))}
        for role, words in _WORDS.items()
    }


_RANKS: Final = _table()
_KNOWN: Final = frozenset(word for words in _RANKS.values() for word in words)


def known_headers(cells: Sequence[str]) -> int:
    """Count the cells that are known column names."""
    return sum(plain(cell) in _KNOWN for cell in cells if 0 < len(cell) <= 60)


def guess_columns(columns: Sequence[str]) -> dict[str, str]:
    """Guess which column has which role.

    Args:
        columns: The headers as the file has them.

    Returns:
        Role -> header, for the roles that were found. A table with question and answer is taken as wide; else one with
        a text column as long. Empty when neither can be made of it.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    names = {column: plain(column) for column in columns if column.strip()}
    for role in ("answer", "question", "text", "subject", "ticket", "role", "author", "date", "customer", "tags"):
        ranks = _RANKS[role]
        fitting = [(ranks[name], column) for column, name in names.items() if name in ranks and column not in taken]
        if fitting:
            found[role] = min(fitting, key=lambda pair: pair[0])[1]
            taken.add(found[role])
    if "answer" in found and "question" not in found:
        for other in ("text", "subject"):
            if other in found:
                found["question"] = found.pop(other)
                break
    if "question" in found and "answer" in found:
        return {role: column for role, column in found.items() if role not in ("text", "role", "author")}
    if "text" not in found and "question" in found and ("role" in found or "author" in found):
        found["text"] = found.pop("question")
    if "text" in found and "ticket" in found and ("role" in found or "author" in found):
        return {role: column for role, column in found.items() if role not in ("question", "answer")}
    return {}


def check_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Check a mapping that the person gave, against the columns there are.

    Args:
        mapping: Role -> column; a column is its header (case and spaces do not matter) or its number, from 1.
        columns: The headers of the table.

    Returns:
        Role -> header exactly as the table has it.

    Raises:
        TicketsError: A role is unknown, or there is no such column; the message lists the columns there are.
    """
    by_name = {plain(column): column for column in reversed(columns)}
    listed = ", ".join(repr(column) for column in columns[:30]) + (" and more" if len(columns) > 30 else "")
    checked: dict[str, str] = {}
    for role, wanted in mapping.items():
        if role not in ROLES:
            raise TicketsError(f"There is no role {role!r} for a column.", f"The roles are {', '.join(ROLES)}.")
        if not wanted:
            continue
        if wanted in columns:
            checked[role] = wanted
        elif plain(wanted) in by_name and plain(wanted):
            checked[role] = by_name[plain(wanted)]
        elif wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
            checked[role] = columns[int(wanted) - 1]
        else:
            raise TicketsError(f"The table has no column {wanted!r} for {role}.", f"Its columns are {listed}.")
    return checked
