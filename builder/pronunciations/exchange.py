"""Dictionaries as CSV: a line an entry, below a line with the names of the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from builder.pronunciations.forms import EntryForm
from voice.spec import Pronunciation

COLUMNS = ("text", "alias", "ipa", "case_sensitive", "whole_word")
_YES = {"yes", "true", "1", "y", "x"}
_NO = {"no", "false", "0", "n", ""}
# A spreadsheet would run these; the mark in front of them is taken off again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be taken, counted from 1 with the heading, and why not."""

    number: int
    text: str
    reason: str


@dataclass(slots=True)
class Sheet:
    """What a file holds. Of entries with the same text the last one counts."""

    entries: dict[str, Pronunciation] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)


def written(entries: Iterable[Pronunciation]) -> str:
    """The file of some entries."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for entry in entries:
        flags = ("yes" if flag else "no" for flag in (entry.case_sensitive, entry.whole_word))
        writer.writerow([*map(_guarded, (entry.text, entry.alias, entry.ipa)), *flags])
    return file.getvalue()


def read(text: str) -> Sheet:
    """The entries of a file, and the lines that are none. Raises ValueError, in words, where it has no heading."""
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        if "text" not in names or not {"alias", "ipa"} & set(names):
            raise ValueError("The first line has to name the columns: text, and alias or ipa or both.")
        sheet = Sheet()
        for row in rows:
            if any(cell.strip() for cell in row):
                _take(sheet, rows.line_num, dict(zip(names, row, strict=False)))
    except csv.Error as error:
        raise ValueError(f"Line {rows.line_num} is no CSV: {error}.") from None
    return sheet


def _take(sheet: Sheet, number: int, row: dict[str, str]) -> None:
    text = row.get("text", "").strip()
    try:
        data = {name: _unguarded(row.get(name, "")) for name in ("text", "alias", "ipa")}
        flags = {"case_sensitive": _flag(row, "case_sensitive", False), "whole_word": _flag(row, "whole_word", True)}
    except ValueError as error:
        sheet.bad.append(BadLine(number, text, str(error)))
        return
    form = EntryForm({**data, **flags})
    if form.is_valid():
        sheet.entries[form.pronunciation.text] = form.pronunciation
        return
    name, messages = next(iter(form.errors.items()))
    sheet.bad.append(BadLine(number, text, f"{name}: {messages[0]}"))


def _flag(row: dict[str, str], name: str, default: bool) -> bool:
    cell = row.get(name, "").strip().lower()
    if cell not in _YES | _NO:
        raise ValueError(f"{name}: write yes or no.")
    return cell in _YES if cell else default


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
