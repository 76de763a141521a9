"""How each stream of an import is going to be read: decided by looking into it, never by its name.

Owns the decision only: reading is done by :mod:`engine.tickets.importing.reading`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut
from engine.tickets.dates import day_order
from engine.tickets.importing.columns import (
    OF_MESSAGES,
    ROLES,
    WRITERS,
    check_mapping,
    guess_columns,
    known_headers,
    likely_columns,
    yes_means,
)
from engine.tickets.importing.files.columnar import read_objects
from engine.tickets.importing.files.encodings import find_encoding, known_encoding
from engine.tickets.importing.files.json_cells import json_fields, unpacked
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.rows import Layout, Row, as_records, find_layout, read_rows, workbook_layouts
from engine.tickets.importing.files.sources import Source
from engine.tickets.importing.files.xml_records import read_xml
from engine.tickets.importing.metadata_only import MetadataOnly, metadata_only
from engine.tickets.importing.not_tickets import NotTickets, refuse_records, refuse_text
from engine.tickets.importing.planned import Family, Plan, only_yes_no
from engine.tickets.importing.readable import check_readable
from engine.tickets.importing.readers import READERS, Reader, cautions, chat, mail, table, whatsapp
from engine.tickets.importing.readers.fields import cell
from engine.tickets.importing.readers.xml_exports import as_json
from engine.tickets.overrides import FORMATS, SourceOverrides

SAMPLE_RECORDS = 60
MOST_COLUMNS = 16_384
"""As many as Excel knows (Microsoft, 'Excel specifications and limits')."""
MOST_LINES = 50_000_000
"""Of a table, or of JSON in lines."""
LOOK_FOR_MESSAGES = 20_000
"""So many records are looked at before an export is said to hold no messages at all."""


def plan(sources: Sequence[Source], overrides: SourceOverrides) -> list[Plan]:
    """Decide for each stream how it is read.

    A stream of mere metadata stays as long as another of its format brings the messages; it is left out when only other
    formats do.

    Raises:
        TicketsError: A stream cannot be read, or none holds any messages.
    """
    if overrides.format and overrides.format not in FORMATS:
        raise TicketsError(f"There is no format {overrides.format!r}.", f"The formats are {', '.join(FORMATS)}.")
    plans: list[Plan] = []
    failures: list[TicketsError] = []
    for source in sources:
        # Of an export in thousands of files, most are of the kind of the one before.
        likely = plans[-1].reader if plans and source.packing == "zip" else None
        try:
            plans.extend(_plans(source, overrides, likely))
        except TicketsError as error:
            # A readme beside the export is no reason to refuse the archive.
            if source.packing != "zip":
                raise
            failures.append(error)
    if not overrides.mapping and not overrides.format:
        plans = _without_strangers(plans)
    spoken = {entry.format for entry in plans if entry.refusal is None}
    usable = [entry for entry in plans if entry.format in spoken and (entry.reader or entry.refusal is None)]
    if not usable and plans:
        raise TicketsError(*(plans[0].refusal or ("", "")))
    if not usable or not any(map(_is_clear, usable)):
        named = [failure for failure in failures if isinstance(failure, NotTickets)]
        if named or not usable:
            raise (named or failures)[0]
    if beside := [shown for source in sources for shown in source.beside]:
        told = f"{_some(beside)}: no ticket export; passed over."
        usable = [*usable[:-1], replace(usable[-1], cautions=(*usable[-1].cautions, told))]
    return [replace(entry, agents=overrides.agents) for entry in usable] if overrides.agents else usable


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")


def _plans(source: Source, overrides: SourceOverrides, likely: Reader | None) -> list[Plan]:
    """Plan a stream; a workbook has a plan for each sheet of the same columns."""
    if not source.workbook:
        return [_plan(source, overrides, likely)]
    layouts = workbook_layouts(source, overrides.sheet)
    if len(layouts) == 1:
        return [_table_plan(source, layouts[0], overrides)]
    names = [f"{source.name}: {layout.place}" for layout in layouts]
    return [
        _table_plan(replace(source, name=name), layout, overrides) for name, layout in zip(names, layouts, strict=True)
    ]


def _without_strangers(plans: Sequence[Plan]) -> list[Plan]:
    """Pass over what stands beside a vendor's files and holds no conversation, such as its accounts, and say so."""
    strangers = [entry for entry in plans if entry.refusal is None and not _is_clear(entry)]
    known = [entry for entry in plans if entry not in strangers]
    if not strangers or not any(entry.reader or entry.family == "mail" for entry in known):
        return list(plans)
    names = _some([entry.source.name for entry in strangers])
    told = f"{names}: no conversation could be made out in {'it' if len(strangers) == 1 else 'them'}; passed over."
    return [*known[:-1], replace(known[-1], cautions=(*known[-1].cautions, told))]


