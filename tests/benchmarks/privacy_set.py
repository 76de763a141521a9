"""Invented messages in eleven languages in which every piece of personal data is known, and clean ones without any.

Values are drawn with a seed; nobody is meant by them. ``{...}`` in a template is one value; its kind is looked up in
:data:`MAKERS`. The clean messages hold what is often mistaken for personal data: orders, versions, dates, amounts.
"""

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"

# Per language: country, given names, family names, streets, towns with postcode, month, and sentences by kind.
LANGUAGES: dict[str, dict[str, list[str]]] = {
    "en": {
        "country": ["GB"],
        "given": ["Zoë", "Chloé", "Rita", "Callum", "Imogen"],
        "family": ["Okafor", "Brontë", "Whitcombe", "Fairley"],
        "address": [
            "{n} Rose Lane, Leeds LS1 4AP",
            "{n}b Baker Street, London NW1 6XE",
            "{n} Mill Road\nOxford OX4 1AB",
        ],
        "ID": ["My SSN is {ssn}, is that needed?", "passport number {pass}", "National Insurance number: {nino}"],
        "BIRTHDATE": ["Date of birth: {d1}", "I was born on {d2} in Leeds", "my DOB is {d3}"],
        "USER": ["Username: {user}", "my login is {user} and it fails", "User ID: {user}"],
        "ADDRESS": ["My address is {address}.", "Please ship it to {address}", "Delivery address: {address}"],
        "NAME": [
            "hi {first}, thanks for the help",
            "I spoke with {first} yesterday",
            "Thanks,\n{first}",
            "ask {full} please",
        ],
        "clean": [
            "The lamp in the hall went dark after the storm and the fuse looks fine.",
            "Order 302-7654301-1234567 was sent on 4 March 2025 and cost 1,249.00.",
            "Please update to version 18.16.2.2749 and restart the router twice.",
            "The password is wrong, and the login page says that the user is locked.",
            "On Monday our driver wrote that nobody was at home.",
            "The address on the label is hard to read, can you check the delivery?",
        ],
    },
    "de": {
        "country": ["DE"],
        "given": ["Jürgen", "Käthe", "Björn", "Anneliese", "Sören"],
        "family": ["Müller-Lüdenscheidt", "Größler", "Schönfeld", "Weißgerber"],
        "address": ["Rosenstraße {n}, 50667 Köln", "Am Hang {n}\n10115 Berlin", "Lindenallee {n}a, 80331 München"],
        "ID": ["Meine Steuer-ID lautet {d11}", "Personalausweis: {ausweis}", "Sozialversicherungsnummer {sv}"],
        "BIRTHDATE": ["Geburtsdatum: {d4}", "geboren am {d5} in Ulm", "Mein Geburtstag ist der {d4}"],
        "USER": ["Benutzername: {user}", "Mein Benutzername lautet {user} seit gestern", "Anmeldename: {user}"],
        "ADDRESS": ["Lieferadresse: {address}", "Meine Adresse ist {address}", "Ich wohne in der {address}"],
        "NAME": [
            "hallo {first}, danke",
            "ich habe mit {first} gesprochen",
            "Viele Grüße\n{first}",
            "bitte {full} fragen",
        ],
        "clean": [
            "Die Lampe im Flur bleibt dunkel, obwohl die Sicherung in Ordnung ist.",
            "Die Bestellung 4500123987 vom 3. März 2025 kostet 1.249,00 Euro.",
            "Bitte auf Version 12.4.1 aktualisieren und das Gerät neu starten.",
            "Das Passwort ist falsch und der Benutzer ist gesperrt.",
            "Am Arbeitsplatz 3 steht der Drucker, die Adresse des Servers ist bekannt.",
        ],
    },
    "fr": {
        "country": ["FR"],
        "given": ["Zoé", "Hélène", "Benoît", "Inès", "Gaël"],
        "family": ["Lefèvre", "Bérard", "Delaunay", "Château"],
        "address": ["{n} rue de la Paix, 75002 Paris", "{n} avenue Victor Hugo, 69003 Lyon"],
        "ID": ["numéro de sécurité sociale : {nir}", "Mon passeport : {pass}", "numéro fiscal {d13}"],
        "BIRTHDATE": ["Date de naissance : {d1}", "née le {d6} à Lyon"],
        "USER": ["Nom d'utilisateur : {user}", "identifiant : {user}", "mon identifiant est {user}"],
        "ADDRESS": ["Adresse de livraison : {address}", "mon adresse est {address}", "J'habite au {address}"],
        "NAME": ["bonjour {first}, merci", "j'ai parlé avec {first} hier", "Merci,\n{first}", "demandez à {full} svp"],
        "clean": [
            "La lampe du couloir reste éteinte alors que le fusible est bon.",
            "La commande 4500123987 du 3 mars 2025 coûte 1 249,00 euros.",
            "Le mot de passe est incorrect et l'utilisateur est bloqué.",
            "L'adresse sur l'étiquette est illisible.",
        ],
    },
    "es": {
        "country": ["ES"],
        "given": ["José", "Lucía", "Íñigo", "Begoña", "Andrés"],
        "family": ["García", "Núñez", "Ibáñez", "Muñoz"],
        "address": ["Calle Mayor {n}, 28013 Madrid", "Avenida Libertad {n}, 41001 Sevilla"],
        "ID": ["Mi DNI es {dni}", "pasaporte: {pass}", "NIE: {nie}"],
        "BIRTHDATE": ["Fecha de nacimiento: {d1}", "nací el {d7m}"],
        "USER": ["Usuario: {user}", "mi nombre de usuario es {user} desde ayer"],
        "ADDRESS": ["Dirección: {address}", "mi dirección de envío es {address}"],
        "NAME": ["hola {first}, gracias", "hablé con {first} ayer", "Gracias,\n{first}", "pregunte a {full} por favor"],
        "clean": [
            "La lámpara del pasillo sigue apagada aunque el fusible está bien.",
            "El pedido 4500123987 del 3 de marzo de 2025 cuesta 1.249,00 euros.",
            "La contraseña es incorrecta y el usuario está bloqueado.",
        ],
    },
    "it": {
        "country": ["IT"],
        "given": ["Niccolò", "Noè", "Beatrice", "Giosuè"],
        "family": ["Forlì", "Cantù", "Bellucci", "D'Alò"],
        "address": ["Via Roma {n}, 00184 Roma", "Corso Italia {n}, 20122 Milano"],
        "ID": ["il mio codice fiscale è {cf}", "passaporto {pass}", "carta d'identità: {ausweis}"],
        "BIRTHDATE": ["Data di nascita: {d1}", "nato il {d8} a Bari"],
        "USER": ["Nome utente: {user}", "il mio nome utente è {user}"],
        "ADDRESS": ["Indirizzo: {address}", "il mio indirizzo è {address}"],
        "NAME": [
            "ciao {first}, grazie",
            "ho parlato con {first} ieri",
            "Grazie,\n{first}",
            "chiedete a {full} per favore",
        ],
        "clean": [
            "La lampada del corridoio resta spenta anche se il fusibile è a posto.",
            "L'ordine 4500123987 del 3 marzo 2025 costa 1.249,00 euro.",
            "La password è errata e l'utente è bloccato.",
        ],
    },
    "pt": {
        "country": ["PT"],
        "given": ["João", "Inês", "Conceição", "Luís"],
        "family": ["Gonçalves", "Simões", "Araújo", "Brandão"],
        "address": ["Rua das Flores {n}, 4050-262 Porto", "Avenida Central {n}, 1250-001 Lisboa"],
        "ID": ["O meu CPF é {cpf}", "número de contribuinte: {d9}", "passaporte {pass}"],
        "BIRTHDATE": ["Data de nascimento: {d1}", "nasci em {d7m}"],
        "USER": ["Nome de utilizador: {user}", "nome de usuário: {user}"],
        "ADDRESS": ["Morada: {address}", "Endereço de entrega: {address}"],
        "NAME": [
            "olá {first}, obrigado",
            "falei com {first} ontem",
            "Obrigado,\n{first}",
            "perguntem a {full} por favor",
        ],
        "clean": [
            "A lâmpada do corredor continua apagada embora o fusível esteja bom.",
            "A encomenda 4500123987 de 3 de março de 2025 custa 1.249,00 euros.",
        ],
    },
    "nl": {
        "country": ["NL"],
        "given": ["Daniëlle", "Jörgen", "Marieke", "Zoë"],
        "family": ["Coöper", "Brugmans", "Geërts", "Terpstra"],
        "address": ["Keizersgracht {n}, 1015 CJ Amsterdam", "Dorpsstraat {n}, 3511 AB Utrecht"],
        "ID": ["Mijn BSN is {d9}", "paspoortnummer: {pass}", "rijbewijs {d10}"],
        "BIRTHDATE": ["Geboortedatum: {d3n}", "geboren op {d9m}"],
        "USER": ["Gebruikersnaam: {user}", "mijn gebruikersnaam is {user}"],
        "ADDRESS": ["Bezorgadres: {address}", "mijn adres is {address}"],
        "NAME": [
            "hoi {first}, bedankt",
            "ik sprak met {first} gisteren",
            "Bedankt,\n{first}",
            "vraag het {full} graag",
        ],
        "clean": [
            "De lamp in de gang blijft donker terwijl de zekering goed is.",
            "Bestelling 4500123987 kost 1.249,00.",
        ],
    },
    "pl": {
        "country": ["PL"],
        "given": ["Łukasz", "Michał", "Elżbieta", "Paweł"],
        "family": ["Wiśniewski", "Dąbrowska", "Ćwikła", "Żurek"],
        "address": ["ul. Długa {n}, 00-238 Warszawa", "ul. Polna {n}, 31-101 Kraków"],
        "ID": ["Mój PESEL to {d11}", "nr dowodu: {dowod}", "NIP {nip}"],
        "BIRTHDATE": ["Data urodzenia: {d4}", "ur. {d4}"],
        "USER": ["Nazwa użytkownika: {user}", "Login: {user}"],
        "ADDRESS": ["Adres dostawy: {address}", "mój adres to {address}"],
        "NAME": [
            "cześć {first}, dziękuję",
            "rozmawiałem z {first} wczoraj",
            "Dziękuję,\n{first}",
            "proszę zapytać {full} o to",
        ],
        "clean": [
            "Lampa w korytarzu nadal nie świeci, choć bezpiecznik jest dobry.",
            "Zamówienie 4500123987 kosztuje 1249,00 zł.",
        ],
    },
    "sv": {
        "country": ["SE"],
        "given": ["Åsa", "Björn", "Märta", "Göran"],
        "family": ["Sjöström", "Ångman", "Lindqvist", "Höglund"],
        "address": ["Storgatan {n}, 111 22 Stockholm", "Kungsvägen {n}, 411 03 Göteborg"],
        "ID": ["Mitt personnummer är {pnr}", "passnummer: {d8n}", "körkort {pnr}"],
        "BIRTHDATE": ["Födelsedatum: {d3}", "född {d3}"],
        "USER": ["Användarnamn: {user}", "mitt användarnamn är {user}"],
        "ADDRESS": ["Leveransadress: {address}", "min adress är {address}"],
        "NAME": ["hej {first}, tack", "jag pratade med {first} igår", "Tack,\n{first}", "fråga {full} tack"],
        "clean": ["Lampan i hallen är mörk fast säkringen är hel.", "Beställning 4500123987 kostar 1 249 kr."],
    },
    "cs": {
        "country": ["CZ"],
        "given": ["Jiří", "Zdeněk", "Věra", "Tomáš"],
        "family": ["Dvořák", "Černý", "Růžička", "Šťastný"],
        "address": ["Dlouhá {n}, 110 00 Praha", "Husova {n}, 602 00 Brno"],
        "ID": ["rodné číslo: {rc}", "číslo pasu {d8n}", "DIČ: {dic}"],
        "BIRTHDATE": ["Datum narození: {d4}", "narozen {d4}"],
        "USER": ["Uživatelské jméno: {user}", "přihlašovací jméno: {user}"],
        "ADDRESS": ["Doručovací adresa: {address}", "moje adresa je {address}"],
        "NAME": ["ahoj {first}, díky", "mluvil jsem s {first} včera", "Děkuji,\n{first}", "zeptejte se {full} prosím"],
        "clean": ["Lampa na chodbě nesvítí, i když je pojistka v pořádku.", "Objednávka 4500123987 stojí 1249,00 Kč."],
    },
    "ru": {
        "country": ["RU"],
        "given": ["Артём", "Алёна", "Семён", "Инна"],
        "family": ["Соловьёв", "Ковалёва", "Громов", "Пчёлкин"],
        "address": ["ул. Ленина, д. {n}, кв. 12, 101000 Москва", "ул. Мира, д. {n}, 190000 Санкт-Петербург"],
        "ID": ["ИНН {d12}", "номер паспорта: {d10}", "СНИЛС: {snils}"],
        "BIRTHDATE": ["Дата рождения: {d4}", "родился {d4}"],
        "USER": ["Логин: {user}", "имя пользователя: {user}"],
        "ADDRESS": ["Адрес доставки: {address}", "мой адрес: {address}"],
        "NAME": ["привет {first}, спасибо", "Спасибо,\n{first}", "здравствуйте, {full}, жду"],
        "clean": ["Лампа в коридоре не горит, хотя предохранитель цел.", "Заказ 4500123987 стоит 1249 рублей."],
    },
}
_MONTHS = {
    "d5": ["März", "Juli", "Oktober"],
    "d6": ["mars", "juillet", "octobre"],
    "d7m": ["marzo", "julio", "octubre"],
    "d8": ["marzo", "luglio", "ottobre"],
    "d9m": ["maart", "juli", "oktober"],
}
KINDS = ("ID", "BIRTHDATE", "USER", "ADDRESS", "NAME")


