"""What automatic replies say, by language: tables only, matched ignoring case.

A sign is a whole clause in the first person, or a machine's words about itself; a topic ('out of office') is none.
"""

SUBJECTS = (
    r"auto(?:matic|mated)?[ :-]{1,2}(?:reply|response|acknowledg\w+)",
    r"out of (?:the )?office(?: reply| autoreply)?\b",
    r"automatisch(?:e|es)? (?:antwort|antwoord)",
    r"abwesenheits(?:notiz|meldung|assistent)",
    r"réponse automatique|absence du bureau",
    r"respuesta automática|fuera de la oficina",
    r"resposta automática",
    r"risposta automatica|fuori sede",
    r"automatyczna odpowiedź",
    r"autosvar|automatiskt? svar|frånvaromeddelande",
    r"automaattinen vastaus",
    r"автоматический ответ|автоответ",
    r"自动回复|自動回覆|自動返信|자동 ?회신",
    r"undeliver(?:able|ed)\b|delivery status notification|mail delivery (?:failed|failure|subsystem)|returned mail\b",
    r"failure notice|message delivery failure|unzustellbar|nicht zustellbar|non remis|no se puede entregar",
)
"""How the subject of such a mail begins."""

_AWAY_EN = (
    r"\bi(?:'m|’m| am)(?: currently| now)? (?:out of (?:the )?office|on (?:annual |parental |maternity |sick )?leave"
    r"|away from (?:the |my )?(?:office|desk)|on vacation|on holidays?)\b"
    r"|\bi will be (?:out of (?:the )?office|on (?:annual |parental |maternity )?leave|on vacation|away)"
    r"(?: from| until| till| through| starting|,|\.)"
    r"|\b(?:e-?mail|message)[.,!]? i(?:'m|’m| am) (?:currently )?(?:out|away|on)\b"
)
_AWAY_DE = (
    r"\bich bin\b.{0,60}?\b(?:nicht im (?:büro|hause)|außer haus|im urlaub|abwesend|nicht erreichbar|in elternzeit)\b"
    r".{0,300}?\b(?:zurück|erreichbar|vertretung|dringend|wenden sie|ab dem|bis|weitergeleitet)"
)
_AWAY_FR = (
    r"\bje suis (?:actuellement )?(?:absente?|en congés?|en vacances|hors du bureau)\b"
    r".{0,200}(?:jusqu|retour|du \d|urgen)"
)
_RECEIVED_EN = (
    r"\b(?:your (?:request|ticket|case|inquiry|enquiry)|a ticket)\b.{0,40}\bhas been"
    r" (?:received|created|opened|logged|registered)\b"
    r".{0,200}\b(?:review\w*|will (?:respond|get back|be in touch|contact|reply|answer)|as soon as|shortly"
    r"|ticket number|reference)"
    r"|\bwe(?: have|'ve|’ve)? received your (?:request|message|e-?mail|inquiry|enquiry|ticket)\b"
    r".{0,200}\b(?:will (?:respond|get back|be in touch|contact|reply|answer)|as soon as|within \d|shortly"
    r"|ticket number)"
)
_MACHINE_EN = (
    r"\bthis is an? (?:automated|automatic|auto-generated|automatically generated)"
    r" (?:reply|response|message|e-?mail|notification|acknowledg\w+)\b"
    r"|\bthis (?:e-?mail|message) (?:was|has been|is)"
    r" (?:automatically generated|generated automatically|sent automatically|auto-generated)\b"
)
_BOUNCE_EN = (
    r"\bdelivery to the following recipients? (?:failed|has been delayed)"
    r"|\bthe following (?:message|address\w*) .{0,60}"
    r"(?:undeliverable|could not be delivered|had permanent fatal errors)"
    r"|\byour message(?: to .{1,80})? (?:couldn't be|could not be|wasn't|was not|has been) (?:delivered|blocked)\b"
    r"|\bthis is the mail (?:system|delivery)|\bmessage delivery (?:has )?failed\b"
    r"|\bcould not\s{1,3}be delivered to one or more recipients|\baddresses had permanent fatal errors"
)

