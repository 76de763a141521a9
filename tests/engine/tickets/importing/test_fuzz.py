"""Random damage to exports: a reader gives conversations or one sentence, never a traceback.

The longer run is ``python -m tests.engine.tickets.importing.test_fuzz MINUTES``.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import StudioError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files.sources import find_sources
from engine.tickets.importing.format_plan import plan
from engine.tickets.importing.readers import READERS, mail, table
from engine.tickets.importing.reading import read_conversations
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import FORMATS, SourceOverrides
from engine.tickets.preparing.conversation_step import Tidied, tidy
from tests.engine.tickets.exports import comment, lines, workbook, zendesk
from tests.engine.tickets.importing.files.test_columnar import TALKS, arrow_stream, parquet
from tests.engine.tickets.importing.readers.test_chat import ASKED, GOOD
from tests.engine.tickets.importing.readers.test_communities import CHAT_EXPORT, ISSUE, REST_COMMENT, TOPIC, discord
from tests.engine.tickets.importing.readers.test_freshdesk import TICKET, XML
from tests.engine.tickets.importing.readers.test_helpscout import V1, V2
from tests.engine.tickets.importing.readers.test_hubspot import CRM, MESSAGES
from tests.engine.tickets.importing.readers.test_hubspot import TICKET as CRM_TICKET
from tests.engine.tickets.importing.readers.test_intercom import author, conversation, part
from tests.engine.tickets.importing.readers.test_jira import HEADER, ROW
from tests.engine.tickets.importing.readers.test_mail import ANSWER, AWAY, QUESTION, mbox
from tests.engine.tickets.importing.readers.test_mailing_lists import ARCHIVE
from tests.engine.tickets.importing.readers.test_one_ticket_at_a_time import (
    front_message,
    hubspot_message,
    reply,
    thread,
    zendesk_comment,
    zoho_thread,
)
from tests.engine.tickets.importing.readers.test_other_desks import (
    ARTICLES,
    WHMCS,
    ZAMMAD,
    chatwoot,
    front,
    gorgias,
    osticket,
    zoho,
)
from tests.engine.tickets.importing.readers.test_salesforce import CASES, COMMENTS, MAILS
from tests.engine.tickets.importing.readers.test_servicenow import HEADER as JOURNAL_HEADER
from tests.engine.tickets.importing.readers.test_servicenow import ROW as JOURNAL_ROW
from tests.engine.tickets.importing.readers.test_small_desks import CASE, CLASSIC, GROOVE, LIVEAGENT, POSTS
from tests.engine.tickets.importing.readers.test_small_desks import MAILS as GROUPS
from tests.engine.tickets.importing.readers.test_table import LONG, two_sides
from tests.engine.tickets.importing.readers.test_team_chats import ENCRYPTED, HELP, MESSENGER, PAGE, USERS
from tests.engine.tickets.importing.readers.test_website_chats import (
    CRISP,
    DRIFT,
    FRESHCHAT,
    LIVECHAT,
    OLD_LIVECHAT,
    TAWK,
    TIDIO,
    ZOPIM,
)
from tests.engine.tickets.importing.readers.test_whatsapp import ANDROID, IOS
from tests.engine.tickets.importing.readers.test_xml_exports import JIRA_XML, JOURNAL_XML, POSTS_XML, ZENDESK_XML
from tests.engine.tickets.importing.readers.test_zendesk import CHAT

JSON: list[object] = [
    zendesk(1),
    TICKET,
    conversation(part("comment", "<p>Ok</p>", author("admin", 2))),
    *MESSAGES[:2],
    *CRM[:3],
    CRM_TICKET,
    V1,
    V2,
    {**ZAMMAD, "articles": ARTICLES},
    gorgias(1, False),
    front(1, True),
    zoho(1, "in"),
    osticket(1, "M", "Ada"),
    chatwoot(1, 0, "Contact"),
    {"id": 4, "meta": {"sender": {"id": 9}}, "messages": [chatwoot(1, 0, "Contact"), chatwoot(2, 1, "AgentBot")]},
    {"Ticket": [{"TicketID": "7", "Article": [{"SenderType": "agent", "Body": "a", "IsVisibleForCustomer": "1"}]}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"speaker": "Visitor", "text": "a"}, {"speaker": "zygote", "text": "b", "rating": -1}]},
    {"messages": [ASKED, {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}, GOOD]},
    {"messages": json.dumps([ASKED, GOOD]), "label": False},
    {"prompt": [ASKED], "chosen": [GOOD], "rejected": "\n\nHuman: a\n\nAssistant: b"},
    {"input": {"messages": [ASKED]}, "preferred_output": [GOOD], "non_preferred_output": []},
    zendesk(2, comment(9, CHAT), requester={"id": 7, "name": "Ada"}, subject="Chat with Ada"),
    {"instruction": "a", "output": "b"},
    HELP[0],
    HELP[-1],
    *(zendesk_comment(7, 10), reply(9, 11), thread("message", 11), front_message(True, 10), zoho_thread("in", 10)),
    hubspot_message("V-1", 10),
    USERS[0],
    MESSENGER[2],
    ENCRYPTED[0],
    PAGE["value"][0],
    *(CRISP[1], CRISP[5], FRESHCHAT[0], LIVECHAT, OLD_LIVECHAT, TAWK, DRIFT[0], ZOPIM),
    CHAT_EXPORT,
    *CHAT_EXPORT["messages"][:2],
    discord(1, "ada", "Dark?"),
    ISSUE,
    WHMCS,
    *(GROOVE[0], {**CASE, "posts": POSTS}, POSTS[0], {**LIVEAGENT, "messages": GROUPS}, GROUPS[0]),
    REST_COMMENT,
    TOPIC,
    TOPIC["post_stream"]["posts"][1],
    {
        "key": "S-1",
        "fields": {"summary": "a", "comment": {"comments": [{"author": {}, "body": {"type": "doc", "content": []}}]}},
    },
    {"element": "comments", "element_id": "1", "value": "x", "sys_created_by": "a"},
]
SEEDS: list[bytes] = [
    *(json.dumps([value, value], indent=1).encode() for value in JSON),
    *(lines(value, value).encode() for value in JSON if isinstance(value, dict)),
    json.dumps({"tickets": JSON[:1] * 3}).encode(),
    XML.encode(),
    ZENDESK_XML.encode(),
    JIRA_XML.encode(),
    POSTS_XML.encode(),
    JOURNAL_XML.encode(),
    (HEADER + ROW * 3).encode(),
    (JOURNAL_HEADER + JOURNAL_ROW * 3).encode("cp1252"),
    LONG.encode(),
    two_sides("incoming", "true", "false").encode(),
    two_sides("type", "1", "0").encode(),
    b'question,answer\n"a \\"b\\"","c\\\\\nd"\n\'=a,"=""b"""\nc.\\nD,e\n',
    ('ticket,messages\n1,"' + json.dumps([ASKED, GOOD]).replace('"', '""') + '"\n').encode(),
    ARCHIVE.encode(),
    IOS.encode(),
    CASES.encode(),
    TIDIO.encode(),
    MAILS.encode(),
    COMMENTS.encode(),
    CLASSIC.encode(),
    ANDROID.format("1/2/26, 10:00 PM", "1/3/26, 1:05 AM").encode(),
    "question;answer\n".encode("utf-16") + "a;b\n".encode("utf-16-le") * 9,
    parquet(TALKS),
    arrow_stream(TALKS),
    mbox(QUESTION, ANSWER, AWAY),
    b"tweet_id,author_id,inbound,created_at,text,in_response_to_tweet_id\n1,a,True,,x,\n2,b,False,,y,1\n3,a,True,,z,3\n",
    b'"Subject","Body","From: (Name)","From: (Address)","To: (Address)"\n"a","b","c","d@e.f","g@h.i"\n',
    ANSWER,
    workbook({"A": [["question", "answer"], ["a", "b"]]}),
    workbook({"A": [["question", "answer"], ["a", (0.5, "0.0%")], [(46096, "dd.mm.yyyy"), ("=", "A1")]]}),
]
TOKENS = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b";",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"null",
    b"1e999",
    b"-",
    b"<",
    b">",
    b"&a;",
    b"From ",
    b"\\ud800",
]


