"""Micro-dollars as people read and write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import DOLLAR, format_micro, parse_micro

AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("micro", "places", "text"),
    [
        (0, 2, "$0.00"),
        (1_234_567, 2, "$1.23"),
        (1_235_000, 2, "$1.24"),
        (-1_235_000, 2, "-$1.24"),
        (-60_000, 2, "-$0.06"),
        (-4_999, 2, "$0.00"),
        (1_250_500_000, 2, "$1,250.50"),
        (14_000, 3, "$0.014"),
        (1, 6, "$0.000001"),
        (1_500_000, 0, "$2"),
    ],
)
def test_amounts_are_shown_as_dollars(micro: int, places: int, text: str) -> None:
    assert format_micro(micro, places=places) == text


@pytest.mark.parametrize(
    ("text", "micro"),
    [("12", 12 * DOLLAR), ("$1,250.50", 1_250_500_000), ("-0.014", -14_000), ("-$5", -5 * DOLLAR), (" 0.000001 ", 1)],
)
def test_amounts_are_read_as_people_type_them(text: str, micro: int) -> None:
    assert parse_micro(text) == micro


@pytest.mark.parametrize(
    "text", ["", "$", "1.", ".5", "1.1234567", "1e3", "12,34", "1,2345", "٣", "1 000", "--1", "NaN", "€5"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write an amount"):
        parse_micro(text)


@given(AMOUNTS)
def test_an_amount_with_all_its_places_is_read_back_as_it_was(micro: int) -> None:
    assert parse_micro(format_micro(micro, places=6)) == micro


@given(AMOUNTS, st.integers(0, 6))
def test_rounding_is_off_by_half_a_unit_at_most_and_the_same_for_debts(micro: int, places: int) -> None:
    shown = parse_micro(format_micro(micro, places=places))
    assert abs(shown - micro) * 2 <= 10 ** (6 - places)
    assert parse_micro(format_micro(-micro, places=places)) == -shown
