"""An invented shop in four languages, 200 answers that state its facts in other words, and 200 that invent some.

A fact stands in the training answers in one notation and is stated in another. Most inventions are near misses: the
right number with another unit, the right unit with another number, the right host with another path.
"""

import re
from dataclasses import dataclass
from itertools import product
from random import Random

TRAINING = (
    # amounts and shares
    "Postage is 4 pounds 20, and free from 85 pounds.",
    "The Larkspur desk costs 1,234.50 EUR, the chair 349.00 EUR.",
    "You get 15 percent off the second chair, 7.5 % off the third.",
    "Der Versand kostet 6,90 €, ein Ersatzrad 12 Euro.",
    "La livraison coûte 1 250,00 EUR pour un bureau entier.",
    "El envío cuesta 9,95 euros.",
    # times
    "You have 43 days from delivery to send it back. The money is back after 6 working days.",
    "A repair takes two weeks. The link is good for 25 minutes, the voucher for 18 months.",
    "Wir antworten innerhalb von 24 Stunden. Die Garantie gilt 7 Jahre.",
    "Le colis arrive en trois jours, le mardi et le vendredi.",
    "La garantía dura dos años y cubre 36 meses de uso.",
    "Kestrel Post comes on Tuesdays and Fridays. The counter is open from 10:00 to 17:30.",
    "The summer sale begins on 5 May 2026 and ends on 2026-06-30.",
    # places
    "Read https://www.larkspur.example/help/returns first, or larkspur.example/track for your parcel.",
    "Write to workshop@larkspur.example or call +44 20 7946 0118.",
    "Send it to the Workbench, 9 Tannery Row, Marrowby. Our Berlin shop is at Lindenstraße 12.",
    # promises
    "We will refund you in full. Returns are free of charge.",
    "Wir erstatten Ihnen den Betrag. Der Rückversand ist kostenlos.",
    # names
    "The Larkspur desk, the Otter chair and the Heron lamp fit the WrenArm and the shelf KX-20.",
    "Open My Shelf and press Move House, then Paper Drawer.",
)

_OPENINGS = ("Hello, thank you for your message.", "Thanks for asking!", "Good morning, and sorry for the wait.", "")
_CLOSINGS = ("Kind regards, your support team", "Let us know if anything is unclear.", "Have a nice day!")


@dataclass(frozen=True)
class Planted:
    """An answer, and the words in it that are invented; none where all is true."""

    answer: str
    invented: str = ""


