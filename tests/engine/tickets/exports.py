"""Tiny exports with invented words, and what is read from them."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from engine.tickets.conversation import Conversation, LeftOut
from engine.tickets.dataset.dataset import DataSet
from engine.tickets.importing.files.sources import find_sources
from engine.tickets.importing.format_plan import plan
from engine.tickets.importing.reading import read_conversations
from engine.tickets.options import PrepareOptions
from engine.tickets.overrides import SourceOverrides
from engine.tickets.preparing.pipeline import prepare
from engine.tickets.preparing.report import Report


def write(path: Path, content: str | bytes | list[Any] | dict[str, Any]) -> Path:
    """Write text, bytes, or a value as JSON; return the path."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
    else:
        path.write_text(json.dumps(content), encoding="utf-8")
    return path


def lines(*records: dict[str, Any]) -> str:
    """Return JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def comment(
    author: int, body: str, public: bool = True, at: str = "2025-01-02T10:00:00Z", **more: Any
) -> dict[str, Any]:
    return {"author_id": author, "body": body, "public": public, "created_at": at, **more}


def zendesk(number: int, *comments: dict[str, Any], requester_id: int = 7, **more: Any) -> dict[str, Any]:
    """A Zendesk ticket; without comments it has one question of its requester and one answer by agent 9."""
    talk = comments or (
        comment(requester_id, f"Where is my parcel number {number}?"),
        comment(9, f"Parcel {number} is on its way and arrives tomorrow."),
    )
    ticket = {
        "id": number,
        "subject": f"Parcel {number}",
        "status": "closed",
        "requester_id": requester_id,
        "submitter_id": 7,
        "tags": [],
        "created_at": f"2025-01-{1 + number % 28:02d}T10:00:00Z",
        "comments": list(talk),
    }
    return {**ticket, **more}


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """A workbook (.xlsx) with numbers and inline strings, as small as the format allows.

    A cell ``(12.5, "0.00")`` is a number with its format code, ``("=", "A1")`` a formula without its result.
    """
    every = [cell for rows in sheets.values() for row in rows for cell in row]
    codes = list(dict.fromkeys(cell[1] for cell in every if isinstance(cell, tuple)))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        packages = "http://schemas.openxmlformats.org/package/2006"
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{packages}/content-types"/>')
        listed, related = "", ""
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            listed += f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
            related += f'<Relationship Id="r{number}" Type="{links}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            cells = "".join(
                f'<row r="{at}">{"".join(_cell(cell, codes) for cell in row)}</row>'
                for at, row in enumerate(rows, start=1)
            )
            sheet = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
        book = f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>{listed}</sheets></workbook>'
        archive.writestr("xl/workbook.xml", book)
        if codes:
            spelt = "".join(
                f'<numFmt numFmtId="{number}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
                for number, code in enumerate(codes, start=164)
            )
            styles = "".join(f'<xf numFmtId="{number}"/>' for number in (0, *range(164, 164 + len(codes))))
            archive.writestr(
                "xl/styles.xml",
                f'<styleSheet xmlns="{main}"><numFmts>{spelt}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>',
            )
            related += f'<Relationship Id="s" Type="{links}/styles" Target="styles.xml"/>'
        relations = f'<Relationships xmlns="{packages}/relationships">'
        archive.writestr("xl/_rels/workbook.xml.rels", f"{relations}{related}</Relationships>")
        root = f'<Relationship Id="r1" Type="{links}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f"{relations}{root}</Relationships>")
    return content.getvalue()


def _cell(value: Any, codes: Sequence[str] = ()) -> str:
    if isinstance(value, tuple) and value[0] == "=":
        return f"<c><f>{value[1]}</f><v></v></c>"
    if isinstance(value, tuple):
        return f'<c s="{1 + codes.index(value[1])}"><v>{value[0]}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def read(*paths: Path, overrides: SourceOverrides | None = None) -> list[Conversation]:
    """Read files as the import does, and insist that nothing was damaged."""
    items = read_all(*paths, overrides=overrides)
    assert not [item for item in items if isinstance(item, LeftOut)]
    return [item for item in items if isinstance(item, Conversation)]


def read_all(*paths: Path, overrides: SourceOverrides | None = None) -> list[Conversation | LeftOut]:
    plans = plan(find_sources(paths), overrides or SourceOverrides())
    return list(read_conversations(plans))


def only(*paths: Path) -> Conversation:
    """Read files that hold one conversation."""
    (conversation,) = read(*paths)
    return conversation


def said(conversation: Conversation) -> list[tuple[str, str, str]]:
    """Return (role, kind, content) of each message."""
    return [(message.role, message.kind, message.content) for message in conversation.messages]


def prepared(files: Sequence[Path], out: Path, **options: Any) -> tuple[Report, DataSet]:
    report = prepare(files, out, PrepareOptions(**options))
    return report, DataSet(out)
