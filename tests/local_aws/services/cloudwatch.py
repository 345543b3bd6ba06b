"""CloudWatch: metrics on a stretched clock, all statistics, and alarms that keep their state.

Contract: `install(speed)`; `put` stores datapoints for the control API. Waits are divided by the speed while clocks are real, so
history is stretched to match: what was stored r seconds ago counts as r * speed seconds ago, and is aggregated into periods
there. At speed 1 this is plain behaviour. What `keep_steady` names has a datapoint in every period, without anybody storing it. Answered are Sum, Average, Minimum, Maximum, SampleCount and pNN; an Expression is a
clear error. New alarms are INSUFFICIENT_DATA until SetAlarmState; PutMetricAlarm keeps the state of an existing alarm.
"""

import datetime
import math
import re
import threading
import time
from collections import deque
from dataclasses import dataclass

QUERIES_LIMIT = 500
KEPT_PER_METRIC = 20_000
PERCENTILE = re.compile(r"^p(\d{1,2}(\.\d{1,10})?|100)$")


@dataclass(frozen=True)
class Sample:
    """What one PutMetricData entry says of one moment (real time)."""

    timestamp: float
    values: tuple[tuple[float, float], ...]  # (value, how many); empty for a statistic set
    sum: float
    count: float
    minimum: float
    maximum: float


class Metrics:
    def __init__(self, speed: float):
        self._speed = speed
        self._samples: dict[tuple, deque[Sample]] = {}
        self._steady: dict[tuple, float] = {}
        self._lock = threading.Lock()

    def put(self, namespace: str, name: str, dimensions: dict[str, str], sample: Sample) -> None:
        with self._lock:
            key = _key(namespace, name, dimensions)
            self._samples.setdefault(key, deque(maxlen=KEPT_PER_METRIC)).append(sample)

    def keep_steady(self, values: dict[tuple, float]) -> None:
        with self._lock:
            self._steady.update(values)

    def forget(self) -> None:
        with self._lock:
            self._samples.clear()
            self._steady.clear()

    def names(self) -> list[tuple]:
        with self._lock:
            return list(self._samples)

    def periods(self, metric: dict, period: int, start: float, end: float) -> dict[int, list[Sample]]:
        """Samples by the start of their period, for the periods that begin in [start, end)."""
        now = time.time()
        with self._lock:
            samples = list(self._samples.get(_key_of(metric), ()))
            steady = self._steady.get(_key_of(metric))
        found: dict[int, list[Sample]] = {}
        if steady is not None:
            first, last = math.floor(start / period) * period, min(end, now)
            found = {begin: [_sample(begin, [(steady, 1.0)])] for begin in range(first, math.ceil(last), period)}
        for sample in samples:
            stretched = now - (now - sample.timestamp) * self._speed
            begin = math.floor(stretched / period) * period
            if math.floor(start / period) * period <= begin < end:
                found.setdefault(begin, []).append(sample)
        return found


def _key(namespace: str, name: str, dimensions: dict[str, str]) -> tuple:
    return namespace, name, tuple(sorted(dimensions.items()))


def _key_of(metric: dict) -> tuple:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    return _key(metric["Namespace"], metric["MetricName"], dimensions)


_metrics = Metrics(1)


def put(entries: list[dict]) -> None:
    """[{"namespace", "metric_name", "dimensions": {}, "value" or "values": [..], "timestamp_ms"?}]"""
    for entry in entries:
        values = entry["values"] if "values" in entry else [entry["value"]]
        timestamp = entry["timestamp_ms"] / 1000 if "timestamp_ms" in entry else time.time()
        if values:
            sample = _sample(timestamp, [(float(value), 1.0) for value in values])
            _metrics.put(entry["namespace"], entry["metric_name"], entry.get("dimensions", {}), sample)


def keep_steady(entries: list[dict]) -> None:
    """[{"namespace", "metric_name", "dimensions": {}, "value"}]"""
    keys = [_key(entry["namespace"], entry["metric_name"], entry.get("dimensions", {})) for entry in entries]
    _metrics.keep_steady({key: float(entry["value"]) for key, entry in zip(keys, entries, strict=True)})