_TRUE = {
    "en": (
        "Postage comes to £4.20.",
        "From £85 on we send it for nothing.",
        "The desk is € 1,234.50.",
        "A chair is EUR 349 at the moment.",
        "The second chair is 15 % cheaper.",
        "There are 7.5 percent off the third one.",
        "You may send it back for 43 days.",
        "Please allow six working days for the money.",
        "The repair takes 14 days.",
        "Your link works for 25 min, so be quick.",
        "The voucher ends after 18 months.",
        "We answer within one day, that is 24 hours.",
        "It arrives after 3 days.",
        "All furniture has seven years of warranty.",
        "The parcel comes on Friday or Tuesday.",
        "We are open from 10 am to 5:30 pm.",
        "The sale starts on May 5th, 2026.",
        "It ends on 30 June 2026.",
        "Please read larkspur.example/help/returns.",
        "Follow it on https://larkspur.example/track.",
        "Please mail Workshop@Larkspur.example with a photo.",
        "You can phone us, 020 7946 0118.",
        "Send it to 9 Tannery Row, please.",
        "You will get a full refund.",
        "The return is at no extra cost.",
        "Your Otter fits the Heron's foot.",
        "Put the WrenArm on the KX-20.",
        "Then press Move House under My Shelf.",
    ),
    "de": (
        "Der Versand kostet 6,90 EUR.",
        "Ein Ersatzrad kostet 12,00 €.",
        "Der Schreibtisch kostet 1.234,50 Euro.",
        "Sie haben 43 Tage Zeit.",
        "Das Geld ist nach sechs Werktagen zurück.",
        "Die Reparatur dauert zwei Wochen.",
        "Sie bekommen in 24 Stunden eine Antwort.",
        "Auf alles gibt es sieben Jahre Garantie.",
        "Der Bote kommt dienstags und freitags.",
        "Wir haben bis 17:30 Uhr geöffnet.",
        "Schreiben Sie an workshop@larkspur.example.",
        "Alles steht unter www.larkspur.example/help/returns.",
        "Unser Laden ist in der Lindenstraße 12.",
        "Die Rücksendung ist für Sie gratis.",
        "Passt der WrenArm an das Regal KX-20? Ja.",
    ),
    "fr": (
        "La livraison du bureau coûte 1250 €.",
        "Le bureau coûte 1 234,50 EUR.",
        "Vous avez 43 jours pour le renvoyer.",
        "Le colis arrive en 3 jours.",
        "Nous livrons le vendredi.",
        "La garantie est de sept ans.",
        "Le lien est valable 25 minutes.",
        "Écrivez à workshop@larkspur.example.",
        "Lisez larkspur.example/help/returns.",
        "Le retour est gratuit.",
    ),
    "es": (
        "El envío cuesta 9,95 €.",
        "El escritorio cuesta 1.234,50 euros.",
        "Tiene 43 días para devolverlo.",
        "La garantía es de 24 meses.",
        "Llega en tres días.",
        "El mensajero viene el martes.",
        "Escriba a workshop@larkspur.example.",
        "La devolución es gratuita.",
    ),
}

_INVENTED = {
    "en": (
        ("Postage comes to £4.90.", "£4.90"),
        ("From £58 on we send it for nothing.", "£58"),
        ("The desk is € 1,324.50.", "€ 1,324.50"),
        ("A chair is USD 349 at the moment.", "USD 349"),
        ("The second chair is 25 % cheaper.", "25 %"),
        ("You may send it back for 34 days.", "34 days"),
        ("You may send it back for 43 weeks.", "43 weeks"),
        ("Please allow nine working days for the money.", "nine working days"),
        ("The repair takes 15 days.", "15 days"),
        ("Your link works for 45 minutes.", "45 minutes"),
        ("The voucher ends after 18 weeks.", "18 weeks"),
        ("All furniture has twelve years of warranty.", "twelve years"),
        ("The parcel comes on Thursday.", "Thursday"),
        ("We are open from 10 am to 8:30 pm.", "8:30 pm"),
        ("The sale starts on May 6th, 2026.", "May 6th, 2026"),
        ("It ends on 30 June 2027.", "30 June 2027"),
        ("Please read larkspur.example/help/refunds.", "larkspur.example/help/refunds"),
        ("Follow it on https://track.larkspur.example/.", "https://track.larkspur.example/"),
        ("Please mail support@larkspur.example with a photo.", "support@larkspur.example"),
        ("You can phone us, 020 7946 0811.", "020 7946 0811"),
        ("Send it to 19 Tannery Row, please.", "19 Tannery Row"),
        ("We send you a free replacement at once.", "send you a free replacement"),
        ("Our technician will call you tomorrow.", "technician will call"),
        ("Use the discount code from the last mail.", "discount code"),
        ("Your Falcon fits the lamp.", "Falcon"),
        ("Put the HeronArm on the shelf.", "HeronArm"),
        ("It stands on the KX-30.", "KX-30"),
        ("Then press Change Address under My Shelf.", "Change Address"),
        ("It goes with Kestrel Express.", "Express"),
    ),
    "de": (
        ("Der Versand kostet 9,60 EUR.", "9,60 EUR"),
        ("Der Schreibtisch kostet 1.243,50 Euro.", "1.243,50 Euro"),
        ("Sie haben 30 Tage Zeit.", "30 Tage"),
        ("Das Geld ist nach sechs Wochen zurück.", "sechs Wochen"),
        ("Sie bekommen in 48 Stunden eine Antwort.", "48 Stunden"),
        ("Auf alles gibt es 5 Jahre Garantie.", "5 Jahre"),
        ("Der Bote kommt montags.", "montags"),
        ("Wir haben bis 18:45 Uhr geöffnet.", "18:45"),
        ("Schreiben Sie an service@larkspur.example.", "service@larkspur.example"),
        ("Alles steht unter www.larkspur.example/hilfe.", "www.larkspur.example/hilfe"),
        ("Unser Laden ist in der Lindenstraße 21.", "Lindenstraße 21"),
        ("Wir senden Ihnen einen neuen Ersatzstuhl, versprechen wir.", "versprechen wir"),
        ("Sie erhalten einen Gutschein von uns.", "Gutschein"),
        ("Das passt zum Regal KX-90.", "KX-90"),
    ),
    "fr": (
        ("La livraison du bureau coûte 1520 €.", "1520 €"),
        ("Vous avez 14 jours pour le renvoyer.", "14 jours"),
        ("Le colis arrive en cinq jours.", "cinq jours"),
        ("Nous livrons le samedi.", "samedi"),
        ("Le lien est valable 90 minutes.", "90 minutes"),
        ("Écrivez à contact@larkspur.example.", "contact@larkspur.example"),
        ("Lisez larkspur.example/aide.", "larkspur.example/aide"),
        ("Un technicien vous rappelle demain.", "technicien vous"),
    ),
    "es": (
        ("El envío cuesta 5,99 €.", "5,99 €"),
        ("Tiene 60 días para devolverlo.", "60 días"),
        ("La garantía es de 30 meses.", "30 meses"),
        ("Llega en ocho días.", "ocho días"),
        ("El mensajero viene el domingo.", "domingo"),
        ("Escriba a ayuda@larkspur.example.", "ayuda@larkspur.example"),
        ("Le llamaremos mañana.", "llamaremos"),
    ),
}


