"""What the words before a number say it is: an order, a telephone number, a card. Tables and two questions."""

import re

_WINDOW = 48
"""Characters before a number that may say what it is."""

_ORDER_WORDS = (
    # English
    r"orders?|tickets?|cases?|invoices?|tracking|refs?|references?|serial|sn|s/n|account|acct|customer|client|shipment"
    r"|parcel|item|article"
    r"|sku|isbn|ean|imei|po|rma|booking|reservation|confirmation|transaction|policy|contract|meeting|incident"
    r"|request|bug|issue|error"
    r"|code|id|uid|license|vat|tax|part|model|batch|lot|build|kb|asset|delivery|consignment"
    # German, Dutch
    r"|bestell\w*|auftrags?\w*|rechnung\w*|kunden\w*|sendung\w*|vorgang\w*|referenz\w*|vertrag\w*|artikel\w*"
    r"|seriennummer|lieferschein\w*"
    r"|buchung\w*|fehler\w*|paket\w*|hrb|charge|az|aktenzeichen|ust-idn?r|steuernummer|plz|konto\w*|bestelling\w*|ordern\w*|factuur\w*"
    r"|klantn\w*|zending\w*|pakket\w*"
    # Romance
    r"|commandes?|factures?|suivi|colis|dossier|référence|réf|siret|siren|tva|pedidos?|facturas?|envío|seguimiento"
    r"|referencia|nif|cif|dni"
    r"|ordin[ei]|fatture?|spedizione|codice|p\.? ?iva|encomenda|fatura|cnpj|cpf|rastreio|protocolo"
    # Polish, Czech, Nordic, Turkish, Russian, Asian
    r"|zamówieni\w*|faktur\w*|przesyłk\w*|zgłoszeni\w*|nip|regon|pesel|objednávk\w*|zásilk\w*|beställning\w*"
    r"|ordre\w*|bestilling\w*|tilaus\w*"
    r"|sipariş\w*|fatura\w*|kargo\w*|заказ\w*|сч[её]т\w*|посылк\w*|замовлен\w*"
)
_ORDER_CJK = "订单号?|訂單編?號?|单号|编号|注文番?号?|請求番?号?|伝票番?号?|주문 ?번호?|송장 ?번호?"
_NUMBER_WORDS = (
    r"numbers?|no|nr|num|nummer|nbr|numéro|numero|número|numer|číslo|n[°ºo]|#|№|id|code|is|was|are|ist|lautet|est"
    r"|es|é|è|is|er|är|to|and|und|et|y|e|en"
)
_ORDER_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?:{_ORDER_WORDS})|{_ORDER_CJK})[\s:.#№°º(-]{{0,4}}(?:(?:{_NUMBER_WORDS})[\s:.#№°º(-]{{1,3}}){{0,3}}$"
    r"|[#№]\s?$",
    re.IGNORECASE,
)
_ORDER_AFTER = re.compile(rf"[ ,(]{{1,3}}(?:[^\W\d_]{{1,6}} ){{2,4}}(?:{_ORDER_WORDS})(?![^\W_])", re.IGNORECASE)
_PHONE_WORDS = (
    r"tel|tele?phone?|phones?|fon|fones?|mobile?|mobil\w*|cell(?:phone|ulare?)?|call(?: me| us| him| her| them)?"
    r"|ring|text(?: me| us)?|sms|fax|dial|reach(?: me| us)?|whatsapp|hotline|landline"
    r"|my number|our number|contact number|handy\w*|telefon\w*|festnetz\w*|anrufen|ruf\w*|angerufen|rückruf\w*"
    r"|meine nummer|unsere nummer|durchwahl"
    r"|tél(?:éphone)?|portable|appele[zr]|appelez-moi|mon numéro|joindre|teléfono|móvil|celular|llám\w*|llam\w*"
    r"|mi número|telemóvel|telefone|liga\w*|o meu número|meu número"
    r"|cellulare|chiam\w*|il mio numero|telefono|telefoon\w*|mobiel|bel|belt|mijn nummer|komórk\w*|dzwoni\w*"
    r"|zadzwoń|mój numer|volejte|mobiln\w*|ring|mit nummer|mitt nummer|mobilnummer|soita\w*|puh|puhelin\w*|numeroon"
    r"|телефон\w*|тел|мобильн\w*|звони\w*|telefonum|gsm|numaram|natel"
)
_PHONE_CJK = "电话|電話|電話番号|手机号?|手機|携帯|전화|전화번호|휴대폰|핸드폰"
_PHONE_BEFORE = re.compile(
    rf"(?:(?<![^\W_])(?:{_PHONE_WORDS})(?![^\W_])|{_PHONE_CJK})(?:[^.!?\n\d]|\.(?! [A-Z])){{0,22}}$", re.IGNORECASE
)
_CARD_BEFORE = re.compile(
    r"(?<![^\W_])(?:credit|debit|visa|mastercard|amex|maestro|card|kreditkarte\w*|kartennummer|karte|carte|tarjeta"
    r"|carta|cartão|kaart|kart[aey]?)(?![^\W_])[^.!?\n\d]{0,22}$",
    re.IGNORECASE,
)


def is_order_number(text: str, start: int) -> bool:
    """Say whether the words right before a number call it an order, a ticket, an invoice or the like."""
    return _ORDER_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None


def is_called_order_after(text: str, end: int) -> bool:
    """Say whether the words right after a number call it an order: '5035550136, it is the serial number'."""
    return _ORDER_AFTER.match(text, end) is not None


def is_called_phone(text: str, start: int) -> bool:
    """Say whether the words before a number announce a telephone number."""
    return _PHONE_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None


def is_called_card(text: str, start: int) -> bool:
    """Say whether the words before a number announce a payment card."""
    return _CARD_BEFORE.search(text[max(0, start - _WINDOW) : start]) is not None
