"""CloudWatch: metrics on a stretched clock, all statistics.

Contract: `install(speed)`; `put` stores datapoints for the control API. Waits are divided by the speed while clocks are real, so
history is stretched to match: what was stored r seconds ago counts as r * speed seconds ago, and is aggregated into periods
there. At speed 1 this is plain behaviour. Where that lies moves with the real time of whoever asks, so that a period has no start of its own.
Who asks by the time of a run (`time_of_run`, which a state's EnteredTime is told in) gets it by that time, in which a moment stays what it is. A publisher outside may be late at a high speed: what it has told by `published` is how far
it is, and GetMetricData waits for it, so that no speed and no busy machine makes data go missing. What `keep_steady` names has a datapoint in every period, without anybody storing it.
What a load balancer reports is answered in its account and region only. Which statistics are answered, see statistics.py; an Expression is a clear error. PutMetricData takes each of its three forms.
A dashboard is checked as dashboards.py says; for alarms see alarms.py.
"""

import datetime
import math
import re
import threading
import time
from collections import deque

from . import alarms, dashboards, elbv2, statistics
from .statistics import Sample, sample, statistic, statistic_set

QUERIES_LIMIT = 500
DATA_LIMIT = 1000
VALUES_LIMIT = 150
KEPT_PER_METRIC = 20_000
# The time of runs begins here, so far ahead that neither time is ever taken for the other.
ORIGIN = time.time()
AHEAD_SECONDS = 86_400.0
# A publisher that is silent for so long has ended, unless it said so before. It may be a process that a busy machine keeps waiting;
# functions ask again for ten seconds (the operation time-out of functions/cutover/src/bootstrap.rs).
PUBLISHER_PATIENCE_SECONDS = 10.0
# Below this speed what it tells half a minute's worth of at once takes it longer than functions wait for one answer.
PATIENT_SPEED = 60.0
IMPATIENCE_SECONDS = 2.0


class Metrics:
    def __init__(self, speed: float, patience_seconds: float | None = None):
        self.speed = speed
        self._patience_seconds = patience_seconds
        self._samples: dict[tuple, deque[Sample]] = {}
        self._steady: dict[tuple, float] = {}
        self._lock = threading.Lock()
        self._published: dict[str, float] = {}
        self._more = threading.Condition(self._lock)

    def published(self, namespaces: list[str], until: float) -> None:
        with self._more:
            self._published.update(dict.fromkeys(namespaces, until))
            self._more.notify_all()

    def await_published(self, namespaces: set[str], until: float) -> None:
        """Waits until the publishers of these namespaces, as far as there are any, have come so far."""

        def is_there() -> bool:
            return all(self._published.get(namespace, until) >= until for namespace in namespaces)

        usual = PUBLISHER_PATIENCE_SECONDS if self.speed >= PATIENT_SPEED else IMPATIENCE_SECONDS
        with self._more:
            if not self._more.wait_for(is_there, self._patience_seconds or usual):
                for namespace in namespaces:
                    self._published.pop(namespace, None)

    def put(self, namespace: str, name: str, dimensions: dict[str, str], made: Sample) -> None:
        with self._lock:
            key = _key(namespace, name, dimensions)
            self._samples.setdefault(key, deque(maxlen=KEPT_PER_METRIC)).append(made)

    def keep_steady(self, values: dict[tuple, float]) -> None:
        with self._lock:
            self._steady.update(values)

    def forget(self) -> None:
        with self._lock:
            self._samples.clear()
            self._steady.clear()
            self._published.clear()

    def names(self) -> list[tuple]:
        with self._lock:
            return list(self._samples)

    def time_of_run(self, moment: float) -> float:
        """A real moment, in seconds since 1970, by the time of runs: there a real second is `speed` seconds."""
        return moment if self.speed == 1 else ORIGIN + AHEAD_SECONDS + (moment - ORIGIN) * self.speed

    def periods(
        self, metric: dict, period: int, start: float, end: float, now: float, told: float | None = None
    ) -> dict[int, list[Sample]]:
        """Samples by the start of their period, for the periods that begin in [start, end), as they lie `now`, which is `told` as another time."""
        told = now if told is None else told
        with self._lock:
            samples = list(self._samples.get(_key_of(metric), ()))
            steady = self._steady.get(_key_of(metric))
        found: dict[int, list[Sample]] = {}
        if steady is not None:
            first, last = math.floor(start / period) * period, min(end, told)
            found = {begin: [sample(begin, [(steady, 1.0)])] for begin in range(first, math.ceil(last), period)}
        for stored in samples:
            stretched = told - (now - stored.timestamp) * self.speed
            begin = math.floor(stretched / period) * period
            if math.floor(start / period) * period <= begin < end:
                found.setdefault(begin, []).append(stored)
        return found


