"""A stream of XML -> records as :mod:`engine.tickets.importing.files.records` yields them from JSON.

A record is what stands directly in the root, an item of an RSS feed (Jira), or a ticket of Freshdesk's account export.
No entity is expanded, no document type is fetched, nothing outside of the file is opened; memory is bounded by the
largest record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from engine.errors import TicketsError
from engine.tickets.conversation import DAMAGED, LeftOut, broken_off, excerpt
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.sources import Source

VALUE = "value"
"""The key of an element's text beside its attributes."""
_INNER_RECORDS = {"helpdesk-tickets": "helpdesk-ticket", "rss": "item"}
"""Root -> the elements inside that are records; for every other root its children are."""
_TICKET_TAG = "helpdesk-ticket"
_DEEPEST = 100
_ENDS_EARLY = frozenset((3, 5))
"""expat's codes for no element found and for an unclosed token (XML_ERROR_NO_ELEMENTS, XML_ERROR_UNCLOSED_TOKEN)."""
_ABOUT_THE_VALUE = ("type", "nil")
"""Attributes that say of what kind an element's text is (Rails)."""


def read_xml(source: Source) -> Iterator[Record | LeftOut]:
    """Yield every record; ``-`` in names becomes ``_``, attributes are keys like the elements inside.

    A file that ends early gives the records up to there and one :class:`LeftOut`.

    Raises:
        TicketsError: The file defines entities, is nested too deep, or is not XML.
    """
    from defusedxml import DefusedXmlException

    count = 0
    with source.open() as stream:
        try:
            for element in _elements(stream, source.name):
                count += 1
                value = _value(element)
                if isinstance(value, dict):
                    yield Record(value, source.name, f"ticket {count}")
        except DefusedXmlException as error:
            raise TicketsError(
                f"{source.name} defines XML entities, which an export does not do and which can be an attack.",
                "Download the export again from the help desk itself.",
            ) from error
        except (ParseError, ValueError, LookupError) as error:
            if not count:
                raise TicketsError(
                    f"{source.name} is not XML that can be read ({error}).", "Download it again."
                ) from error
            place = f"ticket {count + 1} of {source.name}"
            if isinstance(error, ParseError) and error.code in _ENDS_EARLY:
                yield broken_off(place, source.name, count, stream.tell())
            else:
                yield LeftOut(place, DAMAGED, excerpt(str(error)))


def _elements(stream: Any, name: str) -> Iterator[Element]:
    """Yield the elements that are records, and forget each behind it."""
    from defusedxml.ElementTree import iterparse

    opened: list[Element] = []
    inner = ""
    for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=False):
        if event == "start":
            if not opened:
                inner = _INNER_RECORDS.get(element.tag, "")
            opened.append(element)
            if len(opened) > _DEEPEST:
                raise TicketsError(f"{name} is nested more than {_DEEPEST} deep.", "This is no ticket export.")
            continue
        opened.pop()
        is_record = element.tag in (inner, _TICKET_TAG) or (not inner and len(opened) == 1)
        if is_record:
            yield element
        if is_record or len(opened) == 1:
            element.clear()
            if opened and (len(opened) == 1 or element.tag == "item"):
                opened[-1].clear()


def _value(element: Element) -> Any:
    if element.get("nil") == "true":
        return None
    own = {_key(name): text for name, text in element.items() if name not in _ABOUT_THE_VALUE}
    children = list(element)
    if not children:
        bare: Any = [] if element.get("type") == "array" else element.text or ""
        if own and isinstance(bare, str):
            return {**own, VALUE: bare} if bare.strip() else own
        return bare
    if element.get("type") == "array" or len({child.tag for child in children}) == 1 < len(children):
        return [_value(child) for child in children]
    if len(children) == 1 and children[0].tag == element.tag.rstrip("s"):
        return [_value(children[0])]
    times = Counter(child.tag for child in children)
    value: dict[str, Any] = {**own}
    for child in children:
        if times[child.tag] > 1:
            listed = value.setdefault(_key(child.tag), [])
            if isinstance(listed, list):
                listed.append(_value(child))
        else:
            value[_key(child.tag)] = _value(child)
    return value


def _key(name: str) -> str:
    return name.replace("-", "_")