def forget() -> None:
    """As if no datapoint had ever been stored."""
    _metrics.forget()


def _sample(timestamp: float, values: list[tuple[float, float]]) -> Sample:
    return Sample(
        timestamp=timestamp,
        values=tuple(values),
        sum=sum(value * count for value, count in values),
        count=sum(count for _, count in values),
        minimum=min(value for value, _ in values),
        maximum=max(value for value, _ in values),
    )


def install(speed: float) -> None:
    global _metrics
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    _metrics = Metrics(speed)
    CloudWatchResponse.put_metric_data = _put_metric_data
    CloudWatchResponse.get_metric_data = _get_metric_data
    CloudWatchResponse.get_metric_statistics = _get_metric_statistics
    CloudWatchResponse.list_metrics = _list_metrics
    _keep_alarm_states(CloudWatchBackend)


def _invalid(message: str) -> Exception:
    from moto.cloudwatch.exceptions import ValidationError

    return ValidationError(message)


def _seconds(moment) -> float:
    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return moment.replace(tzinfo=moment.tzinfo or datetime.timezone.utc).timestamp()


def _put_metric_data(self):
    from moto.core.responses import EmptyResult

    namespace = self._get_param("Namespace")
    for datum in self._get_param("MetricData", []):
        dimensions = {item["Name"]: item["Value"] for item in datum.get("Dimensions") or []}
        _metrics.put(namespace, datum["MetricName"], dimensions, _sample_of(datum))
    return EmptyResult()


def _sample_of(datum: dict) -> Sample:
    timestamp = _seconds(datum["Timestamp"]) if datum.get("Timestamp") else time.time()
    if statistics := datum.get("StatisticValues"):
        total, count = float(statistics["Sum"]), float(statistics["SampleCount"])
        return Sample(timestamp, (), total, count, float(statistics["Minimum"]), float(statistics["Maximum"]))
    if datum.get("Values"):
        counts = datum.get("Counts") or [1] * len(datum["Values"])
        pairs = [(float(value), float(count)) for value, count in zip(datum["Values"], counts, strict=True)]
        return _sample(timestamp, pairs)
    if datum.get("Value") is None:
        raise _invalid("A metric datum needs Value, Values or StatisticValues")
    return _sample(timestamp, [(float(datum["Value"]), 1.0)])


def _get_metric_data(self):
    from moto.core.responses import ActionResult

    queries = self._get_param("MetricDataQueries") or []
    if not 1 <= len(queries) <= QUERIES_LIMIT:
        raise _invalid(f"The collection MetricDataQueries must have between 1 and {QUERIES_LIMIT} members.")
    if len({query.get("Id") for query in queries}) != len(queries):
        raise _invalid("The values for parameter id in MetricDataQueries are not unique.")
    start, end = _seconds(self._get_param("StartTime")), _seconds(self._get_param("EndTime"))
    if start >= end:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    newest_first = self._get_param("ScanBy") != "TimestampAscending"
    results = [_query_result(query, start, end, newest_first) for query in queries if query.get("ReturnData") is not False]
    return ActionResult({"MetricDataResults": results, "Messages": []})


