"""What calls that are yet to come will cost: a spread, drawn from calls that were. Pure: it reads nothing.

Each of DRAWS imagined batches draws its calls from a bootstrap sample of the past ones, so that the spread is wider
where there were few. Where there were none, minutes come from a prior; it weighs as many as PRIOR_CALLS past calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 1000
SEED = 20_261_126
"""Fixed, so that two versions are compared on the same imagined calls, and a page says the same when it is reloaded."""

PRIOR_CALLS = 10
PRIOR_MEDIAN_SECONDS = 90
PRIOR_SIGMA = 0.9
"""Of the logarithm: 95 % of calls are shorter than six and a half minutes."""
PRIOR_SAMPLE = 1000

PRIOR_ANSWERED, PRIOR_UNANSWERED = 4, 6
"""Of ten calls to people who do not expect one, four are answered."""


@dataclass(frozen=True, slots=True)
class PastCall:
    """How long a call was charged for, in seconds, and what it would cost at present, in micro-dollars."""

    seconds: int
    amount: int


@dataclass(frozen=True, slots=True)
class Spread:
    """In half of the cases it is at most `p50`, in 95 of 100 at most `p95`."""

    p50: int
    p95: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`calls` are those that are answered, `amount` is micro-dollars. `past_calls` is how many it was drawn from."""

    calls: Spread
    seconds: Spread
    amount: Spread
    past_calls: int


@dataclass(frozen=True, slots=True)
class Answering:
    """How many of the calls that were placed were answered, and how many were not."""

    answered: int = 0
    unanswered: int = 0


def forecast(
    history: Sequence[PastCall], *, calls: int, minute_rate: int, answering: Answering | None = None
) -> Forecast:
    """The cost of `calls` calls; with `answering` of as many recipients, of whom some do not answer.

    `minute_rate` (micro-dollars a minute) is what the prior's calls cost.
    """
    random = np.random.default_rng(SEED)
    past = np.array([(call.seconds, call.amount) for call in history], np.float64).reshape(-1, 2)
    imagined = _prior(random, minute_rate)
    share = PRIOR_CALLS / (PRIOR_CALLS + len(past))
    drawn = np.array([_batch(random, past, imagined, share, _answered(random, calls, answering)) for _ in range(DRAWS)])
    count, seconds, amount = (_spread(column) for column in drawn.T)
    return Forecast(calls=count, seconds=seconds, amount=amount, past_calls=len(past))


def _prior(random: np.random.Generator, minute_rate: int) -> np.ndarray:
    seconds = np.ceil(random.lognormal(np.log(PRIOR_MEDIAN_SECONDS), PRIOR_SIGMA, PRIOR_SAMPLE))
    return np.column_stack([seconds, seconds * minute_rate / 60])


def _answered(random: np.random.Generator, calls: int, answering: Answering | None) -> int:
    """How many of them are answered, this time."""
    if answering is None:
        return calls
    rate = random.beta(PRIOR_ANSWERED + answering.answered, PRIOR_UNANSWERED + answering.unanswered)
    return int(random.binomial(calls, rate))


def _batch(
    random: np.random.Generator, past: np.ndarray, imagined: np.ndarray, share: float, calls: int
) -> tuple[float, float, float]:
    """Calls, seconds and micro-dollars of one imagined batch."""
    made_up = int(random.binomial(calls, share))
    parts = [imagined[random.integers(0, len(imagined), made_up)]]
    if len(past):
        sample = past[random.integers(0, len(past), len(past))]
        parts.append(sample[random.integers(0, len(sample), calls - made_up)])
    seconds, amount = np.concatenate(parts).sum(axis=0)
    return calls, seconds, amount


def _spread(values: np.ndarray) -> Spread:
    p50, p95 = np.percentile(values, [50, 95])
    return Spread(round(p50), round(p95))
