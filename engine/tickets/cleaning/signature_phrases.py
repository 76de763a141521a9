"""How people and telephones end a mail, in the languages of the help desks we know: tables, matched ignoring case."""

import re

VALEDICTION = (
    # English
    r"(?:(?:with )?(?:best|kind|kindest|warm|warmest|many)(?: (?:and|&) \w+)? )?regards|yours (?:sincerely|truly"
    r"|faithfully)|sincerely(?: yours)?|respectfully"
    r"|best(?: wishes)?|all the best|cheers|with (?:best|kind) (?:regards|wishes)|brgds|br|rgds|warmly|cordially"
    r"|take care|have a (?:nice|great|good|lovely) (?:day|weekend|evening|one|week)"
    # German
    r"|(?:mit )?(?:freundliche[nrms]?|beste[nrms]?|liebe[nrms]?|viele[n]?|herzliche[nrms]?|schöne[nrms]?"
    r"|sonnige[n]?) (?:grüße[n]?|gruße?|grüsse[n]?|gruss|gruß|gruessen?|gruesse)"
    r"|mfg|lg|vg|bg|gruß|gruss|grüße|grüsse|gruesse|hochachtungsvoll|beste grüße aus \w+"
    # French
    r"|(?:bien )?cordialement|salutations(?: distinguées)?|(?:meilleures|sincères) salutations|bien à vous"
    r"|bonne (?:journée|soirée|fin de journée|réception)|cdlt|cdt|amicalement|sincèrement"
    # Spanish, Portuguese, Italian, Catalan
    r"|(?:un )?(?:cordial |atento )?saludos?(?: cordiales)?|atentamente|cordialmente|un abrazo|atenciosamente"
    r"|(?:com os melhores )?cumprimentos|melhores cumprimentos|(?:um )?abraço|abraços|att"
    r"|(?:cordiali|distinti|cari|i migliori) saluti|un saluto|saluti|salutacions"
    # Dutch, Nordic
    r"|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)?|mvg|(?:med )?(?:vänliga?|bästa|venlige?"
    r"|vennlig|bedste|beste|de bedste) (?:hälsning(?:ar)?|hilsen|hilsner)|hälsningar|hilsen|mvh|vh|dbh|kh|knus"
    r"|(?:ystävällisin|parhain) terveisin|terveisin|yst\.? ?terv\.?"
    # Polish, Czech, Slovak, Hungarian, Romanian, Croatian
    r"|(?:serdecznie )?pozdrawiam(?: serdecznie)?|z poważaniem|z powazaniem|z wyrazami szacunku"
    r"|s (?:přátelským )?pozdravem|s úctou|s pozdravom|üdvözlettel|tisztelettel|cu (?:stimă|respect)"
    r"|srdačan pozdrav|lijep pozdrav|lp"
    # Russian, Ukrainian, Greek, Turkish
    r"|с уважением|с наилучшими пожеланиями|всего доброго|з повагою|με εκτίμηση|φιλικά|saygılarımla"
    r"|iyi (?:çalışmalar|günler)"
    # Vietnamese, Indonesian, Chinese, Japanese, Korean, Hebrew, Arabic
    r"|trân trọng|salam|hormat (?:kami|saya)|此致|敬礼|祝好|顺祝商祺"
    r"|(?:以上、?)?(?:どうぞ)?よろしくお願い(?:いた|致)?します"
    r"|(?:以上、?)?宜しくお願い(?:いた|致)?します|敬具|감사합니다|בברכה|מכל הלב|مع التحية|تحياتي|مع خالص التحية"
)
"""A whole line, but for punctuation: everything short that follows is a signature."""

THANKS = (
    r"(?:many |best )?thanks(?: (?:again|so much|a lot|in advance|and (?:best |kind )?regards|& regards))?"
    r"|thank you(?: (?:so much|very much|again|in advance|and (?:best |kind )?regards))?|thx|ty|tia"
    r"|(?:vielen |herzlichen |besten |lieben )?dank(?: (?:im voraus|und (?:viele |beste |liebe )?grüße))?"
    r"|danke(?: (?:schön|im voraus|und (?:viele |beste |liebe )?grüße))?|merci(?: (?:beaucoup|d'avance))?"
    r"|(?:muchas )?gracias(?: de antemano)?|(?:muito )?obrigad[oa]|(?:mille )?grazie(?: mille)?"
    r"|(?:alvast )?(?:hartelijk )?(?:bedankt|dank)|(?:z góry )?dziękuję|tack(?: på förhand)?"
    r"|(?:på forhånd )?tak(?:k)?|kiitos|děkuji|děkujeme|ďakujem|köszönöm"
    r"|mulțumesc|спасибо|заранее спасибо|дякую|teşekkürler|谢谢|謝謝|ありがとうございます"
)
"""A whole line: a signature only when names follow, else it is part of the message."""

SENT_FROM = re.compile(
    r"^(?:"
    r"sent (?:from|via|with|using) (?:my |an? |the )?\S.{0,50}|get outlook for \w.{0,60}|sent from outlook.{0,60}"
    r"|(?:von|mit) mein(?:em|er) \S.{0,40} gesendet|gesendet (?:von|mit) \S.{0,50}"
    r"|diese nachricht wurde von mein(?:em|er) \S.{0,60} gesendet"
    r"|outlook für \w+ (?:beziehen|herunterladen|abrufen).{0,40}|envoyé (?:de|depuis|à partir de|avec) \S.{0,50}"
    r"|télécharger outlook pour .{0,40}|provenance : courrier .{0,40}"
    r"|enviado (?:desde|do|a partir do|de) \S.{0,50}|obtener outlook para .{0,40}|obter o outlook para .{0,40}"
    r"|inviato da(?:l|lla)? \S.{0,50}|scarica outlook per .{0,40}"
    r"|verzonden (?:vanaf|met|via|van) \S.{0,50}|outlook voor \w+ downloaden.{0,40}|wysłan[eo] z \S.{0,50}"
    r"|pobierz (?:aplikację )?outlook .{0,40}"
    r"|skickat från \S.{0,50}|hämta outlook för .{0,40}|sendt fra \S.{0,50}|hent outlook (?:til|for) .{0,40}"
    r"|lähetetty \S.{0,40}|odesláno z \S.{0,50}|odoslané z \S.{0,50}|az? \S.{0,30}készülékemről küldve"
    r"|trimis de pe \S.{0,50}|отправлено (?:с|из) \S.{0,50}|надіслано з \S.{0,50}|στάλθηκε από \S.{0,50}"
    r"|\S.{0,30}(?:'?[ıiuü]mdan|dan|den) gönderildi"
    r"|(?:从|從|发自)我的 ?\S.{0,30}|\S.{0,30}(?:から送信|より送信)"
    r"|나의 \S.{0,30}에서 보냄|내 \S.{0,30}에서 보냄|đã gửi từ \S.{0,40}"
    r"|נשלח מה.{0,30}|أرسلت من .{0,30}"
    r")$",
    re.IGNORECASE,
)
"""A whole line that a telephone or a mail program adds."""