def _is_clear(entry: Plan) -> bool:
    try:
        check_readable(entry)
    except TicketsError:
        return False
    return True


def _plan(source: Source, overrides: SourceOverrides, likely: Reader | None) -> Plan:
    if source.columnar:
        return _json_plan(source, "", overrides, likely)
    raw = source.head(1 << 16)
    _check_lines(source, raw)
    encoding = known_encoding(overrides.encoding) if overrides.encoding else find_encoding(source)
    head = raw.decode(encoding, "replace").lstrip("\ufeff \t\r\n\x00")
    if not head:
        raise TicketsError(f"{source.name} holds nothing but blanks.", "Download the export again.")
    if chatted := whatsapp.evidence_in(head) if overrides.format in ("", whatsapp.FORMAT) else "":
        reader = next(reader for reader in READERS if reader is whatsapp)
        return Plan(source, "text", whatsapp.FORMAT, whatsapp.LABEL, chatted, encoding, reader=reader)
    refuse_text(source.name, head)
    if head[0] in "{[" and overrides.format != table.FORMAT:
        return _json_plan(source, encoding, overrides, likely)
    if head[0] == "<":
        return _xml_plan(source, head, encoding, overrides)
    told = mail.evidence(head) if overrides.format in ("", mail.FORMAT) else ""
    if told or overrides.format == mail.FORMAT:
        return Plan(source, "mail", mail.FORMAT, mail.LABEL, told or "chosen by you", encoding)
    return _table_plan(source, find_layout(source, encoding, overrides.delimiter), overrides)


def _json_plan(source: Source, encoding: str, overrides: SourceOverrides, likely: Reader | None) -> Plan:
    sample: list[Record] = []
    damaged: list[LeftOut] = []
    for item in islice(read_objects(source, encoding), SAMPLE_RECORDS):
        if isinstance(item, Record):
            sample.append(item)
        else:
            damaged.append(item)
    if not sample and damaged:
        raise TicketsError(
            f"{source.name} begins like JSON, and not one record of it can be read "
            f"({damaged[0].ticket}: {damaged[0].excerpt[:120]}).",
            "Download the export again; it may have been cut off.",
        )
    _check_width(source.name, max((len(record.value) for record in sample), default=0), "keys")
    if not any(record.value for record in sample):
        what = source.columnar or "JSON"
        raise TicketsError(f"{source.name} is {what} without a single record in it.", "Check that the export finished.")
    refuse_records(source.name, sample[0].value)
    packed = json_fields(sample)
    sample = list(unpacked(sample, packed))
    if source.columnar and not overrides.mapping and (listing := metadata_only(tuple(sample[0].value))):
        return _refused(source, "json", listing, encoding)
    if overrides.mapping:
        return _objects_plan(source, encoding, sample, overrides)
    known = [likely] if likely and all(likely.evidence(record.value) for record in sample) else []
    if winner := _vote(sample, known or _readers_of(sample, source), overrides):
        reader, told = winner
        plan = Plan(source, "json", reader.FORMAT, reader.LABEL, told, encoding, reader=reader, json_fields=packed)
        return _looked_into(plan, sample, lambda: unpacked(_only_records(read_objects(source, encoding)), packed))
    return _objects_plan(source, encoding, sample, overrides)


def _readers_of(sample: Sequence[Record], source: Source) -> Sequence[Reader]:
    """Return who may read these records; rows of columns in which nothing is nested are a table's."""
    if not source.columnar or any(isinstance(inner, dict | list) for row in sample for inner in row.value.values()):
        return READERS
    return [reader for reader in READERS if reader.IN_TABLES or _speaks_in(reader, sample, sample, is_packed=False)]


