from textwrap import wrap

import pytest

from engine.tickets.cleaning.plain_text import QUOTED
from engine.tickets.cleaning.quotes import introduces, strip_quotes, unquote

# One line a language, as its mail programs write it; addresses and people are invented.
ATTRIBUTIONS = {
    "English, Gmail": "On Tue, Mar 4, 2025 at 10:11 AM Ines Vale <ines@lamps.example> wrote:",
    "English, Apple": "On 4 Mar 2025, at 10:11, Ines Vale <ines@lamps.example> wrote:",
    "English, two lines": "On Tue, Mar 4, 2025 at 10:11 AM Ines Vale <\nines@lamps.example> wrote:",
    "English, three lines": "On Mar 4, 2025, at 10:11 AM, Ines Vale\n<ines@lamps.example>\nwrote:",
    "German": "Am Di., 4. März 2025 um 10:11 Uhr schrieb Ines Vale <ines@lampen.example>:",
    "German, Thunderbird": "Am 04.03.25 um 10:11 schrieb Ines Vale:",
    "French": "Le mar. 4 mars 2025 à 10:11, Ines Vale <ines@lampes.example> a écrit :",
    "Spanish": "El mar, 4 mar 2025 a las 10:11, Ines Vale (<ines@luces.example>) escribió:",
    "Portuguese": "Em ter., 4 de mar. de 2025 às 10:11, Ines Vale <ines@luzes.example> escreveu:",
    "Italian": "Il giorno mar 4 mar 2025 alle ore 10:11 Ines Vale <ines@luci.example> ha scritto:",
    "Dutch": "Op di 4 mrt 2025 om 10:11 schreef Ines Vale <ines@lampen.example>:",
    "Polish": "wt., 4 mar 2025 o 10:11 Ines Vale <ines@lampy.example> napisał(a):",
    "Swedish": "Den tis 4 mars 2025 kl 10:11 skrev Ines Vale <ines@lampor.example>:",
    "Danish": "tir. 4. mar. 2025 kl. 10.11 skrev Ines Vale <ines@lamper.example>:",
    "Finnish": "ti 4. maalisk. 2025 klo 10.11 Ines Vale (ines@lamput.example) kirjoitti:",
    "Czech": "út 4. 3. 2025 v 10:11 odesílatel Ines Vale <ines@lampy.example> napsal:",
    "Hungarian": "Ines Vale <ines@lampak.example> ezt írta (időpont: 2025. márc. 4., K, 10:11):",
    "Russian": "вт, 4 мар. 2025 г. в 10:11, Ines Vale <ines@lampy.example> написал(а):",
    "Ukrainian": "вт, 4 бер. 2025 р. о 10:11 Ines Vale <ines@lampy.example> пише:",
    "Turkish": "Ines Vale <ines@lambalar.example>, 4 Mar 2025 Sal, 10:11 tarihinde şunu yazdı:",
    "Japanese": "2025年3月4日(火) 10:11 Ines Vale <ines@akari.example>:",
    "Chinese": "Ines Vale <ines@deng.example> 于2025年3月4日周二 10:11写道：",
    "Korean": "2025년 3월 4일 (화) 오전 10:11, Ines Vale <ines@deung.example>님이 작성:",
    "German, name first": "Ines Vale <ines@lampen.example> schrieb am Di., 4. März 2025 um 10:11 Uhr:",
    "Portuguese, name first": "Ines Vale <ines@luzes.example> escreveu no dia terça, 4/03/2025 à(s) 10:11:",
    "Polish, name first": "Ines Vale <ines@lampy.example> napisał(a) w dniu 4 marca 2025 o 10:11:",
    "Czech, name first": "Ines Vale <ines@lampy.example> napsal(a) dne 4. března 2025 v 10:11:",
    "Slovak": "ut 4. 3. 2025 o 10:11 Ines Vale <ines@lampy.example> napísal(a):",
    "Slovene": "V V tor., 4. mar. 2025 ob 10:11 je oseba Ines Vale <ines@luci.example> napisala:",
    "Croatian": "uto, 4. ožu 2025. u 10:11 Ines Vale <ines@lampe.example> napisao je:",
    "Romanian": "În mar., 4 mar. 2025 la 10:11, Ines Vale <ines@lampi.example> a scris:",
    "Greek": "Στις Τρί 4 Μαρ 2025 στις 10:11 π.μ., ο/η Ines Vale <ines@lampes.example> έγραψε:",
    "Estonian": "Kuupäev 4. märts 2025 kell 10:11 kirjutas Ines Vale <ines@lambid.example>:",
    "Latvian": "otrd., 2025. g. 4. marts, plkst. 10:11 — lietotājs Ines Vale (<ines@lampas.example>) rakstīja:",
    "Arabic": "في الثلاثاء، 4 مارس 2025 في 10:11 ص تمت كتابة ما يلي بواسطة Ines Vale <ines@lamps.example>:",
    "Hebrew": "‫בתאריך יום ג׳, 4 במרץ 2025 ב-10:11 מאת ‪Ines Vale‬‏ <‪ines@lamps.example‬‏>:‬",
    "Vietnamese": "Vào Th 3, 4 thg 3, 2025 vào lúc 10:11 Ines Vale <ines@lamps.example> đã viết:",
    "Yahoo, German": "Am Dienstag, 4. März 2025 um 17:01:22 MEZ hat Ines Vale <i@l.example> Folgendes geschrieben:",
    "Zoho": "---- On Tue, 04 Mar 2025 17:01:22 +0100 Ines Vale <ines@lamps.example> wrote ----",
    "Zoho, German": "---- Am Di, 04 Mär 2025 17:01:22 +0100 Ines Vale <ines@lampen.example> schrieb ----",
    "a reply in one line": "Reply On Tue, Mar 4, 2025 at 5:01 PM Ines Vale <ines@lamps.example> wrote:",
    "Polymail": "On Tue, Mar 4, 2025 at 7:08 PM Ines Vale\n\n<\nmailto:Ines Vale <ines@lamps.example>\n> wrote:",
    "Polymail, no blank line": "On Tue, Mar 4, 2025 at 7:08 PM Ines Vale <\nines@lamps.example\n> wrote:",
    "a language nobody entered": "2025-03-04 10:11 Ines Vale <ines@lamps.example> xyzzy:",
}
HEADERS = {
    "English": "From: Ines Vale\nSent: Tuesday, 4 March 2025 10:11\nTo: Shop\nSubject: Lamp",
    "English, starred": "*From:* Ines Vale\n*Sent:* Tuesday, 4 March 2025 10:11\n*To:* Shop\n*Subject:* Lamp",
    "English, joined": "From: Ines Vale Sent: Tuesday, 4 March 2025 10:11 To: Shop Subject: Lamp",
    "German": "Von: Ines Vale\nGesendet: Dienstag, 4. März 2025 10:11\nAn: Laden\nBetreff: Lampe",
    "French": "De : Ines Vale\nEnvoyé : mardi 4 mars 2025 10:11\nÀ : Magasin\nObjet : Lampe",
    "Spanish": "De: Ines Vale\nEnviado el: martes, 4 de marzo de 2025 10:11\nPara: Tienda\nAsunto: Lámpara",
    "Portuguese": "De: Ines Vale\nEnviada em: terça-feira, 4 de março de 2025 10:11\nPara: Loja\nAssunto: Luz",
    "Italian": "Da: Ines Vale\nInviato: martedì 4 marzo 2025 10:11\nA: Negozio\nOggetto: Lampada",
    "Dutch": "Van: Ines Vale\nVerzonden: dinsdag 4 maart 2025 10:11\nAan: Winkel\nOnderwerp: Lamp",
    "Polish": "Od: Ines Vale\nWysłano: wtorek, 4 marca 2025 10:11\nDo: Sklep\nTemat: Lampa",
    "Swedish": "Från: Ines Vale\nSkickat: den 4 mars 2025 10:11\nTill: Butik\nÄmne: Lampa",
    "Danish": "Fra: Ines Vale\nSendt: 4. marts 2025 10:11\nTil: Butik\nEmne: Lampe",
    "Russian": "От: Ines Vale\nОтправлено: 4 марта 2025 г. 10:11\nКому: Магазин\nТема: Лампа",
    "Chinese": "发件人: Ines Vale\n发送时间: 2025年3月4日 10:11\n收件人: 商店\n主题: 灯",
    "Japanese": "差出人: Ines Vale\n送信日時: 2025年3月4日 10:11\n宛先: 店\n件名: ランプ",
}


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_a_quote_and_the_line_that_announces_it_go(attribution: str) -> None:
    assert strip_quotes(f"It works.\n\n{attribution}\n\n> Does it?\n> Say so.") == "It works."


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_old_mail_that_is_not_marked_goes_too(attribution: str) -> None:
    assert strip_quotes(f"It works.\n\n{attribution}\n\nDoes it?") == "It works."


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
@pytest.mark.parametrize("old", ["Does it?", "> Does it?"], ids=["unmarked", "marked"])
def test_the_width_at_which_a_program_breaks_the_line_does_not_matter(attribution: str, old: str) -> None:
    kept = {
        width: strip_quotes(f"It works.\n\n{broken}\n\n{old}")
        for width in range(40, 100, 2)
        if (broken := "\n".join(wrap(attribution, width, break_long_words=False, break_on_hyphens=False)))
    }
    assert kept == dict.fromkeys(range(40, 100, 2), "It works.")


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_everything_from_a_header_block_on_goes(header: str) -> None:
    assert strip_quotes(f"It works.\n\n________________________________\n{header}\n\nDoes it?") == "It works."


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_block_that_opens_the_text_is_taken_off(header: str) -> None:
    assert strip_quotes(f"{header}\n\nDoes it?") == "Does it?"


