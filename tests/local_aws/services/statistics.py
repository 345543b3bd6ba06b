"""CloudWatch's statistics of the samples of one period, as pure functions.

Contract: `statistic(samples, name)` answers a number, or None where AWS has no datapoint; an unknown name raises Unsupported. Names:
    Sum SampleCount Average Minimum Maximum
    p50 to p99.9   a percentile, by the nearest rank
    PR(low:high)   which part of the samples, in percent, is above low and at most high; either bound may be left out
    TC(low:high)   how many are: by value, or with `%` by rank; tc90 is TC(:90%)
Statistic sets say nothing about single values: all but the first five need raw ones. A set counts as raw only if it has one
sample, or its minimum is its maximum. Nor are there any of these where a value is negative. All this is AWS's own
("CloudWatch statistics definitions"); only which of several valid percentiles AWS picks is not public.
"""

import re
from dataclasses import dataclass

PERCENTILE = re.compile(r"^p(\d{1,2}(?:\.\d{1,10})?|100)$")
TRIMMED_COUNT = re.compile(r"^tc(\d{1,2}(?:\.\d{1,10})?|100)$")
RANGE = re.compile(r"^(PR|TC)\(([^:()]*):([^:()]*)\)$")
NUMBER = re.compile(r"^\d+(\.\d{1,10})?$")


class Unsupported(ValueError):
    pass


@dataclass(frozen=True)
class Sample:
    """What one PutMetricData entry says of one moment (real time)."""

    timestamp: float
    values: tuple[tuple[float, float], ...]  # (value, how many); empty for a statistic set
    sum: float
    count: float
    minimum: float
    maximum: float


def sample(timestamp: float, values: list[tuple[float, float]]) -> Sample:
    """Of raw values, each with its count."""
    return Sample(
        timestamp=timestamp,
        values=tuple(values),
        sum=sum(value * count for value, count in values),
        count=sum(count for _, count in values),
        minimum=min(value for value, _ in values),
        maximum=max(value for value, _ in values),
    )


def statistic_set(timestamp: float, total: float, count: float, minimum: float, maximum: float) -> Sample:
    is_raw = count == 1 or minimum == maximum
    return Sample(timestamp, ((minimum, count),) if is_raw else (), total, count, minimum, maximum)


def statistic(samples: list[Sample], name: str) -> float | None:
    count = sum(one.count for one in samples)
    if name == "Sum":
        return sum(one.sum for one in samples)
    if name == "SampleCount":
        return count
    if name == "Average":
        return sum(one.sum for one in samples) / count if count else None
    if name == "Minimum":
        return min(one.minimum for one in samples)
    if name == "Maximum":
        return max(one.maximum for one in samples)
    return _of_raw_values(sorted(pair for one in samples for pair in one.values), name)


def check(name: str) -> None:
    """Raises Unsupported for what `statistic` would not compute."""
    statistic([sample(0.0, [(1.0, 1.0)])], name)


def _of_raw_values(values: list[tuple[float, float]], name: str) -> float | None:
    """`values` are sorted."""
    found, trimmed, bounds = PERCENTILE.match(name), TRIMMED_COUNT.match(name), RANGE.match(name)
    if not (found or trimmed or bounds):
        raise Unsupported(f"The value {name} for parameter Stat is not supported.")
    low, high = (_bound(bounds, 2), _bound(bounds, 3)) if bounds else (None, None)
    if not values or values[0][0] < 0:
        return None
    if found:
        return _percentile(values, float(found[1]))
    if trimmed:
        return _counted_by_rank(values, 0, float(trimmed[1]))
    if bounds[1] == "PR":
        return 100 * _counted(values, low, high) / sum(count for _, count in values)
    if "%" in bounds[0]:
        return _counted_by_rank(values, low or 0, 100 if high is None else high)
    return _counted(values, low, high)


def _bound(found: re.Match, which: int) -> float | None:
    text = found[which].removesuffix("%")
    percent = "%" in found[0]
    given = [bound for bound in (found[2], found[3]) if bound]
    mixed = percent and (found[1] == "PR" or any(not bound.endswith("%") for bound in given))
    if not given or mixed or (text and not NUMBER.match(text)) or (text and percent and float(text) > 100):
        raise Unsupported(f"The value {found[0]} for parameter Stat is not supported.")
    return float(text) if text else None


def _percentile(values: list[tuple[float, float]], percent: float) -> float | None:
    """The smallest value that at least this share of the samples does not exceed."""
    wanted = sum(count for _, count in values) * percent / 100
    reached = 0.0
    for value, count in values:
        reached += count
        if reached >= wanted:
            return value
    return values[-1][0]


def _counted(values: list[tuple[float, float]], low: float | None, high: float | None) -> float:
    """Exclusive below, inclusive above."""
    return sum(count for value, count in values if (low is None or value > low) and (high is None or value <= high))


def _counted_by_rank(values: list[tuple[float, float]], low: float, high: float) -> float:
    """How many samples lie between two shares of all, in percent."""
    total, reached, counted = sum(count for _, count in values), 0.0, 0.0
    for _, count in values:
        begin, reached = reached, reached + count
        counted += max(0.0, min(reached, total * high / 100) - max(begin, total * low / 100))
    return counted