@dataclass(frozen=True)
class Sample:
    """A message and what is personal in it."""

    text: str
    kind: str
    """Empty where nothing is."""
    value: str
    country: str
    language: str
    people: tuple[str, ...]


def labelled(seed: int, per_language: int) -> Iterator[Sample]:
    """Yield messages with one value each, the same number of every language and kind."""
    dice = random.Random(seed)
    for language, words in LANGUAGES.items():
        for number in range(per_language * len(KINDS)):
            kind = KINDS[number % len(KINDS)]
            yield _sample(dice, language, words, kind)


def clean(seed: int, count: int) -> Iterator[Sample]:
    """Yield messages without personal data, written in the names' absence by nobody."""
    dice = random.Random(seed)
    for _ in range(count):
        language = dice.choice(list(LANGUAGES))
        words = LANGUAGES[language]
        people = (f"{dice.choice(words['given'])} {dice.choice(words['family'])}",)
        text = " ".join(dice.sample(words["clean"], min(len(words["clean"]), dice.randint(2, 4))))
        yield Sample(text, "", "", words["country"][0], language, people)


def _sample(dice: random.Random, language: str, words: dict[str, list[str]], kind: str) -> Sample:
    person = (dice.choice(words["given"]), dice.choice(words["family"]))
    template = dice.choice(words[kind])
    name = template[template.index("{") + 1 : template.index("}")]
    value = _value(dice, name, words, person)
    text = template.replace("{" + name + "}", value)
    before, after = (dice.choice(words["clean"]) for _ in range(2))
    if not text.startswith(("hi", "hallo", "hola", "ciao")) and kind != "NAME":
        text = f"{before}\n\n{text}\n\n{after}"
    return Sample(text, kind, value, words["country"][0], language, (" ".join(person),) if kind == "NAME" else ())