@pytest.mark.parametrize(
    "mark",
    [
        "-----Original Message-----",
        "-------- Ursprüngliche Nachricht --------",
        "-----Message d'origine-----",
        "-----Mensaje original-----",
        "-----Messaggio originale-----",
        "-----Oorspronkelijk bericht-----",
        "-----Wiadomość oryginalna-----",
        "-----Antwort Nachricht-----",
        "-------- Oprindelig besked --------",
        "-------- Message initial --------",
        "-------- Původní e-mail ----------",
        ">>> Ines Vale <ines@lamps.example> 04.03.2025 10:11 >>>",
        "##- Please type your reply above this line -##",
        "-- Please reply above this line --",
        "##- Bitte geben Sie Ihre Antwort oberhalb dieser Zeile ein. -##",
    ],
)
def test_a_mark_that_divides_old_from_new_cuts(mark: str) -> None:
    assert strip_quotes(f"It works.\n{mark}\nDoes it?") == "It works."
    assert strip_quotes(f"{mark}\nDoes it?") == "Does it?"


def test_answers_between_and_below_quoted_lines_stay() -> None:
    text = "On 4 Mar 2025, Ines <i@l.example> wrote:\n> Which bulb?\n\nThe green one.\n\n> And the fuse?\n\nIt is fine."
    assert strip_quotes(text) == "The green one.\n\nIt is fine."


