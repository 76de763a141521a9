"""XML of Zendesk, Jira, ServiceNow and Stack Exchange; Freshdesk's is in test_freshdesk.py."""

from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import BROKEN_OFF, LeftOut
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, prepared, read, read_all, said, write

ZENDESK_XML = """<?xml version="1.0" encoding="UTF-8"?>
<tickets type="array"><ticket><nice-id type="integer">31</nice-id><subject>Kettle</subject><status-id>4</status-id>
<description>It leaks.</description><requester-id type="integer">7</requester-id><submitter-id>7</submitter-id>
<current-tags>kettle leak</current-tags><created-at type="datetime">2025-01-02T10:00:00Z</created-at>
<comments type="array">
<comment><author-id>7</author-id><is-public type="boolean">true</is-public><value>It leaks.</value></comment>
<comment><author-id>9</author-id><is-public type="boolean">false</is-public><value>Third one today.</value></comment>
<comment><author-id>9</author-id><is-public >true</is-public><value>Turn the lid &amp; wait.</value></comment>
<comment><author-id>9</author-id><is-public>true</is-public><via-id>8</via-id><value>We got your mail.</value></comment>
</comments></ticket></tickets>
"""
USERS_XML = """<users type="array"><user><id>7</id><name>Ada Lane</name><email>ada@example.org</email>
<is-active>true</is-active><roles>0</roles></user>
<user><id>9</id><name>Ben Holt</name><is-active>true</is-active><roles>4</roles></user></users>
"""
JIRA_XML = """<?xml version="1.0" encoding="UTF-8"?><rss version="0.92"><channel><title>Issues</title>
<item><title>[K-1] Kettle</title><key id="100">K-1</key><summary>Kettle</summary>
<description>&lt;p&gt;It leaks.&lt;/p&gt;</description><status id="6">Done</status>
<reporter username="ada">Ada Lane</reporter><assignee username="ben">Ben Holt</assignee>
<labels><label>leak</label></labels><created>Thu, 2 Jan 2025 10:00:00 +0000</created>
<comments>
<comment id="1" author="ben" created="Thu, 2 Jan 2025 11:00:00 +0000">&lt;p&gt;Turn the lid.&lt;/p&gt;</comment>
<comment id="2" author="ben" rolelevel="Team" created="Thu, 2 Jan 2025 11:01:00 +0000">Third one.</comment>
<comment id="3" author="ada" created="Thu, 2 Jan 2025 12:00:00 +0000">It is dry.</comment></comments></item>
<item><title>[K-2] Lid</title><key id="101">K-2</key><summary>Lid</summary><description>Which lid fits?</description>
<reporter username="cara">Cara</reporter>
<comments>
<comment id="4" author="ben" created="Thu, 2 Jan 2025 11:00:00 +0000">The blue one.</comment></comments></item>
</channel></rss>
"""
JOURNAL_XML = """<?xml version="1.0" encoding="UTF-8"?><unload unload_date="2025-01-03 10:00:00">
<incident action="INSERT_OR_UPDATE"><sys_id>a1</sys_id><number>INC1</number>
<caller_id display_value="Ada Lane">77</caller_id><short_description>Kettle</short_description>
<description>It leaks.</description><sys_created_on>2025-01-02 10:00:00</sys_created_on></incident>
<sys_journal_field><element>comments</element><element_id>a1</element_id><value>Turn the lid.</value>
<sys_created_by>ben</sys_created_by><sys_created_on>2025-01-02 11:00:00</sys_created_on></sys_journal_field>
<sys_journal_field><element>work_notes</element><element_id>a1</element_id><value>Third one.</value>
<sys_created_by>ben</sys_created_by><sys_created_on>2025-01-02 11:05:00</sys_created_on></sys_journal_field></unload>
"""
POSTS_XML = """<?xml version="1.0" encoding="utf-8"?><posts>
<row Id="3" PostTypeId="2" ParentId="1" Body="&lt;p&gt;Buy another.&lt;/p&gt;" Score="9" OwnerUserId="8"/>
<row Id="1" PostTypeId="1" AcceptedAnswerId="2" Title="Kettle" Body="&lt;p&gt;It leaks.&lt;/p&gt;" OwnerUserId="7"
 Tags="&lt;kettle&gt;&lt;leak&gt;" CreationDate="2025-01-02T10:00:00.000"/>
<row Id="2" PostTypeId="2" ParentId="1" Body="&lt;p&gt;Turn the lid.&lt;/p&gt;" Score="1" OwnerUserId="9"/>
<row Id="4" PostTypeId="1" Title="Lid" Body="&lt;p&gt;Which?&lt;/p&gt;" OwnerDisplayName="cara"/>
<row Id="5" PostTypeId="2" ParentId="4" Body="&lt;p&gt;None.&lt;/p&gt;" Score="-2" OwnerUserId="9"/>
<row Id="6" PostTypeId="5" Body="About kettles"/></posts>
"""


def test_zendesk_xml_is_read_as_its_json(tmp_path: Path) -> None:
    tickets, users = write(tmp_path / "tickets.xml", ZENDESK_XML), write(tmp_path / "users.xml", USERS_XML)
    found = only(users, tickets)
    assert said(found) == [
        ("user", "public", "It leaks."),
        ("assistant", "note", "Third one today."),
        ("assistant", "public", "Turn the lid & wait."),
        ("assistant", "system", "We got your mail."),
    ]
    assert (found.id, found.status, found.tags) == ("31", "closed", ("kettle", "leak"))
    assert {"Ada Lane", "Ben Holt", "ada@example.org"} <= set(found.people)
    assert detect([tickets]).format == "zendesk"


def test_jira_xml_has_the_comments_of_the_issue(tmp_path: Path) -> None:
    path = write(tmp_path / "SearchRequest.xml", JIRA_XML)
    first, second = read(path)
    assert said(first) == [
        ("user", "public", "<p>It leaks.</p>"),
        ("assistant", "public", "<p>Turn the lid.</p>"),
        ("assistant", "note", "Third one."),
        ("user", "public", "It is dry."),
    ]
    assert (first.id, first.tags, first.status, first.customer) == ("K-1", ("leak",), "Done", "ada")
    assert {"Ada Lane", "Ben Holt"} <= set(first.people) and first.messages[0].html
    assert said(second)[1] == ("assistant", "public", "The blue one.")
    assert "do not say which comments are internal" in " ".join(detect([path]).cautions)


def test_servicenow_xml_joins_the_journal_to_its_incident(tmp_path: Path) -> None:
    found = only(write(tmp_path / "incident.xml", JOURNAL_XML))
    assert said(found) == [
        ("user", "public", "It leaks."),
        ("assistant", "public", "Turn the lid."),
        ("assistant", "note", "Third one."),
    ]
    assert (found.id, found.customer) == ("INC1", "Ada Lane")


def test_of_a_question_on_stack_exchange_the_accepted_answer_is_learnt(tmp_path: Path) -> None:
    users = '<users><row Id="9" Reputation="5" DisplayName="Ben Holt"/></users>'
    first, second = read(write(tmp_path / "Users.xml", users), write(tmp_path / "Posts.xml", POSTS_XML))
    assert said(first)[1:] == [
        ("assistant", "outvoted", "<p>Buy another.</p>"),
        ("assistant", "public", "<p>Turn the lid.</p>"),
    ]
    assert (first.subject, first.tags, first.people) == ("Kettle", ("kettle", "leak"), ("Ben Holt",))
    assert [kind for _, kind, _ in said(second)] == ["public", "outvoted"]
    report, _ = prepared([tmp_path / "Posts.xml"], tmp_path / "out")
    assert report.messages_left_out["another answer was accepted"] == 2


def test_questions_of_the_stack_exchange_api_bring_their_answers(tmp_path: Path) -> None:
    answers = [
        {"answer_id": 2, "score": 1, "is_accepted": False, "body": "<p>No.</p>", "owner": {"display_name": "Cara"}},
        {"answer_id": 3, "score": 4, "is_accepted": False, "body": "<p>Yes.</p>", "owner": {"display_name": "Ben"}},
    ]
    question = {"question_id": 1, "title": "Lid", "body": "<p>Fits?</p>", "tags": ["lid"], "answers": answers}
    found = only(write(tmp_path / "q.json", {"items": [question], "has_more": False}))
    assert [kind for _, kind, _ in said(found)] == ["public", "outvoted", "public"]


def test_questions_alone_are_refused_with_their_own_words(tmp_path: Path) -> None:
    posts = '<posts><row Id="1" PostTypeId="1" Title="Lid" Body="Which?"/></posts>'
    with pytest.raises(TicketsError, match="questions without any answers"):
        detect([write(tmp_path / "Posts.xml", posts)])


def test_xml_of_nobody_names_its_elements_and_who_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "o.xml", "<orders><order><colour>red</colour><price>5</price></order></orders>")
    with pytest.raises(TicketsError, match="elements are colour, price") as caught:
        detect([path])
    assert "Jira" in caught.value.remedy and "Stack Exchange" in caught.value.remedy


def test_xml_that_breaks_off_keeps_what_was_whole(tmp_path: Path) -> None:
    cut = JIRA_XML[: JIRA_XML.index("The blue one")]
    items = read_all(write(tmp_path / "cut.xml", cut))
    assert [item.reason for item in items if isinstance(item, LeftOut)] == [BROKEN_OFF]
    assert len(items) == 2
