"""A stream of XML -> records as :mod:`engine.tickets.importing.files.records` yields them from JSON.

Reads Freshdesk's account export. No entity is expanded, no document type is fetched, nothing outside of the file is
opened; memory is bounded by the largest ticket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from engine.errors import TicketsError
from engine.tickets.conversation import DAMAGED, LeftOut, broken_off, excerpt
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.sources import Source

TICKET_TAG = "helpdesk-ticket"
_DEEPEST = 100
_ENDS_EARLY = frozenset((3, 5))
"""expat's codes for no element found and for an unclosed token (XML_ERROR_NO_ELEMENTS, XML_ERROR_UNCLOSED_TOKEN)."""


def read_xml(source: Source) -> Iterator[Record | LeftOut]:
    """Yield every ticket element as a record; ``-`` in names becomes ``_``.

    A file that ends early gives the tickets up to there and one :class:`LeftOut`.

    Raises:
        TicketsError: The file defines entities, is nested too deep, or is not XML.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    count, depth = 0, 0
    open_elements: list[Element] = []
    with source.open() as stream:
        try:
            for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=False):
                if event == "start":
                    depth += 1
                    open_elements.append(element)
                    if depth > _DEEPEST:
                        raise TicketsError(
                            f"{source.name} is nested more than {_DEEPEST} deep.", "This is no ticket export."
                        )
                    continue
                depth -= 1
                open_elements.pop()
                if element.tag == TICKET_TAG:
                    count += 1
                    value = _value(element)
                    if isinstance(value, dict):
                        yield Record(value, source.name, f"ticket {count}")
                if element.tag == TICKET_TAG or depth == 1:
                    element.clear()
                    if open_elements and depth == 1:
                        open_elements[-1].clear()
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


def _value(element: Element) -> Any:
    if element.get("nil") == "true":
        return None
    children = list(element)
    if not children:
        return [] if element.get("type") == "array" else element.text or ""
    if element.get("type") == "array" or len({child.tag for child in children}) == 1 < len(children):
        return [_value(child) for child in children]
    if len(children) == 1 and children[0].tag == element.tag.rstrip("s"):
        return [_value(children[0])]
    value: dict[str, Any] = {}
    for child in children:
        value[child.tag.replace("-", "_")] = _value(child)
    return value