def _query_result(query: dict, start: float, end: float, newest_first: bool) -> dict:
    if not re.match(r"^[a-z][a-zA-Z0-9_]*$", query.get("Id") or ""):
        raise _invalid(f"The value {query.get('Id')!r} for parameter Id is not matching the expression [a-z][a-zA-Z0-9_]*.")
    if "Expression" in query:
        raise _invalid(f"Expression is not emulated (query {query['Id']}): ask for the metrics and compute")
    if "MetricStat" not in query:
        raise _invalid("The parameter MetricDataQueries.member.1.MetricStat is required.")
    stat = query["MetricStat"]
    points = _points(stat["Metric"], int(stat["Period"]), stat["Stat"], start, end)
    points.sort(reverse=newest_first)
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or stat["Metric"]["MetricName"],
        "Timestamps": [datetime.datetime.fromtimestamp(begin, datetime.timezone.utc) for begin, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _points(metric: dict, period: int, stat: str, start: float, end: float) -> list[tuple[int, float]]:
    if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
        raise _invalid(f"The period {period} must be 1, 5, 10, 20, 30 or a multiple of 60.")
    periods = _metrics.periods(metric, period, start, end)
    points = [(begin, statistic(samples, stat)) for begin, samples in periods.items()]
    return [(begin, value) for begin, value in points if value is not None]


def statistic(samples: list[Sample], stat: str) -> float | None:
    """A percentile of statistic sets alone is no value, as on AWS."""
    if stat == "Sum":
        return sum(sample.sum for sample in samples)
    if stat == "SampleCount":
        return sum(sample.count for sample in samples)
    if stat == "Average":
        count = sum(sample.count for sample in samples)
        return sum(sample.sum for sample in samples) / count if count else None
    if stat == "Minimum":
        return min(sample.minimum for sample in samples)
    if stat == "Maximum":
        return max(sample.maximum for sample in samples)
    if PERCENTILE.match(stat):
        return _percentile([pair for sample in samples for pair in sample.values], float(stat[1:]))
    raise _invalid(f"The value {stat} for parameter Stat is not supported.")


def _percentile(values: list[tuple[float, float]], percent: float) -> float | None:
    """The smallest value that at least this share of the samples does not exceed."""
    wanted = sum(count for _, count in values) * percent / 100
    reached = 0.0
    for value, count in sorted(values):
        reached += count
        if reached >= wanted:
            return value
    return None


def _get_metric_statistics(self):
    from moto.core.responses import ActionResult

    metric = {name: self._get_param(name) for name in ("Namespace", "MetricName", "Dimensions")}
    start, end = _seconds(self._get_param("StartTime")), _seconds(self._get_param("EndTime"))
    period = self._get_int_param("Period")
    plain, extended = self._get_param("Statistics") or [], self._get_param("ExtendedStatistics") or []
    if not plain and not extended:
        raise _invalid("Must specify either Statistics or ExtendedStatistics")
    points: dict[int, dict] = {}
    for stat in [*plain, *extended]:
        for begin, value in _points(metric, period, stat, start, end):
            moment = datetime.datetime.fromtimestamp(begin, datetime.timezone.utc)
            point = points.setdefault(begin, {"Timestamp": moment, "Unit": "None"})
            if stat in plain:
                point[stat] = value
            else:
                point.setdefault("ExtendedStatistics", {})[stat] = value
    return ActionResult({"Label": metric["MetricName"], "Datapoints": [points[begin] for begin in sorted(points)]})


def _list_metrics(self):
    from moto.core.responses import ActionResult

    namespace, name = self._get_param("Namespace"), self._get_param("MetricName")
    wanted = self._get_param("Dimensions") or []
    found = [
        {
            "Namespace": key[0],
            "MetricName": key[1],
            "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in key[2]],
        }
        for key in _metrics.names()
        if namespace in (None, key[0]) and name in (None, key[1]) and _has_dimensions(dict(key[2]), wanted)
    ]
    return ActionResult({"Metrics": found})


def _has_dimensions(dimensions: dict, wanted: list[dict]) -> bool:
    return all(
        item["Name"] in dimensions and item.get("Value") in (None, dimensions[item["Name"]]) for item in wanted
    )


def _keep_alarm_states(backend_class) -> None:
    """A new alarm is OK in moto, and one that is put again loses its state."""
    stock = backend_class.put_metric_alarm

    def put_metric_alarm(self, *args, **kwargs):
        before = self.alarms.get(kwargs["name"])
        alarm = stock(self, *args, **kwargs)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            for attribute in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history"):
                setattr(alarm, attribute, getattr(before, attribute))
        return alarm

    backend_class.put_metric_alarm = put_metric_alarm
