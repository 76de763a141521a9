"""Words that are names and something else too, words that no person is called, titles and particles: tables only."""

ROLES = frozenset(
    [
        *("support", "team", "admin", "administrator", "service", "services", "info", "sales", "billing", "help"),
        *("helpdesk",),
        *("desk", "customer", "customers", "client", "user", "users", "guest", "visitor", "anonymous", "agent"),
        *("agents",),
        *("system", "bot", "automation", "automatic", "noreply", "no-reply", "mailer", "daemon", "webmaster", "office"),
        *("shop", "store", "company", "account", "accounts", "test", "tester", "demo", "staff", "manager", "contact"),
        *("kunde", "kunden", "kundendienst", "kundenservice", "benutzer", "gast", "firma", "verwaltung", "buchhaltung"),
        *("équipe", "assistance", "utilisateur", "invité", "soporte", "equipo", "usuario", "cliente", "assistenza"),
        *("utente",),
        *("ondersteuning", "gebruiker", "klant", "klantenservice", "unknown", "unbekannt", "deleted", "unassigned"),
        *("operator",),
        *("gmbh", "ag", "inc", "ltd", "llc", "corp", "co", "kg", "ug", "bv", "sarl", "srl", "spa", "sl", "sa"),
        *("group", "gruppe"),
        *("outlook", "gmail", "windows", "microsoft", "google", "apple", "amazon", "zendesk", "freshdesk"),
        *("intercom", "slack"),
        *("thunderbird", "firefox", "chrome", "android", "iphone", "facebook", "paypal", "shopify", "salesforce"),
        *("jira",),
        *("hubspot", "whatsapp", "telegram", "twitter", "instagram", "linkedin", "mozilla", "adobe", "oracle"),
        *("github",),
    ]
)
"""An entry of the people fields that holds one of these is a team, a company or a product."""

TITLES = frozenset(
    [
        *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "herrn", "fr", "hr"),
        *("dipl", "ing"),
        *("m", "mme", "mlle", "monsieur", "madame", "sr", "sra", "srta", "señor", "señora", "don", "doña", "sig"),
        *("dott", "ssa"),
        *("signor", "signora", "dhr", "mevr", "mw", "mevrouw", "meneer", "pan", "pani", "jr", "phd", "msc", "bsc"),
        *("ii", "iii"),
    ]
)
PARTICLES = frozenset(
    [
        *("de", "der", "den", "von", "vom", "zu", "zum", "van", "ten", "ter", "la", "le", "les", "du", "des", "del"),
        *("della",),
        *("di", "da", "dos", "das", "do", "e", "y", "i", "al", "el", "bin", "ibn", "abu", "ben", "bint", "st"),
        *("saint", "of", "af"),
    ]
)