SIGNS: dict[str, str] = {
    # I am away
    "office": _AWAY_EN,
    " leave": _AWAY_EN,
    "vacation": _AWAY_EN,
    "holiday": _AWAY_EN,
    "away": _AWAY_EN,
    "büro": _AWAY_DE,
    "haus": _AWAY_DE,
    "urlaub": _AWAY_DE,
    "abwesend": _AWAY_DE,
    "erreichbar": _AWAY_DE,
    "elternzeit": _AWAY_DE,
    "absent": _AWAY_FR,
    "congé": _AWAY_FR,
    "vacances": _AWAY_FR,
    "bureau": _AWAY_FR,
    "estoy ": r"\bestoy (?:actualmente )?(?:fuera de la oficina|de vacaciones|ausente)\b",
    "estou ": r"\bestou (?:atualmente )?(?:fora do escritório|de férias|ausente)\b",
    "sono ": r"\bsono (?:attualmente )?(?:fuori (?:sede|ufficio)|in ferie|assente)\b.{0,200}(?:fino|dal|rientr|urgen)",
    "ik ben ": r"\bik ben (?:momenteel )?(?:afwezig|niet aanwezig|op vakantie|met verlof)\b",
    "jestem ": r"\bjestem (?:obecnie )?(?:poza biurem|na urlopie|nieobecn[ya])\b",
    "jag är ": r"\bjag är (?:för närvarande )?(?:på semester|inte på kontoret|ledig|bortrest)\b",
    "jeg er ": r"\bjeg er (?:i øjeblikket )?(?:på ferie|ikke på kontoret|ikke til stede|bortrejst)\b",
    "olen ": r"\bolen (?:lomalla|poissa)\b.{0,40}(?:asti|saakka)",
    "отпуск": r"(?:нахожусь|буду) в отпуске",
    "офисе": r"меня не будет в офисе",
    "休暇": r"休暇を(?:いただいて|頂いて)おります",
    "不在": r"不在にしております",
    "休假": r"我正在休假",
    "办公室": r"我目前不在办公室",
    # This is a machine
    "automated": _MACHINE_EN,
    "automatic": (
        rf"{_MACHINE_EN}|\bquesto (?:è un messaggio|messaggio è stato) (?:automatico|generato automaticamente)"
    ),
    "auto-generated": _MACHINE_EN,
    "automatisch": (
        r"\bdies ist eine automatisch(?:e| erzeugte| generierte| erstellte)"
        r" (?:antwort|nachricht|e-?mail|eingangsbestätigung)"
        r"|\bdiese (?:e-?mail|nachricht) wurde automatisch (?:erzeugt|generiert|erstellt|versendet)"
        r"|\bdit is een automatisch(?: gegenereerd)? (?:bericht|antwoord)"
    ),
    "automatique": r"\bceci est (?:un message|une réponse|un e-?mail) automatique",
    "automátic": (
        r"\beste (?:es un mensaje|mensaje (?:es|se ha generado)|correo) (?:automático|automáticamente|se ha generado)"
        r"|\besta é uma (?:mensagem|resposta) automática"
    ),
    "automatyczn": r"\bto jest (?:automatyczna|wiadomość wygenerowana automatycznie)",
    "automatisk": r"\bdett[ae] är ett automatiskt|\bdette er (?:et automatisk svar|en automatisk besked)",
    "автоматическ": r"это автоматический ответ|сообщение (?:создано|отправлено) автоматически",
    "自動": r"このメールは自動(?:送信|返信)|此郵件(?:為|由系統)自動",
    "自动": r"此邮件(?:为|由系统)自动",
    # We have received your request
    "received": _RECEIVED_EN,
    "has been created": _RECEIVED_EN,
    "erhalten": (
        r"\bwir haben ihre (?:anfrage|nachricht|e-?mail) erhalten\b"
        r".{0,200}\b(?:melden uns|bearbeite\w*|schnellstmöglich|so schnell wie möglich|ticketnummer|innerhalb)"
    ),
    "bien reçu": (
        r"\bnous avons bien reçu votre (?:demande|message|e-?mail)\b"
        r".{0,200}\b(?:répond\w+|délais|traité\w*|numéro)"
    ),
    "recibido": (
        r"\bhemos recibido (?:su|tu) (?:solicitud|mensaje|consulta)\b"
        r".{0,200}\b(?:respond\w+|contact\w+|breve|número)"
    ),
    # It did not arrive
    "deliver": _BOUNCE_EN,
    "mail system": _BOUNCE_EN,
    "fatal errors": _BOUNCE_EN,
    "been blocked": _BOUNCE_EN,
    "zugestellt": r"\bihre nachricht (?:konnte nicht|wurde nicht) zugestellt",
}
"""A few letters that must be there -> the pattern that is then worth trying."""