def _value(dice: random.Random, name: str, words: dict[str, list[str]], person: tuple[str, str]) -> str:
    if name == "address":
        return dice.choice(words["address"]).replace("{n}", str(dice.randint(1, 99)))
    if name in ("first", "full"):
        written = person[0] if name == "first" else " ".join(person)
        return dice.choice([_bare, str.lower, lambda said: _bare(said).lower()])(written)
    if name in _MONTHS:
        between = " de " if name == "d7m" else ". " if name == "d5" else " "
        return (
            f"{dice.randint(1, 28)}{between}{dice.choice(_MONTHS[name])}{' de ' if name == 'd7m' else ' '}{_year(dice)}"
        )
    return MAKERS[name](dice)


def _bare(written: str) -> str:
    """Take the accents off, as people do who have no such keys."""
    plain = written.translate(str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o"}))
    return "".join(letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))


def _year(dice: random.Random) -> int:
    return dice.randint(1940, 2005)


def _digits(dice: random.Random, count: int) -> str:
    return str(dice.randint(1, 9)) + "".join(str(dice.randint(0, 9)) for _ in range(count - 1))


def _letters(dice: random.Random, count: int) -> str:
    return "".join(dice.choice(_LETTERS) for _ in range(count))


def _date(dice: random.Random, sign: str) -> str:
    return sign.join((f"{dice.randint(1, 28):02}", f"{dice.randint(1, 12):02}", str(_year(dice))))


