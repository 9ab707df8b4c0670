"""Expressions over the variables of a call."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.flow.expressions import ExpressionError, always, matching, parse

CALL = {"party_size": 9, "day": "Sunday", "said": "12", "tags": ["vip", "new"], "nothing": None, "ok": True}


@pytest.mark.parametrize(
    "text",
    [
        'party_size > 8 and day == "sunday"',
        "8 < party_size <= 9",
        "said > 11",
        'said == 12 and said == "12"',
        "party_size * 2 - 1 == 17",
        "party_size % 2 == 1",
        '"VIP" in tags',
        'contains(tags, "vip") and contains(day, "sun")',
        'day in ["saturday", "sunday"]',
        'day not in ["monday"]',
        "empty(nothing) and empty(missing) and not empty(day)",
        "not missing",
        "ok == true and ok",
        'ok == "yes"',
        "length(tags) == 2",
        'day + "!" == "Sunday!"',
        "number(said) + 1 == 13",
        "-party_size < 0",
        '"2026-12-01" < "2026-12-24"',
    ],
)
def test_it_holds(text: str) -> None:
    assert parse(text).holds(CALL)


@pytest.mark.parametrize(
    "text", ["missing > 3", "missing < 3", "day > 3", "party_size / 0 == 1", "day - 1 == 0", "nothing == 0", "tags > 1"]
)
def test_what_has_no_value_does_not_hold(text: str) -> None:
    assert not parse(text).holds(CALL)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "An expression is missing."),
        ("a = 1", "“a = 1” cannot be read: write == to compare."),
        ("a && b", "“a && b” cannot be read: write “and” and “or”."),
        ("{{a}} > 1", "“{{a}} > 1” cannot be read: write variables without braces."),
        ("a.b", "“a.b” is more than an expression may say."),
        ("a ** 9", "“a ** 9” is more than an expression may say."),
        ("[x for x in y]", "“[x for x in y]” is more than an expression may say."),
        ("open('x')", "There is no function open; there are contains, empty, length, lower, number."),
        ("empty()", "empty takes 1 value, not 0."),
        ("x" * 501, "An expression has at most 500 characters."),
    ],
)
def test_what_it_may_not_say_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert str(refused.value) == sentence


def test_it_knows_the_variables_that_it_reads() -> None:
    assert parse('contains(a, b) and c > 1 or "d" == true').names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["size > 8 and size < 3"], [False]),
        (["size > 3 and size < 8"], [True]),
        (["size > 3", "size > 5"], [True, False]),
        (["size > 5", "size > 3"], [True, True]),
        (['day == "sat" or day == "sun"', 'day == "sun"'], [True, False]),
        (["true", "size == 1"], [True, False]),
        (["empty(size) or not empty(size)", "size == 1"], [True, False]),
        (['day == "sat" and day == "sun"'], [False]),
        (['contains(day, "x")'], [None]),
        (["a + b > 3"], [None]),
    ],
)
def test_it_knows_what_can_never_be_the_first_to_hold(conditions: list[str], found: list[bool | None]) -> None:
    assert matching(conditions) == found


def test_the_values_that_a_variable_can_have_count() -> None:
    assert matching(['seat == "roof"'], {"seat": ["bar", "table"]}) == [False]
    assert matching(['contains(seat, "a")'], {"seat": ["bar", "table"]}) == [True]


def test_a_condition_that_always_holds_is_known() -> None:
    assert always("not (size > 3 and size < 3)")
    assert not always("size > 3 or size <= 3")  # a size that is not known is neither


NAMES = st.sampled_from(["a", "b"])
ATOMS = st.tuples(NAMES, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(-3, 3)).map(
    lambda atom: f"{atom[0]} {atom[1]} {atom[2]}"
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | inner.map(lambda text: f"(not {text})")
    ),
    max_leaves=5,
)
VALUES = st.none() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=2) | st.booleans()


@given(CONDITIONS, VALUES, VALUES)
def test_what_is_said_to_match_never_matches_nothing(condition: str, a: Any, b: Any) -> None:
    if parse(condition).holds({"a": a, "b": b}):
        assert matching([condition]) == [True]


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        parse(text).holds(CALL)