COMMON = frozenset(
    [
        # English first and last names that start sentences or are nouns
        *("will", "mark", "may", "bill", "rose", "grace", "hope", "joy", "faith", "art", "sue", "pat", "drew"),
        *("dawn", "eve"),
        *("april", "june", "august", "summer", "autumn", "winter", "rob", "rich", "chip", "cliff", "dale", "dean"),
        *("duke",),
        *("earl", "frank", "gene", "glen", "grant", "guy", "hank", "iris", "ivy", "jack", "jade", "jewel", "ken"),
        *("lance", "lily"),
        *("max", "melody", "mercy", "miles", "nick", "norm", "olive", "opal", "page", "pearl", "penny", "piper"),
        *("ray", "reed"),
        *("robin", "rock", "ruby", "sandy", "skip", "sky", "star", "stew", "sunny", "tab", "tad", "teal", "violet"),
        *("wade",),
        *("ward", "wren", "chance", "chase", "christian", "crystal", "daisy", "destiny", "ginger", "harmony"),
        *("hazel", "heather"),
        *("holly", "honey", "hunter", "jasmine", "jordan", "justice", "lane", "marine", "patience", "peg", "prince"),
        *("royal",),
        *("sage", "sterling", "trinity", "true", "victor", "victory", "virtue", "wiley", "angel", "amber", "ace"),
        *("buddy",),
        *("king", "young", "long", "short", "small", "little", "best", "good", "wise", "sharp", "smart", "swift"),
        *("strong",),
        *("black", "white", "brown", "green", "gray", "grey", "gold", "silver", "baker", "cook", "cooper", "carter"),
        *("butler",),
        *("mason", "miller", "smith", "taylor", "turner", "walker", "weaver", "fisher", "farmer", "gardener"),
        *("porter", "page"),
        *("church", "field", "fields", "ford", "forest", "hill", "house", "lake", "marsh", "moore", "park", "parks"),
        *("pond",),
        *("pool", "rivers", "stone", "street", "wells", "wood", "woods", "west", "east", "north", "south", "bell"),
        *("bird",),
        *("bishop", "pope", "day", "bond", "book", "booth", "bowl", "brand", "bridge", "bridges", "bush", "case"),
        *("cash",),
        *("charge", "check", "click", "coin", "cross", "crane", "dear", "early", "english", "french", "german"),
        *("finch", "fox"),
        *("wolf", "hawk", "hart", "head", "hand", "hands", "high", "hood", "hook", "horn", "hunt", "key", "keys"),
        *("knight", "law"),
        *("love", "major", "mail", "marks", "mills", "noble", "order", "paine", "pay", "peace", "pike", "price"),
        *("post", "power"),
        *("powers", "print", "quick", "read", "reader", "save", "sales", "sands", "savage", "sell", "send"),
        *("shields", "ship"),
        *("sign", "singer", "snow", "spears", "speed", "stamp", "start", "stock", "storm", "summers", "temple"),
        *("towers",),
        *("update", "valentine", "waters", "webb", "web", "wells", "wells", "windows", "winner", "winters", "word"),
        *("worth", "an"),
        *("so", "no", "do", "go", "in", "on", "to", "my", "me", "he", "she", "we", "you", "can", "see", "say"),
        *("new", "ana"),
        *("china", "india", "georgia", "paris", "london", "sydney", "austin", "dallas", "houston", "florence"),
        *("vienna", "asia"),
        # German
        *("bauer", "koch", "vogel", "vogt", "wolff", "stern", "könig", "kaiser", "richter", "fuchs", "weiß"),
        *("weiss", "schwarz"),
        *("braun", "lang", "lange", "kurz", "groß", "gross", "klein", "kleine", "berg", "bach", "wald", "stein"),
        *("sommer",),
        *("herbst", "freitag", "sonntag", "montag", "becker", "schneider", "schuster", "fischer", "jäger", "zimmer"),
        *("maurer",),
        *("kühn", "kraft", "sauer", "roth", "rot", "blau", "grün", "gelb", "neu", "neumann", "alt", "jung", "frei"),
        *("fröhlich",),
        *("scharf", "stark", "lieb", "liebe", "gut", "beste", "ernst", "keller", "brunnen", "busch", "hahn", "hase"),
        *("hecht",),
        *("huhn", "krebs", "löwe", "maus", "nagel", "pfeiffer", "ritter", "schäfer", "schatz", "schmied", "vater"),
        *("weber",),
        *("ende", "ecke", "engel", "heim", "hell", "herz", "holz", "horn", "kern", "kopf", "licht", "mai", "markt"),
        *("mut",),
        *("reich", "sand", "schuld", "seite", "stand", "stadt", "tag", "topf", "winkel", "wort", "zahn", "zeit"),
        *("kunz", "mark"),
        # French, Spanish, Italian, Portuguese, Dutch
        *("petit", "grand", "blanc", "blanche", "noir", "roux", "rousseau", "roman", "pierre", "claire", "marin"),
        *("martin",),
        *("boucher", "boulanger", "berger", "marchand", "mercier", "meunier", "chevalier", "leblanc", "legrand"),
        *("leroy", "roi"),
        *("bonnet", "fleur", "aimé", "désiré", "dieu", "ange", "clément", "constant", "prudent", "marine", "océane"),
        *("bon",),
        *("rey", "reyes", "cruz", "luz", "flores", "rosa", "blanco", "rubio", "moreno", "leon", "león", "dolores"),
        *("consuelo",),
        *("mercedes", "pilar", "paz", "iglesias", "torres", "campos", "prado", "vega", "rojo", "bravo", "bueno"),
        *("angeles",),
        *("rossi", "russo", "bianchi", "bianco", "verdi", "neri", "costa", "fontana", "grande", "greco", "leone"),
        *("monti",),
        *("vita", "viola", "stella", "serena", "pace", "felice", "chiara", "bella", "alba", "gioia", "lima"),
        *("silva", "santos"),
        *("pinto", "lobo", "leite", "nova", "branco", "vitória", "jong", "groot", "bakker", "visser", "meer"),
        *("boer", "beek"),
        *("dijk", "bos", "kok", "smit", "mulder", "vos", "wit", "zwart", "dekker", "kuiper", "brouwer", "post"),
        *("haan", "prins"),
        # Polish, Nordic and others
        *("nowak", "nowy", "zając", "wilk", "lis", "kot", "gołąb", "król", "kowal", "mały", "berg", "dahl", "lund"),
        *("holm",),
        *("strand", "ek", "björk", "lind", "sten", "ny", "bo", "ask", "bro", "alma", "siv", "dag", "liv", "tor"),
        *("vår", "sol"),
        *("deniz", "güneş", "yıldız", "yılmaz", "umut", "barış", "can", "su", "ay", "gül", "вера", "надежда"),
        *("любовь", "мир"),
    ]
)
"""Parts of a name that are masked alone only after a greeting or a title, or as a signature; the full name"
" always is."""

NAME_BEFORE = (
    r"hi|hello|hey|dear|mr|mrs|ms|miss|dr|prof|thanks|thank you|regards|cheers|sincerely|best wishes|my name is"
    r"|name is|name's|i am|i'm|this is"
    r"|called|hallo|liebe[rs]?|guten (?:tag|morgen|abend)|moin|servus|sehr geehrter?|frau|herrn?|familie|danke"
    r"|grüße|gruß|mein name ist|ich bin|ich heiße"
    r"|bonjour|bonsoir|salut|ch[eè]re?|m|mme|mlle|monsieur|madame|merci|cordialement|je suis|je m'appelle|hola"
    r"|buenos días|buenas tardes|estimad[oa]|querid[oa]"
    r"|señora?|sra?|gracias|saludos|soy|me llamo|mi nombre es|ciao|buongiorno|salve|gentile|car[oa]|sig|sig\.?ra"
    r"|signora?|dott|grazie|saluti|sono|mi chiamo"
    r"|olá|prezad[oa]|car[oa]|senhora?|obrigad[oa]|sou|meu nome é|beste|geachte|hoi|mevrouw|meneer|dhr|mevr"
    r"|bedankt|groet(?:en)?|ik ben|mijn naam is"
    r"|cześć|dzień dobry|witam|pani?|dziękuję|pozdrawiam|jestem|hej|hei|kära|bäste|kære|tack|tak|takk|mvh"
    r"|hälsningar|hilsen|ahoj|dobrý den|здравствуйте|привет|уважаем\w+|спасибо|merhaba|sayın"
)
"""What stands right before a name."""