def _user(dice: random.Random) -> str:
    name = dice.choice(["rita", "bob", "max", "kira", "tom"])
    return dice.choice(
        [f"{name}{dice.randint(1, 99)}", f"{name}_{dice.choice('abk')}", f"{name}.{dice.choice(['vale', 'moon'])}"]
    )


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "ssn": lambda dice: f"{dice.randint(100, 665)}-{dice.randint(10, 99)}-{dice.randint(1000, 9999)}",
    "pass": lambda dice: dice.choice([_digits(dice, 9), f"{_digits(dice, 2)}{_letters(dice, 2)}{_digits(dice, 5)}"]),
    "nino": lambda dice: f"AB {_digits(dice, 2)} {_digits(dice, 2)} {_digits(dice, 2)} {dice.choice('ABCD')}",
    "ausweis": lambda dice: f"L{_digits(dice, 2)}X{_digits(dice, 2)}T{_digits(dice, 2)}",
    "dowod": lambda dice: f"{_letters(dice, 3)} {_digits(dice, 6)}",
    "sv": lambda dice: f"{_digits(dice, 2)} {_digits(dice, 6)} {_letters(dice, 1)} {_digits(dice, 3)}",
    "nir": lambda dice: (
        f"{dice.randint(1, 2)} {_digits(dice, 2)} 05 {_digits(dice, 2)} {_digits(dice, 3)} {_digits(dice, 3)}"
        f" {_digits(dice, 2)}"
    ),
    "dni": lambda dice: _digits(dice, 8) + _letters(dice, 1),
    "dic": lambda dice: f"CZ{_digits(dice, 8)}",
    "nie": lambda dice: f"X{_digits(dice, 7)}{_letters(dice, 1)}",
    "cf": lambda dice: (
        f"{_letters(dice, 6)}{_digits(dice, 2)}T{_digits(dice, 2)}"
        f"{_letters(dice, 1)}{_digits(dice, 3)}{_letters(dice, 1)}"
    ),
    "cpf": lambda dice: f"{_digits(dice, 3)}.{_digits(dice, 3)}.{_digits(dice, 3)}-{_digits(dice, 2)}",
    "nip": lambda dice: f"{_digits(dice, 3)}-{_digits(dice, 3)}-{_digits(dice, 2)}-{_digits(dice, 2)}",
    "pnr": lambda dice: f"{dice.randint(40, 99)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}-{_digits(dice, 4)}",
    "rc": lambda dice: f"{dice.randint(40, 99)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}/{_digits(dice, 4)}",
    "snils": lambda dice: f"{_digits(dice, 3)}-{_digits(dice, 3)}-{_digits(dice, 3)} {_digits(dice, 2)}",
    "user": _user,
    "d1": lambda dice: _date(dice, "/"),
    "d2": lambda dice: f"March {dice.randint(1, 28)}, {_year(dice)}",
    "d3": lambda dice: f"{_year(dice)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
    "d3n": lambda dice: _date(dice, "-"),
    "d4": lambda dice: _date(dice, "."),
    "d7": lambda dice: _digits(dice, 7),
    "d8n": lambda dice: _digits(dice, 8),
    **{f"d{count}": (lambda dice, count=count: _digits(dice, count)) for count in (9, 10, 11, 12, 13)},
}
