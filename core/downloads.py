"""Files of ours, sent in pieces and in part where that is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

CHUNK_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def file_response(
    request: HttpRequest, path: Path, *, content_type: str, name: str, save: bool = False
) -> HttpResponseBase:
    """The file `path`, or the part of it that a Range header asks for, streamed; 416 where there is no such part.

    Several ranges at once are answered with the whole file, as the standard allows. With `save` browsers keep it and
    never show it. Raises Http404 without the file.
    """
    try:
        stat = path.stat()
    except OSError:
        raise Http404("No such file.") from None
    size, changed = stat.st_size, int(stat.st_mtime)
    start, end, status = 0, size, 200
    if (wanted := _wanted(request, changed)) is not None:
        part = _part(wanted, size)
        if part is None:
            response: HttpResponseBase = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
            return _described(response, "text/plain", name, changed, save=save)
        (start, end), status = part, 206
    if request.method == "HEAD":
        response = HttpResponse(status=status)
    else:
        response = StreamingHttpResponse(_read(path, start, end), status=status)
    response.headers["Content-Length"] = str(end - start)
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _described(response, content_type, name, changed, save=save)


def _described(
    response: HttpResponseBase, content_type: str, name: str, changed: int, *, save: bool
) -> HttpResponseBase:
    described = {
        "Content-Type": content_type,
        "Content-Disposition": content_disposition_header(save, name) or "inline",
        "Accept-Ranges": "bytes",
        "Last-Modified": http_date(changed),
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    for header, value in described.items():
        response.headers[header] = value
    return response


def _wanted(request: HttpRequest, changed: int) -> re.Match[str] | None:
    """The one range that is asked for, unless the file has changed since the asker got its first part."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    unless_changed = request.headers.get("If-Range")
    if unless_changed is not None and parse_http_date_safe(unless_changed) != changed:
        return None
    return match


def _part(wanted: re.Match[str], size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None when it lies outside of the file."""
    first, last = wanted.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end else None


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        file.seek(start)
        while start < end and (chunk := await asyncio.to_thread(file.read, min(CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk
