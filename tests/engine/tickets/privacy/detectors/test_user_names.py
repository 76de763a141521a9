import pytest

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.spans import Covered, without_overlaps
from engine.tickets.privacy.detectors.user_names import find_pairs, find_user_names


def names(text: str) -> list[str]:
    spans = without_overlaps(list(find_user_names(Forms(text), Covered())))
    return [text[span.start : span.end] for span in spans]


def pairs(text: str) -> list[tuple[str, str]]:
    spans = sorted(span for _, both in find_pairs(Forms(text)) for span in both)
    return [(span.kind, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Login: {}", "bob77"),
        ("my username is {} and it fails", "bob_k"),
        ("Username: {}", "bobby"),
        ("my username {}", "bob_77"),
        ("my login is {} and it fails", "bob.k"),
        ("User ID = {}", "48213"),
        ("Benutzername lautet {}", "max.muster"),
        ("Nom d'utilisateur : {}", "marie_d"),
        ("identifiant : {}", "paul75"),
        ("Usuario: {}", "pepe"),
        ("nome de usuário: {}", "joao.silva"),
        ("nome utente: {}", "luca88"),
        ("Gebruikersnaam: {}", "jan_v"),
        ("nazwa użytkownika: {}", "kowal22"),
        ("Användarnamn: {}", "bjorn1"),
        ("brugernavn er {}", "lars_m"),
        ("käyttäjätunnukseni on {}", "matti5"),
        ("uživatelské jméno: {}", "petr.n"),
        ("логин: {}", "ivan_77"),
        ("kullanıcı adı: {}", "mehmet34"),
        ("用户名：{}", "xiaoming88"),
        ("ユーザー名は{}です", "sakura77"),
        ("아이디: {}", "minsu21"),
    ],
)
def test_what_a_label_announces_is_the_name_of_an_account(text: str, name: str) -> None:
    assert names(text.format(name)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Login: failed for everybody",
        "Login: failed",
        "Username: required",
        "The login is slow, the user is angry",
        "your username is the same as before",
        "username is case-sensitive",
        "User: reads the manual first",
        "Login: https://lamps.example/login",
        "Login: Settings / Accounts",
        "Username: admin",
        "Log in with your username on the portal.",
        "Benutzername oder Passwort falsch",
        "username: your e-mail address",
    ],
)
def test_talk_about_accounts_is_none(text: str) -> None:
    assert names(text) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user/pass: admin / S3cret!", [("PASSWORD", "S3cret!")]),
        ("Login: rita / Sommer2024!", [("USER", "rita"), ("PASSWORD", "Sommer2024!")]),
        ("Zugangsdaten: max / geheim", [("USER", "max"), ("PASSWORD", "geheim")]),
        ("identifiants : marie / Lune77", [("USER", "marie"), ("PASSWORD", "Lune77")]),
        ("Login: Settings / Accounts", []),
        ("credentials: wrong / missing", []),
    ],
)
def test_a_name_and_a_password_in_one_are_both_found(text: str, masked: list[tuple[str, str]]) -> None:
    assert pairs(text) == masked
