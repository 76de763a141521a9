import pytest

from engine.tickets.privacy.detectors.codes import find_codes
from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.passwords import find_passwords
from engine.tickets.privacy.detectors.secrets import find_keys
from engine.tickets.privacy.detectors.spans import Covered


def keys(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_keys(text, Covered())]


def passwords(text: str) -> list[str]:
    spans = [*find_passwords(Forms(text)), *find_codes(Forms(text))]
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "key",
    [
        "sk-EXAMPLE0example1EXAMPLE2example3",
        "ghp_EXAMPLEexampleEXAMPLEexample00000000",
        "github_pat_EXAMPLE00example",
        "glpat-EXAMPLE00example000",
        "xoxb-000000000000-EXAMPLE",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_EXAMPLEexampleEXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJleGFtcGxlIn0.c2lnbmF0dXJl",
    ],
)
def test_keys_are_known_by_their_makers_prefix(key: str) -> None:
    assert keys(f"I used {key}, it fails.") == [key]
    assert keys(f"TOKEN={key}") == [key]


def test_a_random_word_is_a_key_only_where_it_is_called_one() -> None:
    word = "f4a1c9e07b2d4e6f8a3b5c7d9e1f2a3b"
    for before in ("api key: ", "secret=", 'client_secret: "', "The token is ", "Lizenzschlüssel: ", "clé API : "):
        assert keys(before + word) == [word], before
    for before in ("commit ", "sha256:", "request ", "Trace id ", "etag "):
        assert keys(before + word) == [], before


@pytest.mark.parametrize(
    "text", ["the key feature", "key: value", "press the key combination", "token expired yesterday"]
)
def test_talk_about_keys_is_none(text: str) -> None:
    assert keys(text) == []


def test_a_private_key_goes_whole_even_when_it_was_cut_off() -> None:
    block = "-----BEGIN EC PRIVATE KEY-----\nEXAMPLE\nEXAMPLE\n-----END EC PRIVATE KEY-----"
    assert keys(f"a\n{block}\nb") == [block]
    assert keys("a\n-----BEGIN PRIVATE KEY-----\nEXAMPLE\n\nb") == ["-----BEGIN PRIVATE KEY-----\nEXAMPLE"]
    assert keys("-----BEGIN CERTIFICATE-----\nEXAMPLE\n-----END CERTIFICATE-----") == []


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("My password is Tulip42!", "Tulip42!"),
        ("password: banana", "banana"),
        ('the password "gelbes Haus 9" fails', "gelbes Haus 9"),
        ("The password for the admin account is Qw3rty!!, please", "Qw3rty!!"),
        ("the password I set was Orbit*2291", "Orbit*2291"),
        ("Das Passwort lautet Sommer2025", "Sommer2025"),
        ("Mon mot de passe est Lavande#77", "Lavande#77"),
        ("La contraseña nueva es Limonada7", "Limonada7"),
        ("La password è Limone!88", "Limone!88"),
        ("Het wachtwoord is Fiets-1975", "Fiets-1975"),
        ("Hasło to Zielony#15.", "Zielony#15"),
        ("Пароль: Zima2024", "Zima2024"),
        ("パスワードはSakura#12です", "Sakura#12"),
        ("密码是Xiong-mao8", "Xiong-mao8"),
        ("postgres://app:Rx7moss@db.example/x", "Rx7moss"),
        ("The PIN is 4821", "4821"),
        ("Your verification code is 639214", "639214"),
        ("Das Passwort ist jetzt Birne77", "Birne77"),
        ("mon mdp c'est Lune77", "Lune77"),
        ("the wifi key is tulip-4711", "tulip-4711"),
        ("WLAN-Schluessel: 1234-5678-9012-3456", "1234-5678-9012-3456"),
        ("la clave wifi es rosa1980", "rosa1980"),
        ("the code you sent is 482913", "482913"),
        ("I received the code 482 913 by SMS", "482 913"),
        ("der Code, den Sie geschickt haben, lautet 482913", "482913"),
    ],
)
def test_passwords_are_found_where_people_call_them_so(text: str, password: str) -> None:
    assert passwords(text) == [password]


@pytest.mark.parametrize(
    "text",
    [
        "My password is wrong.",
        "Password: required",
        "password is not accepted",
        "The password is saved in the profile.",
        "I forgot my password. It was reset",
        "Password reset does not work",
        "Das Passwort ist abgelaufen",
        "Mot de passe oublié",
        "La contraseña es incorrecta",
        "password manager",
        "Enter your password:\n\n```\ncode\n```",
        "The pins 3 and 4 are bent",
        "Password [PASSWORD_1]",
        "Password policy: NIST800-63",
        "the passcode screen on iOS17",
        "The error code I got is 482913",
        "The discount code you sent is 482913",
        "The code is in line 4829 of the file",
    ],
)
def test_talk_about_passwords_is_none(text: str) -> None:
    assert passwords(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            'password = os.environ["DB_PASSWORD"]',
            'password=os.environ.get("DB_PASS")',
            "password: process.env.DB_PASS",
        ),
        *(
            'password = getenv("PW")',
            "password: ${DB_PASSWORD}",
            "password=$DB_PASSWORD",
            'password = config["password"]',
        ),
        *("password: process.env.DB_PASS", "password = settings.PASSWORD1", "password = getpass.getpass()"),
        *('os.environ["PASSWORD"] = os.getenv("X1")', "request.form['password']", '{"password": {"type": "string"}}'),
        *('{"password": true}', '{"forgot_password": "Forgot your password1?"}', '{"password": "Passwort"}'),
        *('if env["PASSWORD"] == "": raise', "<password>required</password>", "docker run -u 1000:1000 shop"),
    ],
)
def test_where_code_takes_a_password_from_is_none(text: str) -> None:
    assert passwords(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *('{"password": "Birne77!x"}', "{'db_password': 'Birne77!x'}", 'os.environ["PW"] = "Birne77!x"'),
        *("$config['password'] = 'Birne77!x';", '"password" => "Birne77!x"', 'password := "Birne77!x"'),
        *("<password>Birne77!x</password>", "curl -u ada:Birne77!x https://shop.example"),
    ],
)
def test_passwords_in_settings_and_code_are_masked(text: str) -> None:
    assert passwords(text) == ["Birne77!x"]


@pytest.mark.parametrize("secret", ["$ecret99", "os7!xyz", "Env.2024", "B1rne(77"])
def test_passwords_that_resemble_code_are_masked(secret: str) -> None:
    assert passwords(f"my password is {secret}") == [secret]
