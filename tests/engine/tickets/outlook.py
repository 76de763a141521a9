"""Outlook messages of our own making: a compound file ([MS-CFB]) small enough to write by hand.

Everything lies in the mini stream, in pieces of 64 bytes, as in real messages whose parts are short.
"""

import itertools
import struct
from datetime import UTC, datetime

FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR, MINI = 512, 64
Tree = dict[str, "bytes | Tree"]


def compound_file(tree: Tree) -> bytes:
    """Write a compound file; a mapping is a storage, bytes are a stream of less than 4096 bytes."""
    entries: list[list[object]] = [["Root Entry", 5, FREE, FREE, FREE, END, 0]]
    mini, chain = bytearray(), []

    def add(name: str, value: "bytes | Tree") -> int:
        number = len(entries)
        entries.append([name, 1 if isinstance(value, dict) else 2, FREE, FREE, FREE, END, 0])
        if isinstance(value, dict):
            entries[number][4] = children(value)
        elif value:
            first = len(mini) // MINI
            pieces = -(-len(value) // MINI)
            mini.extend(value.ljust(pieces * MINI, b"\0"))
            chain.extend([*range(first + 1, first + pieces), END])
            entries[number][5:] = [first, len(value)]
        return number

    def children(folder: Tree) -> int:
        numbers = [add(name, value) for name, value in sorted(folder.items(), key=lambda item: (len(item[0]), item[0]))]
        for left, right in itertools.pairwise(numbers):
            entries[left][3] = right  # a tree that leans to one side is a tree
        return numbers[0] if numbers else FREE

    entries[0][4] = children(tree)
    directory = b"".join(_entry(*entry) for entry in entries)
    parts = [directory, struct.pack(f"<{len(chain)}I", *chain), bytes(mini)]
    sectors = [-(-len(part) // SECTOR) for part in parts]
    starts = [1, 1 + sectors[0], 1 + sectors[0] + sectors[1]]
    table = [FAT]
    for start, count in zip(starts, sectors, strict=True):
        table += [*range(start + 1, start + count), END]
    entries[0][5:] = [starts[2], len(mini)]
    parts[0] = b"".join(_entry(*entry) for entry in entries)
    parts[1] = parts[1].ljust(sectors[1] * SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, starts[0], 0, 4096, starts[1], sectors[1], END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    fat = struct.pack(f"<{len(table)}I", *table).ljust(SECTOR, b"\xff")
    return header + fat + b"".join(part.ljust(-(-len(part) // SECTOR) * SECTOR, b"\0") for part in parts)


def _entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    spelt = name.encode("utf-16-le")
    record = spelt.ljust(64, b"\0") + struct.pack("<HBBIII", len(spelt) + 2, kind, 1, left, right, child)
    return record + bytes(36) + struct.pack("<IQ", start, size)


def outlook_message(
    sender: tuple[str, str],
    to: tuple[str, str],
    subject: str,
    body: str,
    *,
    page: bytes = b"",
    code_page: int = 65001,
    sent: datetime = datetime(2025, 3, 3, 10, tzinfo=UTC),
    headers: str = "",
) -> bytes:
    """Write a .msg as Outlook saves it: a stream a property ([MS-OXMSG])."""
    ticks = int((sent - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000)
    fixed = struct.pack("<HHIQ", 0x40, 0x39, 6, ticks) + struct.pack("<HHIII", 3, 0x3FDE, 6, code_page, 0)
    texts = {
        "0037": subject,
        "1000": body,
        "007D": headers,
        "0C1A": sender[0],
        "5D01": sender[1],
        "0C1F": "/O=SHOP/CN=X",
    }
    tree: Tree = {f"__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in texts.items() if text}
    tree["__properties_version1.0"] = bytes(32) + fixed
    tree["__recip_version1.0_#00000000"] = {
        "__properties_version1.0": bytes(8),
        "__substg1.0_3001001F": to[0].encode("utf-16-le"),
        "__substg1.0_39FE001F": to[1].encode("utf-16-le"),
    }
    if page:
        tree["__substg1.0_10130102"] = page
    return compound_file(tree)
