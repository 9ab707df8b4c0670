"""The template tags and filters of every page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone

from core.templatetags import ui


def test_an_icon_is_drawn_inline_and_is_silent() -> None:
    drawn = Template('{% icon "phone" %}').render(Context())
    assert drawn.startswith('<svg class="size-4" aria-hidden="true"')
    assert "<path" in drawn
    assert drawn.count("<svg") == 1


def test_a_labelled_icon_is_said_by_screen_readers() -> None:
    drawn = Template('{% icon "phone" "size-6" label=name %}').render(Context({"name": 'a "call" <b>'}))
    assert 'role="img" aria-label="a &quot;call&quot; &lt;b&gt;"' in drawn
    assert 'class="size-6"' in drawn
    assert "aria-hidden" not in drawn


@pytest.mark.parametrize("name", ["no-such-icon", "../icons/phone", "Phone", ""])
def test_an_icon_that_is_not_there_is_told_with_its_mend(name: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"frontend/icons\.txt"):
        ui.icon(name)


def test_every_icon_that_is_named_can_be_drawn() -> None:
    names = (settings.BASE_DIR / "frontend" / "icons.txt").read_text().split()
    assert names
    assert all("<svg" in ui.icon(name) for name in names if (settings.BASE_DIR / f"static/icons/{name}.svg").exists())


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (0, "0:00"), (4.2, "0:04"), (59.9, "0:59"), (61, "1:01"), (3725, "1:02:05")]
)
def test_clock(seconds: float | None, shown: str) -> None:
    assert ui.clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.84, "840 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (12.3, "12.3 s"),
        (12.0, "12 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min"),
        (75, "1 min 15 s"),
        (3599.7, "1 h"),
        (3725, "1 h 2 min"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert ui.duration(seconds) == shown


def test_latencies_and_money() -> None:
    assert (ui.milliseconds(0.8431), ui.milliseconds(None)) == ("843 ms", "")
    assert (ui.dollars(1_234_567), ui.dollars(None)) == ("$1.23", "")
    assert (ui.price(4_800), ui.price(400_000), ui.price(1_250_000_000)) == ("$0.0048", "$0.40", "$1,250.00")
    assert (ui.price(4_800, "plain"), ui.price(None)) == ("0.0048", "")
    assert (ui.cost(30_093), ui.cost(1_200_000), ui.cost(None)) == ("$0.0301", "$1.20", "")


@pytest.mark.parametrize(
    ("passed", "shown"),
    [(timedelta(0), "just now"), (timedelta(minutes=3, seconds=5), "3 minutes ago"), (timedelta(days=2), "2 days ago")],
)
def test_how_long_ago(passed: timedelta, shown: str) -> None:
    assert ui.ago(timezone.now() - passed).replace("\N{NO-BREAK SPACE}", " ") == shown