def _key(namespace: str, name: str, dimensions: dict[str, str]) -> tuple:
    return namespace, name, tuple(sorted(dimensions.items()))


def _key_of(metric: dict) -> tuple:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    return _key(metric["Namespace"], metric["MetricName"], dimensions)


_metrics = Metrics(1)


def put(entries: list[dict]) -> None:
    """[{"namespace", "metric_name", "dimensions": {}, "value" or "values": [..], "counts": [..]?, "timestamp_ms"?, "seconds_ago"?}]

    `seconds_ago` is of the stretched time."""
    now = time.time()  # what is put together is of one moment
    for entry in entries:
        values = entry["values"] if "values" in entry else [entry["value"]]
        counts = entry.get("counts") or [1] * len(values)
        ago = entry.get("seconds_ago", 0) / _metrics.speed
        timestamp = entry["timestamp_ms"] / 1000 if "timestamp_ms" in entry else now - ago
        if values:
            made = sample(
                timestamp, [(float(value), float(count)) for value, count in zip(values, counts, strict=True)]
            )
            _metrics.put(entry["namespace"], entry["metric_name"], entry.get("dimensions", {}), made)


def published(namespaces: list[str], until: float) -> None:
    """All datapoints of these namespaces up to a moment, in seconds since 1970, are there."""
    _metrics.published(namespaces, until)


def keep_steady(entries: list[dict]) -> None:
    """[{"namespace", "metric_name", "dimensions": {}, "value"}]"""
    keys = [_key(entry["namespace"], entry["metric_name"], entry.get("dimensions", {})) for entry in entries]
    _metrics.keep_steady({key: float(entry["value"]) for key, entry in zip(keys, entries, strict=True)})


def set_speed(speed: float) -> None:
    _metrics.speed = speed


def time_of_run(moment: float) -> float:
    """See Metrics."""
    return _metrics.time_of_run(moment)


def forget() -> None:
    """As if no datapoint had ever been stored."""
    _metrics.forget()


def install(speed: float) -> None:
    global _metrics
    from moto.cloudwatch.responses import CloudWatchResponse

    _metrics = Metrics(speed)
    CloudWatchResponse.put_metric_data = _put_metric_data
    CloudWatchResponse.get_metric_data = _get_metric_data
    CloudWatchResponse.get_metric_statistics = _get_metric_statistics
    CloudWatchResponse.list_metrics = _list_metrics
    CloudWatchResponse.put_dashboard = _put_dashboard
    alarms.install()


def _invalid(message: str) -> Exception:
    from moto.cloudwatch.exceptions import ValidationError

    return ValidationError(message)


def _refused(code: str, message: str) -> Exception:
    from moto.cloudwatch.exceptions import CloudWatchException

    return CloudWatchException(code, message)


def _seconds(moment) -> float:
    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return moment.replace(tzinfo=moment.tzinfo or datetime.timezone.utc).timestamp()


def _put_metric_data(self):
    """All or nothing, as on AWS."""
    from moto.core.responses import EmptyResult

    namespace, data = self._get_param("Namespace"), self._get_param("MetricData") or []
    if len(data) > DATA_LIMIT:
        raise _refused(
            "InvalidParameterValue", f"The collection MetricData must not have a size greater than {DATA_LIMIT}."
        )
    samples = [_sample_of(datum, f"MetricData.member.{number}") for number, datum in enumerate(data, 1)]
    for datum, made in zip(data, samples, strict=True):
        dimensions = {item["Name"]: item["Value"] for item in datum.get("Dimensions") or []}
        _metrics.put(namespace, datum["MetricName"], dimensions, made)
    return EmptyResult()


def _sample_of(datum: dict, path: str) -> Sample:
    """A datum has one value, up to 150 with their counts, or a statistic set."""
    timestamp = _seconds(datum["Timestamp"]) if datum.get("Timestamp") else time.time()
    forms = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) not in (None, [])]
    if not forms:
        raise _refused(
            "MissingParameter",
            f"At least one of the parameters must be specified: {path}.Value, {path}.Values, {path}.StatisticValues",
        )
    if len(forms) > 1:
        both = " and ".join(f"{path}.{name}" for name in forms)
        raise _refused(
            "InvalidParameterCombination", f"The parameters {both} are mutually exclusive and you have specified both."
        )
    if forms == ["StatisticValues"]:
        return _statistic_set(timestamp, datum["StatisticValues"], path)
    if forms == ["Value"]:
        return sample(timestamp, [(float(datum["Value"]), 1.0)])
    values, counts = datum["Values"], datum.get("Counts") or [1] * len(datum["Values"])
    if len(values) > VALUES_LIMIT:
        raise _refused(
            "InvalidParameterValue", f"The collection {path}.Values must not have a size greater than {VALUES_LIMIT}."
        )
    if len(counts) != len(values):
        raise _refused(
            "InvalidParameterValue", f"The parameters {path}.Values and {path}.Counts must be of the same size."
        )
    return sample(timestamp, [(float(value), float(count)) for value, count in zip(values, counts, strict=True)])