def _refused(source: Source, family: Family, listing: MetadataOnly, encoding: str) -> Plan:
    """Plan what is known to hold no conversation."""
    refusal = (f"{source.name}: {listing.message}", listing.remedy)
    return Plan(source, family, listing.format, listing.label, "its columns", encoding, refusal=refusal)


def _vote(sample: Sequence[Record], readers: Iterable[Reader], overrides: SourceOverrides) -> tuple[Reader, str] | None:
    """Let every reader look at the sample; the one that knows most records wins, with its evidence in words."""
    best: tuple[Reader, list[str]] | None = None
    for reader in readers:
        if overrides.format not in ("", reader.FORMAT):
            continue
        evidence = [told for record in sample if (told := reader.evidence(record.value))]
        if evidence and (best is None or len(evidence) > len(best[1])):
            best = (reader, evidence)
    if best is None:
        chosen = next((reader for reader in readers if overrides.format == reader.FORMAT), None)
        return (chosen, "chosen by you") if chosen else None
    reader, evidence = best
    told = Counter(evidence).most_common(1)[0][0]
    if len(evidence) < len(sample):
        return reader, f"{told} in {len(evidence)} of the first {len(sample)} records"
    whole = len(sample) < SAMPLE_RECORDS
    return reader, f"{told} in {'every record' if whole else f'each of the first {len(sample)} records'}"


def _looked_into(entry: Plan, sample: Sequence[Record], again: Callable[[], Iterator[Record]]) -> Plan:
    """Say what the records cannot tell, and mark a plan whose records hold no messages."""
    reader = entry.reader
    if reader is None:
        return entry
    values = [record.value for record in sample]
    entry = replace(entry, cautions=cautions(reader.FORMAT, values, entry.family in ("table", "xml")))
    if any(reader.has_messages(record.value) for record in sample):
        return entry
    if len(sample) == SAMPLE_RECORDS and any(
        reader.has_messages(record.value) for record in islice(again(), LOOK_FOR_MESSAGES)
    ):
        return entry
    return replace(entry, refusal=reader.NO_ANSWERS)


def _only_records(items: Iterable[Record | LeftOut]) -> Iterator[Record]:
    return (item for item in items if isinstance(item, Record))


def _xml_plan(source: Source, head: str, encoding: str, overrides: SourceOverrides) -> Plan:
    opening = head[:4000].lower()
    if "<html" in opening or "<!doctype html" in opening:
        raise TicketsError(
            f"{source.name} is a web page, not an export.",
            "The download may have ended on a sign-in page: sign in to the help desk and download the export again.",
        )
    sample = list(islice(xml_records(source), SAMPLE_RECORDS))
    vote = _vote(sample, READERS, overrides)
    if vote is None:
        raise TicketsError(
            f"{source.name} is XML of no help desk that is known{_elements_of(sample)}.",
            "XML is read from Freshdesk, Zendesk, Jira, ServiceNow and Stack Exchange; from others choose the export "
            "as JSON or CSV.",
        )
    reader, told = vote
    plan = Plan(source, "xml", reader.FORMAT, reader.LABEL, told, encoding, reader=reader)
    return _looked_into(plan, sample, lambda: xml_records(source))


def xml_records(source: Source, damaged: list[LeftOut] | None = None) -> Iterator[Record]:
    """Yield the records of XML as their vendor's JSON has them; what is damaged goes into the list."""
    for item in read_xml(source):
        if isinstance(item, Record):
            yield replace(item, value=as_json(item.value))
        elif damaged is not None:
            damaged.append(item)


def _elements_of(sample: Sequence[Record]) -> str:
    keys = dict.fromkeys(key.rpartition("}")[2] for record in sample for key in record.value)
    return f": its elements are {', '.join(list(keys)[:8])}" if keys else ": it has no elements with others inside"


def _objects_plan(source: Source, encoding: str, sample: Sequence[Record], overrides: SourceOverrides) -> Plan:
    """JSON of no known shape: its keys are offered as columns."""
    columns = tuple(dict.fromkeys(key for record in sample for key in record.value))
    rows = tuple(tuple(cell(record.value.get(column)) for column in columns) for record in sample)
    mapping = _mapping(columns, rows, overrides)
    told = _mapping_evidence(mapping, overrides)
    plan = Plan(source, "json", table.FORMAT, "JSON objects", told, encoding, None, columns, mapping, rows)
    nested = (key for record in sample for key, inner in record.value.items() if isinstance(inner, dict | list))
    return _dated(replace(plan, nested=tuple(dict.fromkeys(nested))))


