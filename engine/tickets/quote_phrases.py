"""How mail programs announce an older message, in the languages of the help desks we know.

Tables only. Sources: the test corpora of talon, mail-parser-reply and email_reply_parser, and the wording that Gmail,
Outlook, Apple Mail and Thunderbird use in each language. Order does not matter; matching ignores case.
"""

import re

Field = str
"""One of from, date, to, subject, other."""

WROTE = (
    # English, German, French, Spanish, Portuguese, Italian, Catalan
    r"wrote|writes|said|schrieb|schreibt|geschrieben|gesagt|a écrit|ecrit|a dit|escribió|escribio|dijo|escreveu|disse"
    r"|ha scritto|scrive|va escriure"
    # Dutch, Polish, Swedish, Danish and Norwegian, Finnish, Czech, Slovak, Hungarian, Romanian
    r"|schreef|napisał(?:\(a\)|a)?|napisal(?:\(a\)|a)?|pisze|nadesłał|skrev|kirjoitti|napísal(?:\(a\)|a)?"
    r"|írta|a scris"
    # Russian, Ukrainian, Bulgarian, Serbian and Croatian, Greek, Turkish, Baltic languages
    r"|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|пишет|написав|написала"
    r"|пише|написа|napisao(?:/la)?|napisala|έγραψε|yazdı|şunları yazdı|rašė|rakstīja|kirjutas"
    # Vietnamese, Indonesian, Hebrew, Arabic, Thai
    r"|đã viết|menulis|כתב(?:ה)?|מאת|كتب|كتبت|เขียน(?:ว่า)?"
)
"""Verbs between letters; :data:`WROTE_CJK` holds those of the scripts that put no spaces."""

WROTE_CJK = (
    "写道|寫道|写到|来信|さんは書きました|は書きました|さんが書きました|のメール|のメッセージ"
    "|작성(?:하였습니다|했습니다|함)?|썼습니다|님이 쓴 글"
)

STARTS = r"on|am|le|el|em|a|il(?: giorno)?|il|op|dnia|w dniu|den|dňa|dne|på|vào|pada|pe|în(?: data)?|στις|в|на|dana|klo"
"""First words of 'On Monday ... wrote:'."""

ORIGINAL_MESSAGE = (
    r"original message|original email|reply message|ursprüngliche (?:nachricht|e-?mail|mail)|original-?nachricht"
    r"|originalnachricht"
    r"|message d'origine|message d’origine|message original|mensaje original|mensagem original|messaggio originale"
    r"|messaggio di origine|oorspronkelijk bericht|originele bericht|wiadomość oryginalna|oryginalna wiadomość"
    r"|ursprungligt meddelande|originalmeddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti"
    r"|původní zpráva|pôvodná správa|eredeti üzenet|mesaj original|mesajul original"
    r"|исходное сообщение|початкове повідомлення|исходное письмо|orijinal ileti|özgün ileti|αρχικό μήνυμα"
    r"|元のメッセージ|原始邮件|原始信息|原始郵件|원본 메시지|원본 메일|الرسالة الأصلية|הודעה מקורית"
)

FORWARDED_MESSAGE = (
    r"begin forwarded message|forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    r"|message transféré"
    r"|début du message (?:transféré|réexpédié)|mensaje reenviado|inicio del mensaje reenviado"
    r"|mensagem (?:reencaminhada|encaminhada)|messaggio inoltrato"
    r"|inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|przekazana wiadomość"
    r"|vidarebefordrat meddelande"
    r"|videresendt (?:besked|melding|meddelelse)|пересылаемое сообщение|转发的邮件|転送メッセージ"
)

_HEADER_WORDS: dict[Field, str] = {
    "from": (
        "from|von|de|da|van|od|från|fra|lähettäjä|feladó|от|от кого|від|kimden|gönderen|από|"
        "expéditeur|expediteur|remitente|remetente|mittente|afzender|nadawca|odesílatel|odesilatel|de la|"
        "expeditor|差出人|送信者|发件人|寄件者|寄件人|보낸 사람|보낸사람|من|מאת|từ|dari|absender"
    ),
    "date": (
        "sent|date|gesendet|datum|envoyé|envoye|date d'envoi|enviado|enviada|enviado el|enviado em|"
        "enviada em|fecha|data|inviato|inviata|verzonden|wysłano|wysłane|skickat|skickades|sendt|dato|"
        "päivämäärä|lähetetty|odesláno|odoslané|elküldve|dátum|отправлено|дата|надіслано|gönderildi|"
        "gönderilme tarihi|tarih|ημερομηνία|στάλθηκε|trimis|送信日時|日時|日付|发送时间|日期|"
        "寄件日期|傳送日期|보낸 날짜|날짜|تاريخ|أرسلت|נשלח|תאריך|ngày|tanggal|gesendet am"
    ),
    "to": (
        "to|an|à|a|para|aan|do|komu|till|til|vastaanottaja|címzett|кому|kime|alıcı|προς|"
        "destinataire|destinatario|destinatário|empfänger|ontvanger|pro|către|宛先|收件人|收件者|받는 사람|받는사람|"
        "إلى|אל|đến|kepada"
    ),
    "other": (
        "cc|bcc|kopie|kopia|kopi|copie|copia|cópia|dw|udw|копия|másolat|抄送|副本|참조|bilgi|reply-to|"
        "antwort an|répondre à|organization|organisation|importance|priority|wichtigkeit|attachments|"
        "anlagen|pièces jointes|vedhæftet"
    ),
    "subject": (
        "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|předmět|predmet|ämne|emne|aihe|"
        "tárgy|тема|konu|θέμα|subiect|件名|主题|主旨|主題|제목|الموضوع|נושא|chủ đề|subjek|perihal"
    ),
}
HEADER_FIELDS: dict[str, Field] = {word: field for field, words in _HEADER_WORDS.items() for word in words.split("|")}
"""Label in lower case, without the colon -> what it labels."""

REPLY_LINE = re.compile(
    r"(?:please )?(?:type|write|enter) your (?:reply|response|answer) above this line"
    r"|(?:please )?reply above this line|reply above this line to"
    r"|(?:bitte )?(?:geben sie )?ihre antwort (?:bitte )?(?:oberhalb|über) dieser (?:zeile|linie)"
    r"|antworten sie oberhalb dieser (?:zeile|linie)"
    r"|bitte über dieser linie antworten|répond(?:re|ez) (?:au-dessus|ci-dessus) de cette ligne"
    r"|votre réponse au-dessus de cette ligne"
    r"|escriba su respuesta (?:por )?encima de esta línea|responda (?:por )?encima de esta línea|(?:digite"
    r"|escreva) sua resposta acima desta linha"
    r"|rispondi sopra questa riga|scriv[ai] la (?:tua|sua) risposta sopra questa riga"
    r"|typ uw antwoord boven deze (?:regel|lijn)|antwoord boven deze regel"
    r"|wpisz odpowiedź powyżej tej linii|skriv (?:ditt )?svar ovanför denna rad|skriv dit svar over denne linje"
    r"|この行より上に|请在此行以上"
    r"|введите ответ над этой строкой",
    re.IGNORECASE,
)
"""'##- Please type your reply above this line -##' and its kin; Zendesk, Freshdesk, Help Scout, Jira."""
