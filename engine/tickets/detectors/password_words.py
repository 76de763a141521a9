"""What passwords are called, and what people say about them, by language: tables only, in lower case."""

PASSWORD_WORDS = (
    r"pass(?:word|wort|code|phrase|wd)s?|kennwort|pwd?|passw|pass|mot de passe|mdp|contraseña|contrasena|clave"
    r"|palavra-passe|senha|wachtwoord|hasło|haslo|hasłem"
    r"|lösenord(?:et)?|adgangskode(?:n)?|kodeord(?:et)?|passord(?:et)?|salasana(?:ni)?|heslo|jelszó|parol[aăe]m?"
    r"|пароль|şifrem?|sifrem?"
)
PIN_WORDS = (
    r"pin(?:[- ]?(?:code|number|nummer))?|puk|otp|tan|(?:door|gate|lock|alarm|entry|safe|garage|lockbox|tür"
    r"|tor)[- ]?code|cv[vc]2?|security code|verification code|one[- ]time (?:code"
    r"|password|passcode)|login code|access code|bestätigungscode|einmal(?:code|passwort)|sicherheitscode"
    r"|zugangscode|code de (?:vérification|sécurité)|código de (?:verificación|verificação|seguridad|segurança)"
    r"|codice di (?:verifica|sicurezza)|verificatiecode|kod weryfikacyjny|код подтверждения|pin-kod"
)
PASSWORD_HINTS = (
    *("pass", "kennwort", "pwd", "pw", "mdp", "contrase", "clave", "senha", "wachtw", "hasł", "haslo", "lösenord"),
    *("adgangs",),
    *("kodeord", "salasana", "heslo", "jelsz", "parol", "парол", "şifre", "sifre", "パスワード", "密码", "密碼"),
    *("口令", "비밀번호"),
)
PIN_HINTS = ("pin", "puk", "otp", "tan", "cvv", "cvc", "code", "código", "codice", "kod", "код", "one-time", "one time")
"""Letters of which at least one must be there before the patterns are worth trying."""

NO_PASSWORD = frozenset(
    [
        # English
        *("incorrect", "wrong", "right", "correct", "required", "invalid", "valid", "expired", "empty", "blank"),
        *("missing",),
        *("not", "still", "already", "always", "never", "now", "also", "only", "just", "too", "very", "being"),
        *("been", "set"),
        *("the", "that", "this", "your", "my", "our", "their", "his", "her", "its", "one", "same", "something", "what"),
        *("forgotten", "forgot", "lost", "reset", "changed", "saved", "stored", "hidden", "protected", "encrypted"),
        *("known",),
        *("needed", "optional", "mandatory", "accepted", "rejected", "refused", "denied", "locked", "unlocked", "weak"),
        *("strong", "secure", "unsafe", "safe", "long", "short", "different", "identical", "case-sensitive", "case"),
        *("sent",),
        *("fine", "okay", "good", "bad", "working", "broken", "gone", "unknown", "visible", "masked", "redacted"),
        *("removed",),
        *("normal", "oauth2", "oauth", "none", "yes", "no", "n/a", "null", "password", "manager", "username", "and"),
        *("for",),
        *("in", "on", "at", "to", "from", "with", "without", "when", "where", "why", "how", "if", "unless"),
        *("because", "it"),
        *("there", "here", "again", "below", "above", "attached", "enclosed", "shown", "asked", "entered", "typed"),
        *("used",),
        *("provided", "given", "generated", "created", "updated", "recognized", "recognised", "available", "necessary"),
        *("1password", "bitwarden", "lastpass", "keepass", "keepassxc", "dashlane"),
        *("md5", "sha1", "sha256", "bcrypt", "starttls", "ssl/tls", "ssl", "tls", "plain", "cleartext", "utf-8"),
        *("minimum",),
        *("hello", "please", "enter", "click", "choose", "must", "should", "cannot", "can't", "doesn't", "isn't"),
        *("field",),
        # German
        *("falsch", "richtig", "korrekt", "ungültig", "gültig", "abgelaufen", "leer", "nicht", "noch", "immer"),
        *("auch", "nur"),
        *("vergessen", "verloren", "geändert", "gespeichert", "gesperrt", "erforderlich", "notwendig", "nötig"),
        *("sicher",),
        *("unsicher", "schwach", "bekannt", "unbekannt", "das", "der", "die", "dasselbe", "gleich", "identisch"),
        *("zu", "wie"),
        *("zurückgesetzt", "verschlüsselt", "bitte", "eingegeben", "hinterlegt", "okay", "weg", "jetzt", "mein"),
        *("dein", "ihr"),
        # French
        *("incorrecte", "faux", "fausse", "bon", "bonne", "valide", "invalide", "expiré", "oublié", "perdu", "vide"),
        *("requis",),
        *("obligatoire", "nécessaire", "refusé", "accepté", "enregistré", "changé", "modifié", "trop", "toujours"),
        *("pas",),
        *("déjà", "le", "la", "les", "un", "une", "celui", "inconnu", "bloqué", "erroné"),
        # Spanish, Portuguese, Italian
        *("incorrecta", "incorrecto", "correcta", "correcto", "equivocada", "válida", "inválida", "caducada", "vacía"),
        *("requerida", "obligatoria", "necesaria", "olvidada", "muy", "la", "el", "no", "errada", "incorreta"),
        *("correta",),
        *("esquecida", "expirada", "obrigatória", "muito", "errata", "sbagliata", "corretta", "scaduta", "dimenticata"),
        *("obbligatoria", "richiesta", "valida", "troppo", "non", "sempre", "ancora", "bloccata", "uma", "una"),
        *("que", "sin"),
        # Dutch, Polish, Nordic, Czech
        *("onjuist", "verkeerd", "juist", "fout", "verlopen", "vergeten", "leeg", "verplicht", "nodig", "niet"),
        *("nog", "het", "te"),
        *("nieprawidłowe", "błędne", "niepoprawne", "prawidłowe", "wygasło", "puste", "wymagane", "nie", "zapomniane"),
        *("fel", "rätt", "felaktigt", "ogiltigt", "glemt", "forkert", "forkerte", "feil", "inte", "ikke", "ej"),
        *("väärä", "väärin"),
        *("špatné", "nesprávné", "neplatné", "hibás", "rossz", "greșită", "incorectă"),
        # Russian, Turkish
        *("неверный", "неправильный", "верный", "не", "забыт", "устарел", "yanlış", "hatalı", "doğru", "geçersiz"),
    ]
)
"""Words that follow 'the password is' and are no password."""
