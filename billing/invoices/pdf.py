"""An invoice as PDF: one column of text and a table, with fonts of its own, alike on every machine."""

from __future__ import annotations

from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.words import day, line_amount, quantity, total

_FONTS = Path(__file__).parent / "fonts"
_REGULAR, _BOLD = "Inter-Regular", "Inter-SemiBold"
_INK, _MUTED, _RULE = colors.HexColor("#1f2328"), colors.HexColor("#5d646d"), colors.HexColor("#d8dbe0")

_TEXT = ParagraphStyle("text", fontName=_REGULAR, fontSize=9.5, leading=14, textColor=_INK)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=8.5, leading=12, textColor=_MUTED)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName=_BOLD, fontSize=18, leading=24)
_RIGHT = ParagraphStyle("right", parent=_TEXT, alignment=TA_RIGHT)
_STRONG = ParagraphStyle("strong", parent=_RIGHT, fontName=_BOLD)
_HEAD = ParagraphStyle("head", parent=_SMALL, fontName=_BOLD)
_HEAD_RIGHT = ParagraphStyle("head-right", parent=_HEAD, alignment=TA_RIGHT)


def invoice_pdf(invoice: Invoice) -> bytes:
    """The document. The same invoice gives the same bytes."""
    for name in (_REGULAR, _BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, _FONTS / f"{name}.ttf"))
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=f"Invoice {invoice.label}",
        author=invoice.issuer.partition("\n")[0],
        invariant=1,
    )
    document.build([*_head(invoice, document.width), _table(list(invoice.lines.all()), invoice, document.width)])
    return out.getvalue()


def _head(invoice: Invoice, width: float) -> list[Any]:
    facts = [("Invoice date", day(invoice.issued_at))]
    if invoice.period_start and invoice.period_end:
        facts.append(("Usage of", f"{day(invoice.period_start)} to {day(invoice.period_end)}"))
    if invoice.status == Invoice.Status.PAID and invoice.paid_at:
        facts.append(("Paid", day(invoice.paid_at)))
    elif invoice.status == Invoice.Status.OPEN:
        facts.append(("Due", day(invoice.due_at)))
    else:
        facts.append(("Status", invoice.get_status_display()))
    sides = [
        [Paragraph(_lines(invoice.buyer), _TEXT), Paragraph(_lines(invoice.issuer), _RIGHT)],
        [Paragraph("<br/>".join(f"{name}: {escape(value)}" for name, value in facts), _SMALL), ""],
    ]
    plain = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ]
    )
    return [
        Paragraph(f"Invoice {invoice.label}", _TITLE),
        Spacer(0, 8 * mm),
        Table(sides, colWidths=[width / 2] * 2, style=plain),
        Spacer(0, 8 * mm),
    ]


def _table(lines: list[InvoiceLine], invoice: Invoice, width: float) -> Table:
    rows: list[list[Any]] = [
        [Paragraph("For", _HEAD), Paragraph("Quantity", _HEAD_RIGHT), Paragraph("US dollars", _HEAD_RIGHT)]
    ]
    rows += [
        [Paragraph(escape(line.text), _TEXT), Paragraph(quantity(line), _RIGHT), Paragraph(line_amount(line), _RIGHT)]
        for line in lines
    ]
    rows.append([Paragraph("Total", _TEXT), "", Paragraph(total(invoice), _STRONG)])
    style = TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -2), 0.5, _RULE),
            ("LINEABOVE", (0, -1), (-1, -1), 1, _INK),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ]
    )
    return Table(rows, colWidths=[width * 0.55, width * 0.25, width * 0.2], style=style, repeatRows=1)


def _lines(text: str) -> str:
    return "<br/>".join(escape(line) for line in text.splitlines())
