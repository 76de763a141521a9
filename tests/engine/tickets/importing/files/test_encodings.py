from pathlib import Path

import pytest

from engine.tickets.importing.files.encodings import find_encoding
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import write


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus Köln, schöne Füße, häßlich; Straße – „Anführung“", "cp1252"),
        ("Здравствуйте, принтер не печатает со вчерашнего дня, помогите пожалуйста", "cp1251"),
        ("プリンターが動きません。助けてください。昨日から印刷できません。", "shift_jis"),
        ("Olá, não consigo imprimir, ação não concluída à noite", "cp1252"),
    ],
)
def test_encodings_are_found_out(tmp_path: Path, text: str, encoding: str) -> None:
    content = "question,answer\n" + f"{text},{text}\n" * 20
    (source,) = find_sources([write(tmp_path / "t.csv", content.encode(encoding))])
    assert content.encode(encoding).decode(find_encoding(source)) == content


def test_a_late_odd_byte_is_found_and_a_broken_one_forgiven(tmp_path: Path) -> None:
    (late,) = find_sources(
        [write(tmp_path / "a.csv", b"question,answer\n" + b"a,b\n" * 200_000 + "é,ü\n".encode("cp1252") * 5)]
    )
    assert find_encoding(late) == "cp1252"
    (broken,) = find_sources([write(tmp_path / "b.csv", "é,ü\n".encode() * 50 + b"\xff,x\n" + "é,ü\n".encode() * 50)])
    assert find_encoding(broken) == "utf-8"