def test_a_flattened_forum_quote_goes() -> None:
    assert strip_quotes("ines4\nsaid\n\nDark again.\n\nWhich bulb?") == "Which bulb?"
    assert strip_quotes("ines4\na écrit\n\nEncore noir.\n\nQuelle ampoule ?") == "Quelle ampoule ?"


@pytest.mark.parametrize(
    "text",
    [
        "On your lamp you can read:\n\n    bulb 52698\n\nThat is the number.",
        "The manual wrote: never mind the fuse.",
        "She said that on Monday, and he wrote on Tuesday: no lamp.",
        "From: the left side\nTo: the right side",
        "Settings > Lamps > Reset",
        "To: do\n- one\n- two",
        "He said\nnothing.",
        "Date: tomorrow\nPlace: here",
        "Your trip:\n\nDate: 4 March 2025\nFrom: London\nTo: Paris\n\nHave a nice time.",
        "The bounce says:\n\nFrom: ines@lamps.example\nTo: shop@lamps.example\n\nWhat is wrong with it?",
        'Thanks.\n\nOn 3 March 2025 at 10:30 our driver wrote:\n\n"Nobody here."\n\nPlease call the depot.',
        "Thanks.\n\nOn 3 March our driver wrote:\n\nNobody here.\n\nPlease call the depot.",
        "Danke.\n\nAm 3. März 2025 um 10:30 schrieb unser Fahrer:\n\nNiemand da.\n\nBitte anrufen.",
        "Merci.\n\nLe 3 mars 2025 à 10:30 notre livreur a écrit :\n\nPersonne.\n\nAppelez le dépôt.",
        "I bought 3 lamps on 4.3.2025 at 10:30 from ines@lamps.example, and this is wrong with them:\n\n- dark",
        ">>> import lamp\n>>> lamp.on()",
        "```\n> git log\nOn 4 Mar 2025 10:11, Ines <i@l.example> wrote:\n```",
        "See the headers:\nReceived: from a\nFrom: Ines\nDate: 4 Mar 2025\nTo: Shop\nSubject: Lamp\nX-Spam: no",
    ],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    assert strip_quotes(text) == text


def test_a_citation_after_a_colon_stays_and_a_quote_after_a_writer_goes() -> None:
    assert strip_quotes("It says:\n> no bulb\nWhy?") == "It says:\n> no bulb\nWhy?"
    assert strip_quotes("Ines wrote:\n> no bulb\nWhy?") == "Why?"
    assert introduces("The window says:")
    assert not introduces("Ines Vale wrote:")
    assert not introduces("2025-03-04 10:11 Ines <i@l.example>:")


@pytest.mark.parametrize(
    "header",
    [
        "Von: Ines Vale <ines@lampen.example>\nDatum: 4. März 2025 um 10:11",
        "From: Ines Vale <ines@lamps.example>\nTo: shop@lamps.example",
        "De : Ines Vale <ines@lampes.example>\nDate : mardi 4 mars 2025",
        "From: ines@lamps.example\nSubject: Lamp",
    ],
)
def test_two_fields_that_stand_apart_are_a_header_block(header: str) -> None:
    assert strip_quotes(f"It works.\n\n{header}\n\nDoes it?") == "It works."


def test_what_a_program_broke_off_a_quoted_line_goes_with_it() -> None:
    long = "> the lamp in the hall has been dark since the storm of last week, and so are"
    assert strip_quotes(f"It works.\n\nInes wrote:\n{long}\nthe others\n> as well") == "It works."
    link = "> see <https://lamps.example/a/very/long/address/that/is/broken/somewhere/in/it/"
    assert strip_quotes(f"It works.\n\nInes wrote:\n{link}\nabc#note-1>.\n> Bye") == "It works."
    assert strip_quotes("> Can I send it back?\nyes, for 30 days\n\n> Who pays?\nwe do") == (
        "yes, for 30 days\n\nwe do"
    )


def test_three_marks_quote_words_and_prompt_for_code() -> None:
    assert strip_quotes("It works.\n\n>>> does it\n>>> at night too") == "It works."
    session = "Type this:\n>>> import lamp\n>>> lamp.on()\n>>> lamp"
    assert strip_quotes(session) == session


def test_the_mark_of_a_dropped_block_goes_with_the_line_before_it() -> None:
    assert strip_quotes(f"It works.\n\nInes wrote\n{QUOTED}\n") == "It works."


def test_unquote_takes_the_marks_off_and_keeps_the_words() -> None:
    assert unquote("> a\n>> b\n> > c") == "a\nb\nc"
