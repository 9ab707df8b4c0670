"""Template tags and filters of every page; loaded as builtins, so no `{% load %}` is needed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

from core import money

register = template.Library()

_SVG = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)


@lru_cache(maxsize=256)
def _paths(name: str) -> SafeString:
    """What is inside the `<svg>` of static/icons/<name>.svg."""
    file = Path(settings.BASE_DIR, "static", "icons", f"{name}.svg")
    match = _SVG.search(file.read_text()) if re.fullmatch(r"[a-z0-9-]+", name) and file.exists() else None
    if match is None:
        raise template.TemplateSyntaxError(
            f"There is no icon {name!r}: add it to frontend/icons.txt and run `npm run build`."
        )
    return mark_safe(" ".join(match[1].split()))  # noqa: S308  (a file of ours)


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, css: str = "size-4", label: str = "") -> SafeString:
    """`{% icon "phone" %}` draws a Lucide icon: decoration, unless it has a `label`, which a screen reader says."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" {} width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{}</svg>',
        css,
        meaning,
        _paths(name),
    )


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, href: str, symbol: str, label: str, section: str = "") -> SafeString:
    """A line of the sidebar, marked as current on the page at `href` and on those below it, or below `section`."""
    path = context["request"].path
    current = "page" if path == href else "true" if path.startswith(section or href) else ""
    return format_html(
        '<a class="nav-item" href="{}"{}>{} {}</a>',
        href,
        format_html(' aria-current="{}"', current) if current else "",
        icon(symbol),
        label,
    )


@register.simple_tag(takes_context=True)
def tab_link(context: template.Context, href: str, label: str) -> SafeString:
    """A link of a `.tabbar`, marked as current on the page at `href` and on those below it."""
    current = mark_safe(' aria-current="page"') if context["request"].path.startswith(href) else ""
    return format_html('<a href="{}"{}>{}</a>', href, current, label)


@register.filter
def clock(seconds: float | None) -> str:
    """A place in a call, as a player shows it: 4.2 is "0:04", 3725 is "1:02:05"."""
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


@register.filter
def duration(seconds: float | None) -> str:
    """A length of time in words: 0.84 is "840 ms", 12.3 is "12.3 s", 75 is "1 min 15 s", 3725 is "1 h 2 min"."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minute} min" if minute else f"{hours} h"
    return f"{minute} min {second} s" if second else f"{minute} min"


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago a moment was, in words: "just now", "3 minutes ago", "2 days ago". Nothing for None."""
    if moment is None:
        return ""
    if timezone.now() - moment < timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1)} ago"


@register.filter
def milliseconds(seconds: float | None) -> str:
    """For columns of latencies: 0.8431 is "843 ms". Nothing for None."""
    return "" if seconds is None else f"{seconds * 1000:.0f} ms"


@register.filter
def thousands(count: int | None) -> str:
    """A count with commas: 1234567 is "1,234,567"."""
    return "" if count is None else f"{count:,}"


@register.filter
def dollars(micro: int | None) -> str:
    """Integer micro-dollars as money: 1234567 is "$1.23"."""
    return "" if micro is None else money.format_micro(micro)


@register.filter
def price(micro: int | None, form: str = "") -> str:
    """A unit price, which may be far below a cent: 4800 is "$0.0048", 400000 is "$0.40"; `plain` leaves out the $."""
    if micro is None:
        return ""
    shown = money.format_micro(micro, places=6)
    short = shown.rstrip("0")
    whole, _, decimals = short.partition(".")
    shown = f"{whole}.{decimals.ljust(2, '0')}"
    return shown.removeprefix("$").replace(",", "") if form == "plain" else shown


@register.filter
def cost(micro: int | None) -> str:
    """What something cost, to a hundredth of a cent: 30093 is "$0.0301", 1200000 is "$1.20"."""
    return "" if micro is None else price((micro + 50) // 100 * 100)


@register.filter
def change(micro: int | None) -> str:
    """A difference of costs with its sign: 30000 is "+$0.03", -1200000 is "-$1.20"."""
    if micro is None:
        return ""
    sign = "+" if micro > 0 else "-" if micro < 0 else "±"
    return f"{sign}{cost(abs(micro))}"
