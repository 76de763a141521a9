"""How mail programs announce an older message, in the languages of the help desks we know.

The tables lie in :mod:`engine.tickets.privacy.words`. Their sources: the test corpora of talon, mail-parser-reply and
email_reply_parser, and the wording that Gmail, Outlook, Apple Mail and Thunderbird use in each language.
"""

import re

from engine.tickets.privacy.words import entries, pattern

Field = str
"""One of from, date, to, subject, other."""

WROTE = pattern("wrote")
"""Verbs between letters; :data:`WROTE_UNSPACED` holds those of the scripts that put no spaces."""
WROTE_UNSPACED = pattern("wrote_unspaced")
STARTS = pattern("reply_header_starts")
"""First words of 'On Monday ... wrote:'."""
ORIGINAL_MESSAGE = pattern("original_message")
FORWARDED_MESSAGE = pattern("forwarded_message")

HEADER_FIELDS: dict[str, Field] = {
    label: field for field, _, label in (line.partition(": ") for line in entries("header_labels"))
}
"""Label in lower case, without the colon -> what it labels."""

REPLY_LINE = re.compile(pattern("reply_line"), re.IGNORECASE)
"""'##- Please type your reply above this line -##' and its kin; Zendesk, Freshdesk, Help Scout, Jira."""
