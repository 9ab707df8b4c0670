"""Stretches of whole UTC days, and how they are parted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

DAY = timedelta(days=1)
LONGEST = timedelta(days=366)


class Interval(StrEnum):
    """Weeks begin on Monday; the first and the last bucket of a window are only the part of theirs that is in it."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Window:
    """The days from `start` on, without `end`."""

    start: date
    end: date

    @classmethod
    def around(cls, start: datetime, end: datetime) -> Window:
        """The smallest window with both moments in it; what ends at midnight ends there."""
        last = end.astimezone(UTC)
        whole = last.time() == time()
        return cls(start.astimezone(UTC).date(), last.date() if whole else last.date() + DAY)

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.start, time(), UTC)

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.end, time(), UTC)

    @property
    def last(self) -> date:
        return self.end - DAY

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def days(self) -> Iterator[date]:
        return (self.start + number * DAY for number in range(self.length.days))

    @property
    def whole_months(self) -> Window:
        """The calendar months that lie within; no days at all, at the end, where none does."""
        start, end = month_of(self.start - DAY).end, month_of(self.end).start
        return Window(start, end) if start < end else Window(self.end, self.end)

    def parts(self, interval: Interval | None) -> list[Window]:
        """The buckets of a window, in order; itself, where no interval is given."""
        parts, start = [], self.start
        while start < self.end:
            end = min(self.end, _next(start, interval)) if interval else self.end
            parts.append(Window(start, end))
            start = end
        return parts


def month_of(day: date) -> Window:
    """The calendar month with a day in it."""
    return Window(day.replace(day=1), _next(day, Interval.MONTH))


def _next(day: date, interval: Interval) -> date:
    """The day on which the bucket after that of `day` begins."""
    if interval == Interval.DAY:
        return day + DAY
    if interval == Interval.WEEK:
        return day + (7 - day.weekday()) * DAY
    return (day.replace(day=1) + 32 * DAY).replace(day=1)