def _table_plan(source: Source, layout: Layout, overrides: SourceOverrides) -> Plan:
    columns, encoding = layout.columns, layout.encoding
    _check_width(source.name, len(columns), "columns")
    if not overrides.mapping:
        _check_table(source.name, layout, bool(overrides.delimiter))
    label = f"Workbook, {_named(layout)}" if source.workbook else "Table"
    if not overrides.mapping and overrides.format != table.FORMAT:
        if listing := metadata_only(columns):
            return replace(_refused(source, "table", listing, encoding), layout=layout, columns=columns)
        if by_vendor := _vendor_table(source, encoding, layout, overrides):
            return by_vendor
    mapping = _mapping(columns, layout.sample, overrides)
    told = _mapping_evidence(mapping, overrides)
    entry = Plan(source, "table", table.FORMAT, label, told, encoding, layout, columns, mapping, layout.sample)
    return _dated(replace(entry, cautions=tuple(_of_the_workbook(layout))))


def _check_table(name: str, layout: Layout, chosen: bool) -> None:
    """Refuse a text that is no table: lines without any delimiter, or prose that has commas here and there.

    Raises:
        TicketsError: It is none, or a table of one column.
    """
    columns = layout.columns
    whole = sum(len(row) == len(columns) for row in layout.sample)
    if len(columns) < 2 and likely_columns(columns):
        raise TicketsError(
            f"{name} holds one column, {columns[0]!r}, and no other side of the conversation.",
            "Choose the export that holds questions and answers, or all messages with who wrote them.",
        )
    if len(columns) < 2 or (not chosen and not known_headers(columns) and whole * 2 < len(layout.sample)):
        raise TicketsError(
            f"{name} is neither a known export nor a table: it begins with {columns[0][:80]!r}.",
            "Choose the export as JSON, CSV, XLSX, XML, mbox or EML; a text goes into a table first, with the columns "
            "question and answer, or ticket, author and text.",
        )


def _dated(entry: Plan) -> Plan:
    """Find out whether the dates of a table begin with the month, and say so where that cannot be told."""
    if "date" not in entry.mapping:
        return entry
    column = entry.columns.index(entry.mapping["date"])
    dates = [row[column] for row in entry.sample if column < len(row)]
    order = day_order(dates)
    if order != "unclear":
        return replace(entry, day_order=order)
    shown = next(date for date in dates if "/" in date)
    caution = f"Whether {shown!r} begins with the day or the month cannot be told; it is read as the day."
    return replace(entry, cautions=(*entry.cautions, caution))


def _named(layout: Layout) -> str:
    """Name the sheet, and the table where there are several on it."""
    if layout.area is None:
        return f"sheet {layout.sheet!r}"
    title = f" ({layout.area.title})" if layout.area.title else ""
    return f"sheet {layout.sheet!r}, table at {layout.area.corner}{title}"


def _of_the_workbook(layout: Layout) -> Iterator[str]:
    """Say which sheets are not read, and which cells are empty that should not be."""
    if layout.unread:
        several = layout.area is not None or any("!" in name for name in layout.unread)
        what = "table" if several else "sheet"
        sheets = ", ".join(repr(name) for name in (layout.place, *layout.alike)[:8])
        read = f"the {what}s {sheets} are" if layout.alike else f"the {what} {sheets} is"
        named = ", ".join(repr(name) for name in layout.unread[:8]) + (" and more" if len(layout.unread) > 8 else "")
        yield (
            f"Of this workbook {read} read, and not {named}: another one is chosen under "
            f"'Change what was recognised', or by --sheet NAME{' or --table A1' if several else ''}."
        )
    if layout.empty_formulas:
        yield (
            f"{layout.empty_formulas} of the first cells are formulas whose result the workbook does not hold; they "
            "count as empty. Open it in a spreadsheet program, save it there, and drop it again."
        )