def nested(depth: int) -> object:
    """Lists in lists, as deep as JSON parsers go."""
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


ODD: list[object] = [
    *(None, True, 0, -1.5, "", "x", [], {}, [None], {"a": 1}, [[]], "2025-01-01", {"name": None}, [{"name": 1}]),
    *(10**40, -(10**400), 1e308, "9" * 400, "\0", "a\0b", "\ud800", {"\ud800": 1}, nested(900), {"": {"": ""}}),
]
"""What stands where something else is expected."""

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def survives(content: bytes, overrides: SourceOverrides | None = None) -> None:
    """Read the bytes as an export; a sentence is fine, any other exception is not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(content)
        try:
            detect([path], overrides)
            for item in read_conversations(plan(find_sources([path]), overrides or SourceOverrides())):
                tidied = tidy(item, PrepareOptions(mask=False)) if hasattr(item, "messages") else item
                if isinstance(tidied, Tidied) and not tidied.reason:
                    json.loads(tidied.line)
        except StudioError as error:
            assert str(error)
            # The net under the readers is for users; here it would hide what fuzzing looks for.
            assert "is not built like those of" not in error.message


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Cut, repeat, flip and insert a few times."""
    raw = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        at, size = dice.randrange(len(raw) + 1), dice.randint(1, 40)
        match dice.randrange(6):
            case 0:
                del raw[at : at + size]
            case 1:
                raw[at:at] = dice.choice(TOKENS)
            case 2:
                raw[at:at] = raw[at : at + size]
            case 3 if at < len(raw):
                raw[at] = dice.randrange(256)
            case 4:
                del raw[at:]
            case _:
                raw[at : at + size] = dice.choice(TOKENS) * dice.randint(1, 4)
    return bytes(raw)