def _dressed() -> list[tuple[str, str]]:
    return [(opening, closing) for closing, opening in product(_CLOSINGS, _OPENINGS)]


def _another(sentence: str, invented: str, random: Random) -> tuple[str, str]:
    """Draw other digits for the last number of an invention; it stays as it is where it has none of two digits."""
    numbers = re.findall(r"\d{2,}", invented)
    if not numbers or ":" in invented or re.search(r"20\d\d", invented):
        return sentence, invented
    drawn = numbers[-1]
    while drawn == numbers[-1] or drawn in " ".join(TRAINING):
        drawn = str(random.randrange(10 ** (len(drawn) - 1), 10 ** len(drawn)))
    other = drawn.join(invented.rsplit(numbers[-1], 1))
    return sentence.replace(invented, other), other


def true_answers(count: int = 200) -> list[Planted]:
    """Return answers of which every fact is the shop's."""
    sentences = [sentence for some in _TRUE.values() for sentence in some]
    shapes = _dressed()
    made = []
    for number in range(count):
        opening, closing = shapes[number // len(sentences) % len(shapes)]
        made.append(Planted(f"{opening}\n\n{sentences[number % len(sentences)]}\n\n{closing}".strip()))
    return made


def inventing_answers(count: int = 200) -> list[Planted]:
    """Return answers with one invention each; each second one states a fact of the shop before it."""
    sentences = [(language, *pair) for language, some in _INVENTED.items() for pair in some]
    shapes, random = _dressed(), Random(7)
    made = []
    for number in range(count):
        language, sentence, invented = sentences[number % len(sentences)]
        if number >= len(sentences):
            sentence, invented = _another(sentence, invented, random)
        before = _TRUE[language][number % len(_TRUE[language])] + " " if number % 2 else ""
        opening, closing = shapes[number // len(sentences) % len(shapes)]
        made.append(Planted(f"{opening}\n\n{before}{sentence}\n\n{closing}".strip(), invented))
    return made
