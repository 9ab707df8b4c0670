"""Small files of every kind, made here."""

from __future__ import annotations

import io
import zipfile
import zlib

import docx


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page ("" leaves it empty)."""
    drawings = [b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % text.encode() if text else b"" for text in pages]
    return _pdf([(b"", drawn) for drawn in drawings])


def pdf_bomb(size: int) -> bytes:
    """A PDF whose only page unpacks to so many bytes."""
    return _pdf([(b"/Filter /FlateDecode", zlib.compress(b" " * size))])


def _pdf(pages: list[tuple[bytes, bytes]]) -> bytes:
    """A PDF of pages that are drawn by a stream: how that is packed, and its bytes."""
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(count)), count),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, (packing, drawn) in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(drawn), packing, drawn))
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return out.getvalue()


def word() -> bytes:
    """A Word document with a title, a heading, a paragraph and a table."""
    document = docx.Document()
    document.add_heading("House rules", level=0)
    document.add_heading("Noise", level=1)
    document.add_paragraph("It is quiet from ten at night.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Room", "Price", "Attic", "80 pounds"), strict=True):
        cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def packed(**contents: bytes) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in contents.items():
            file.writestr(name.replace("__", "/"), data)
    return out.getvalue()


PAGE = b"""<!doctype html><html><head><title>The Mill Hotel</title><style>p { color: red }</style></head><body>
<header><a href="/">Home</a> <a href="/rooms">Rooms</a></header><nav>Menu</nav>
<main><h1>Staying with us</h1><p>Breakfast is served
   <b>from seven</b> to ten.</p>
<h2>Dogs</h2><ul><li>Dogs are welcome.</li><li>They cost <a href="prices.html#dogs">ten pounds</a>.</li></ul>
<p hidden>Not to be seen</p><script>alert(1)</script></main><footer>Imprint</footer></body></html>"""