def mutated(value: object, dice: random.Random) -> object:
    """Put values of the wrong kind into a record."""
    if dice.random() < 0.12:
        return dice.choice(ODD)
    if isinstance(value, dict):
        return {key: mutated(inner, dice) for key, inner in value.items() if dice.random() > 0.04}
    if isinstance(value, list):
        return [mutated(inner, dice) for inner in value for _ in range(dice.choice((1, 1, 1, 2)))]
    return value


settings.register_profile(
    "fuzz", database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def test_every_reader_has_an_export_that_is_damaged_here(tmp_path: Path) -> None:
    told = set[str]()
    for number, content in enumerate(SEEDS):
        path = tmp_path / str(number)
        path.write_bytes(content)
        told.update(format for _, format in _detected(path))
    assert {reader.FORMAT for reader in READERS} | {table.FORMAT, mail.FORMAT} == told


def _detected(path: Path) -> tuple[tuple[str, str], ...]:
    try:
        return detect([path]).files
    except StudioError:
        return ()  # users and actors alone, which only help beside what they belong to


@settings(settings.get_profile("fuzz"), max_examples=150)
@given(st.integers(0, len(SEEDS) - 1), st.randoms(use_true_random=False))
def test_damaged_exports_never_break_a_reader(seed: int, dice: random.Random) -> None:
    survives(damaged(SEEDS[seed], dice))


@settings(settings.get_profile("fuzz"), max_examples=150)
@given(st.integers(0, len(JSON) - 1), st.randoms(use_true_random=False))
def test_values_of_the_wrong_kind_never_break_a_reader(seed: int, dice: random.Random) -> None:
    record = mutated(JSON[seed], dice)
    survives(json.dumps([record, JSON[seed]]).encode())


@settings(settings.get_profile("fuzz"), max_examples=80)
@given(st.binary(max_size=400))
def test_random_bytes_never_break_anything(content: bytes) -> None:
    survives(content)


@settings(settings.get_profile("fuzz"), max_examples=80)
@given(st.lists(st.dictionaries(st.text(max_size=10), junk, max_size=5), max_size=5), st.sampled_from(FORMATS))
def test_any_json_under_any_format_never_breaks_a_reader(records: list[dict[str, object]], name: str) -> None:
    survives(json.dumps(records).encode(), SourceOverrides(format=name))


def main(minutes: float) -> None:
    """Fuzz for some minutes with fresh dice; print what broke and how to repeat it."""
    until, count = time.monotonic() + minutes * 60, 0
    while time.monotonic() < until:
        seed = random.SystemRandom().getrandbits(48)
        dice = random.Random(seed)
        if dice.random() < 0.5:
            content = damaged(dice.choice(SEEDS), dice)
        else:
            value = dice.choice(JSON)
            content = json.dumps([mutated(value, dice), value]).encode()
        began = time.monotonic()
        try:
            survives(content, SourceOverrides(format=dice.choice(FORMATS)) if dice.random() < 0.2 else None)
        except Exception:
            print(f"broken by dice {seed}: {content[:300]!r}", file=sys.stderr)
            raise
        assert time.monotonic() - began < 10, f"slow: dice {seed}"
        count += 1
    print(f"{count:,} exports, none broke a reader")


if __name__ == "__main__":
    main(float(sys.argv[1]))
