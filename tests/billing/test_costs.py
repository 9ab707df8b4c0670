from __future__ import annotations

from fractions import Fraction

import pytest

from billing.costs import Component, Usage, costs
from billing.list_prices import ANY, LIST_PRICES, VENDORS
from billing.selectors import Price, PriceBook
from billing.units import UNITS

NO_OWN = PriceBook({})


def usage(
    unit: str, quantity: int | str, *, component: Component = "llm", vendor: str = "openai", model: str = "gpt-4.1-mini"
) -> Usage:
    return Usage(component=component, provider="P", vendor=vendor, model=model, unit=unit, quantity=Fraction(quantity))


def test_a_call_costs_what_its_parts_cost() -> None:
    found = costs(
        [
            usage("llm_input_token", 10_000),
            usage("llm_output_token", 1_000),
            usage("stt_second", "90.5", component="stt", vendor="deepgram", model="nova-3"),
            usage("tts_character", 2_000, component="tts", vendor="elevenlabs", model="eleven_flash_v2_5"),
        ],
        NO_OWN.price_of,
    )
    assert [(label, sum_) for label, _, sum_ in found.components] == [
        ("Speech recognition", 7_240),
        ("Language model", 4_000 + 1_600),
        ("Voice", 100_000),
    ]
    assert found.total == 112_840
    assert found.complete


def test_what_is_used_in_pieces_is_rounded_once() -> None:
    pieces = [usage("llm_input_token", 1) for _ in range(10)]
    (line,) = costs(pieces, NO_OWN.price_of).lines
    assert line.quantity == 10
    assert line.micro == 4


def test_cached_tokens_without_a_price_of_their_own_cost_as_much_as_others() -> None:
    book = PriceBook({("compatible", "small", "llm_input_token"): Price("own", 1_000_000)})
    found = costs([usage("llm_cached_token", 5, vendor="compatible", model="small")], book.price_of)
    assert found.total == 5


def test_what_has_no_price_is_shown_and_not_counted() -> None:
    found = costs([usage("llm_input_token", 10, vendor="compatible"), usage("llm_input_token", 1_000)], NO_OWN.price_of)
    assert [line.price for line in found.lines] == [None, 400_000]
    assert [line.micro for line in found.lines] == [None, 400]
    assert (found.total, found.complete) == (400, False)


def test_this_machine_costs_nothing() -> None:
    found = costs([usage("llm_input_token", 10, vendor="local", model="qwen")], NO_OWN.price_of)
    assert (found.total, found.complete) == (0, True)


def test_nothing_used_is_no_line() -> None:
    assert costs([usage("llm_cached_token", 0)], NO_OWN.price_of).lines == ()


def test_a_workspace_s_own_price_comes_first_also_the_one_for_all_models() -> None:
    own = {("openai", "gpt-4.1", "llm_input_token"): Price("a", 7), ("openai", ANY, "llm_input_token"): Price("b", 5)}
    book = PriceBook(own)
    assert book.price_of("openai", "gpt-4.1", "llm_input_token") == 7
    assert book.price_of("openai", "gpt-4.1-mini", "llm_input_token") == 5
    assert book.price_of("openai", "gpt-4.1-mini", "llm_output_token") == 1_600_000


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.id)
def test_a_price_is_shown_as_it_was_typed(unit: object) -> None:
    from billing.units import Unit

    assert isinstance(unit, Unit)
    for micro in (1, 4_800, 39_200, 400_000, 75_000_000):
        assert unit.shown(unit.stored(micro)) == micro


def test_every_list_price_is_listed_once_with_its_source() -> None:
    keys = [(price.vendor, price.model, price.unit) for price in LIST_PRICES]
    assert len(set(keys)) == len(keys)
    assert {price.vendor for price in LIST_PRICES} <= set(VENDORS)
    assert all(price.source and price.read >= "2026" and price.micro_per_million > 0 for price in LIST_PRICES)