def _statistic_set(timestamp: float, given: dict, path: str) -> Sample:
    total, count, low, high = (float(given[name]) for name in ("Sum", "SampleCount", "Minimum", "Maximum"))
    if count <= 0 or low > high:
        raise _refused("InvalidParameterValue", f"The value for parameter {path}.StatisticValues is invalid.")
    return statistic_set(timestamp, total, count, low, high)


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
    now = time.time()
    told = time_of_run(now) if end > now + AHEAD_SECONDS / 2 else now
    namespaces = {(query.get("MetricStat") or {}).get("Metric", {}).get("Namespace") for query in queries}
    _metrics.await_published(namespaces, now - (told - min(end, told)) / _metrics.speed)
    here = (self.current_account, self.region)
    asked = [query for query in queries if query.get("ReturnData") is not False]
    results = [
        _query_result(query, start, end, (now, told), newest_first) if _is_reported(query, here) else _without_data(query)
        for query in asked
    ]
    return ActionResult({"MetricDataResults": results, "Messages": []})


def _is_reported(query: dict, here: tuple[str, str]) -> bool:
    """A load balancer reports where it is, and nowhere else."""
    dimensions = ((query.get("MetricStat") or {}).get("Metric") or {}).get("Dimensions") or []
    balancer = next((one["Value"] for one in dimensions if one["Name"] == "LoadBalancer"), None)
    arns = [one.arn for one in elbv2.load_balancers() if balancer and one.arn.endswith(f":loadbalancer/{balancer}")]
    return all(tuple(arn.split(":")[3:5]) == here[::-1] for arn in arns)


def _without_data(query: dict) -> dict:
    return {"Id": query["Id"], "Label": query.get("Label") or "", "Timestamps": [], "Values": [], "StatusCode": "Complete"}


def _query_result(query: dict, start: float, end: float, now: tuple[float, float], newest_first: bool) -> dict:
    if not re.match(r"^[a-z][a-zA-Z0-9_]*$", query.get("Id") or ""):
        raise _invalid(
            f"The value {query.get('Id')!r} for parameter Id is not matching the expression [a-z][a-zA-Z0-9_]*."
        )
    if "Expression" in query:
        raise _invalid(f"Expression is not emulated (query {query['Id']}): ask for the metrics and compute")
    if "MetricStat" not in query:
        raise _invalid("The parameter MetricDataQueries.member.1.MetricStat is required.")
    stat = query["MetricStat"]
    points = _points(stat["Metric"], int(stat["Period"]), stat["Stat"], start, end, *now)
    points.sort(reverse=newest_first)
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or stat["Metric"]["MetricName"],
        "Timestamps": [datetime.datetime.fromtimestamp(begin, datetime.timezone.utc) for begin, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _points(
    metric: dict, period: int, stat: str, start: float, end: float, now: float, told: float | None = None
) -> list[tuple[int, float]]:
    if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
        raise _invalid(f"The period {period} must be 1, 5, 10, 20, 30 or a multiple of 60.")
    try:
        statistics.check(stat)
    except statistics.Unsupported as refused:
        raise _invalid(str(refused)) from refused
    periods = _metrics.periods(metric, period, start, end, now, told)
    points = [(begin, statistic(samples, stat)) for begin, samples in periods.items()]
    return [(begin, value) for begin, value in points if value is not None]


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
        for begin, value in _points(metric, period, stat, start, end, time.time()):
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
    return all(item["Name"] in dimensions and item.get("Value") in (None, dimensions[item["Name"]]) for item in wanted)


def _put_dashboard(self):
    """moto takes any JSON. What only might not be drawn is told with the answer; what is wrong is refused."""
    from moto.cloudwatch.exceptions import DashboardInvalidInputError
    from moto.core.responses import ActionResult

    name, body = self._get_param("DashboardName"), self._get_param("DashboardBody")
    checked = dashboards.check(name, body)
    if checked.errors:
        problem = DashboardInvalidInputError(dashboards.refusal(checked.errors))
        problem.dashboardValidationMessages = [message.as_aws() for message in checked.errors]
        raise problem
    self.cloudwatch_backend.put_dashboard(name, body)
    return ActionResult({"DashboardValidationMessages": [message.as_aws() for message in checked.warnings]})