def _vendor_table(source: Source, encoding: str, layout: Layout, overrides: SourceOverrides) -> Plan | None:
    """Plan a table whose rows are a vendor's, or hold a vendor's records as JSON in a cell."""
    columns = layout.columns
    rows = [Row(number, _padded(cells, len(columns))) for number, cells in enumerate(layout.sample, start=1)]
    sample = list(as_records(rows, columns, source.name))[:SAMPLE_RECORDS]
    packed = json_fields(sample)
    whole = list(unpacked(sample, packed))
    readers = [reader for reader in READERS if reader.IN_TABLES or _speaks_in(reader, sample, whole, bool(packed))]
    vote = _vote(whole, readers, overrides) if whole else None
    if not vote:
        return None
    reader, told = vote
    entry = Plan(source, "table", reader.FORMAT, reader.LABEL, told, encoding, layout, columns)
    entry = replace(entry, sample=layout.sample, reader=reader, json_fields=packed)
    again = lambda: unpacked(as_records(_only_rows(read_rows(source, layout)), columns, source.name), packed)  # noqa: E731
    return _looked_into(entry, whole, again)


def _speaks_in(reader: Reader, rows: Sequence[Record], whole: Sequence[Record], is_packed: bool) -> bool:
    """Tell whether a table holds messages of a reader that is not made for tables.

    Args:
        reader: One of them.
        rows: The rows as they are.
        whole: The rows with the values of their JSON cells.
        is_packed: Whether there are such cells.
    """
    if reader.FORMAT == chat.FORMAT and any(reader.evidence(record.value) for record in rows):
        rendered = sum(chat.is_rendered(record.value) for record in rows)
        others = (record for record in rows if not chat.is_rendered(record.value))
        return rendered * 2 > len(rows) or any(chat.only_chat(record.value) for record in others)
    return is_packed and any(reader.evidence(record.value) and reader.has_messages(record.value) for record in whole)


def _check_width(name: str, columns: int, what: str) -> None:
    if columns > MOST_COLUMNS:
        raise TicketsError(
            f"{name} has {columns:,} {what}; a table has {MOST_COLUMNS:,} at most.", "This is no ticket export."
        )


def _check_lines(source: Source, head: bytes) -> None:
    """Refuse a table, or JSON in lines, that would take days to read: told by how long the lines at its beginning are.

    Mails and XML have many lines each.
    """
    lines = source.unpacked_size() / max(len(head), 1) * head.count(b"\n")
    text = head.decode("latin-1").lstrip()
    if lines > MOST_LINES and not text.startswith("<") and not mail.evidence(text):
        raise TicketsError(
            f"{source.name} has about {lines / 1e6:,.0f} million lines; at most {MOST_LINES / 1e6:,.0f} million are "
            "read at once.",
            "Export a shorter period, or the fields of the conversations alone.",
        )


def _only_rows(items: Iterable[Row | LeftOut]) -> Iterator[Row]:
    return (item for item in items if isinstance(item, Row))


def _padded(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells[:width], *("",) * (width - len(cells)))


def _mapping(columns: Sequence[str], rows: Sequence[Sequence[str]], overrides: SourceOverrides) -> dict[str, str]:
    guessed = guess_columns(columns, rows)
    given = check_mapping(overrides.mapping, columns)
    if {"question", "answer"} & given.keys():
        guessed = {role: column for role, column in guessed.items() if role not in OF_MESSAGES}
    elif "text" in given:
        guessed = {role: column for role, column in guessed.items() if role not in ("question", "answer")}
    others = {
        role: column
        for role, column in guessed.items()
        if column not in given.values() and role not in overrides.mapping
    }
    both = {**others, **given}
    if "role" in both and only_yes_no(both["role"], columns, rows) and (side := yes_means(both["role"])):
        both.setdefault(side, both.pop("role"))
    return {role: both[role] for role in ROLES if role in both}


def _mapping_evidence(mapping: Mapping[str, str], overrides: SourceOverrides) -> str:
    if overrides.mapping:
        return "columns chosen by you"
    if not mapping:
        return "no column is called question and answer, or text with ticket and author"
    telling = ("question", "answer", "text", *WRITERS, "internal", "public", "bot")
    return ", ".join(f"{column!r} is the {role}" for role, column in mapping.items() if role in telling)
