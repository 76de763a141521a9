"""The answers to many questions as a table."""

from collections.abc import Mapping

from markupsafe import Markup

from engine.question_sets import AnswerTable, Row
from ui import words
from ui.parts import NOTHING, banner, join
from ui.playground import inventions


def answers(table: AnswerTable | None) -> Markup:
    """Show a question a row and a voice a column; beside them what the agent wrote, where that is known."""
    if table is None:
        return NOTHING
    if not table.rows:
        return banner("No question was answered.", "Press Answer all to begin again.")
    has_reference = any(row.question.reference for row in table.rows)
    heads = ["Question", *table.voices.values(), *["The agent"] * has_reference]
    head = join([Markup('<th scope="col">{}</th>').format(head) for head in heads])
    rows = join([_row(row, table.voices, has_reference) for row in table.rows])
    told = f"{words.count(len(table.rows), 'question')}, {words.count(len(table.voices), 'voice')}"
    if len(table.rows) < table.asked:
        told += f"; ended early, {table.asked - len(table.rows):,} are not answered"
    return Markup(
        '<p class="quiet">{}</p>{}<div class="table-scroll" tabindex="0" role="region" aria-label="Answers">'
        '<table class="table answers-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(told, inventions.tally(table), head, rows)


def _row(row: Row, voices: Mapping[str, str], has_reference: bool) -> Markup:
    ticket = Markup('<br><span class="quiet">ticket {}</span>').format(row.question.ticket)
    cells = [_cell(row, voice) for voice in voices]
    cells += [Markup('<td class="reference">{}</td>').format(row.question.reference)] * has_reference
    return Markup('<tr><th scope="row">{}{}</th>{}</tr>').format(
        row.question.text, ticket if row.question.ticket else NOTHING, join(cells)
    )


def _cell(row: Row, voice: str) -> Markup:
    text = row.answers[voice].text if voice in row.answers else ""
    facts = (row.inventions or {}).get(voice, ())
    return Markup("<td>{}</td>").format(inventions.marked(text, facts))


def csv_name(chosen: str) -> str:
    """Return a file's name for the answers to a set."""
    return f"answers-{chosen}.csv" if chosen else "answers.csv"
