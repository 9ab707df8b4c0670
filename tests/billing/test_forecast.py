"""What calls that are yet to come will cost."""

from __future__ import annotations

import pytest

from billing.forecast import Answering, PastCall, forecast

SAME = [PastCall(60, 100_000)] * 200
MIXED = [PastCall(30, 50_000), PastCall(300, 500_000)] * 20


def test_calls_that_were_all_alike_cost_as_much_again() -> None:
    found = forecast(SAME, calls=100, minute_rate=100_000)
    assert found.past_calls == 200
    assert found.calls.p50 == found.calls.p95 == 100
    # Nearly: the prior counts for ten of two hundred and ten calls.
    assert 9_500_000 < found.amount.p50 < 11_500_000
    assert found.amount.p50 <= found.amount.p95 < 13_000_000


def test_the_spread_covers_what_is_likely() -> None:
    """Batches of twenty such calls differ: the 95th percentile is well above the middle, and below the worst."""
    found = forecast(MIXED, calls=20, minute_rate=100_000)
    assert 1.15 * found.amount.p50 < found.amount.p95 < 20 * 500_000


def test_a_larger_batch_is_known_better_in_proportion() -> None:
    few, many = (forecast(MIXED, calls=calls, minute_rate=100_000).amount for calls in (10, 2000))
    assert few.p95 / few.p50 > many.p95 / many.p50


def test_little_history_makes_for_a_wider_spread() -> None:
    few, many = (forecast(MIXED[:count], calls=200, minute_rate=100_000).amount for count in (4, 40))
    assert few.p95 / few.p50 > many.p95 / many.p50


def test_without_history_minutes_are_guessed_and_cost_the_rate() -> None:
    found = forecast([], calls=1000, minute_rate=60_000)
    assert found.past_calls == 0
    assert 90 * 1000 < found.seconds.p50 < 180 * 1000
    assert found.amount.p50 == pytest.approx(found.seconds.p50 * 1000, rel=0.01)


def test_only_who_answers_costs() -> None:
    often, seldom = (
        forecast(SAME, calls=1000, minute_rate=100_000, answering=answering)
        for answering in (Answering(900, 100), Answering(100, 900))
    )
    assert 850 < often.calls.p50 < 930
    assert 80 < seldom.calls.p50 < 140
    assert seldom.amount.p95 < often.amount.p50


def test_nobody_to_call_costs_nothing() -> None:
    found = forecast(SAME, calls=0, minute_rate=100_000)
    assert (found.calls.p95, found.seconds.p95, found.amount.p95) == (0, 0, 0)


def test_the_same_question_has_the_same_answer() -> None:
    assert forecast(MIXED, calls=50, minute_rate=1) == forecast(MIXED, calls=50, minute_rate=1)
