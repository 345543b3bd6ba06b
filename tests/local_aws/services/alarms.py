"""CloudWatch's alarms: their states, and composite ones.

Contract: `install()`. An action of an alarm is in the alarm's own region. New alarms are INSUFFICIENT_DATA until SetAlarmState; PutMetricAlarm keeps the state of an existing alarm.
Composite alarms can be made, and are answered to whoever asks for them. What PutMetricAlarm's API reference refuses is refused: too many actions,
dimensions, too long a time, no such statistic, not one series to look at.
"""

import re


def install() -> None:
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    CloudWatchResponse.put_composite_alarm = _put_composite_alarm
    CloudWatchResponse.describe_alarms = _of_wanted_types(CloudWatchResponse.describe_alarms)
    _keep_alarm_states(CloudWatchBackend)
    _refuse_actions_elsewhere(CloudWatchBackend)
    _refuse_what_the_reference_refuses(CloudWatchBackend)


def _put_composite_alarm(self):
    """moto describes composite alarms, and makes none. Their rule is not evaluated: SetAlarmState tells."""
    from moto.cloudwatch.exceptions import ValidationError

    rule = self._get_param("AlarmRule")
    if not re.search(r"(ALARM|OK|INSUFFICIENT_DATA)\s*\(|TRUE|FALSE", rule or ""):
        raise ValidationError(f"AlarmRule must be a rule of alarms' states: {rule}")
    return self.put_metric_alarm()


def _of_wanted_types(stock):
    """Without AlarmTypes only metric alarms are answered (API reference, DescribeAlarms)."""

    def describe_alarms(self):
        answer = stock(self)
        wanted = self._get_param("AlarmTypes") or ["MetricAlarm"]
        for kind in ("MetricAlarm", "CompositeAlarm"):
            if kind not in wanted:
                answer.result[f"{kind}s"] = []
        return answer

    return describe_alarms


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


def _refuse_actions_elsewhere(backend_class) -> None:
    """As AWS words it to those who have tried (ValidationError of PutMetricAlarm); moto takes whatever is written."""
    from moto.cloudwatch.exceptions import ValidationError

    stock = backend_class.put_metric_alarm

    def put_metric_alarm(self, *args, **kwargs):
        for name in ("ok_actions", "alarm_actions", "insufficient_data_actions"):
            for action in kwargs.get(name) or []:
                region = action.split(":")[3] if action.count(":") > 4 else ""
                if region and region != self.region_name:
                    raise ValidationError(f"Invalid region {region} specified. Only {self.region_name} is supported.")
        return stock(self, *args, **kwargs)

    backend_class.put_metric_alarm = put_metric_alarm


ACTIONS = ("ok_actions", "alarm_actions", "insufficient_data_actions")
MOST_ACTIONS, MOST_DIMENSIONS = 5, 30
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
EXTENDED = re.compile(r"IQM|(p|tm|tc|ts|wm)(100(\.0+)?|\d{1,2}(\.\d+)?)|(PR|TC|TM|TS|WM)\([\d.%]*:[\d.%]*\)")
METRIC_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")


def _refuse_what_the_reference_refuses(backend_class) -> None:
    """API reference of PutMetricAlarm and MetricDataQuery; moto takes nearly anything."""
    from moto.cloudwatch.exceptions import ValidationError

    stock = backend_class.put_metric_alarm

    def put_metric_alarm(self, *args, **kwargs):
        problem = next(_problems(kwargs), None)
        if problem:
            raise ValidationError(problem)
        return stock(self, *args, **kwargs)

    backend_class.put_metric_alarm = put_metric_alarm


def _problems(alarm: dict):
    """What is wrong with an alarm; one that is composite has none of these fields."""
    queries = alarm.get("metric_data_queries") or []
    stats = [query.metric_stat for query in queries if query.metric_stat]
    for name in ACTIONS:
        if len(alarm.get(name) or []) > MOST_ACTIONS:
            yield f"Member {name} must have length less than or equal to {MOST_ACTIONS}"
    for dimensions in [alarm.get("dimensions") or [], *(stat.metric.dimensions or [] for stat in stats)]:
        if len(dimensions) > MOST_DIMENSIONS:
            yield f"Member dimensions must have length less than or equal to {MOST_DIMENSIONS}"
    periods = [alarm.get("period"), *(query.period for query in queries), *(stat.period for stat in stats)]
    period = max((int(period) for period in periods if period), default=0)
    most = DAY if period < HOUR else WEEK
    if int(alarm.get("evaluation_periods") or 0) * period > most:
        yield f"Metrics cannot be checked across more than {most} seconds (EvaluationPeriods * Period must be <= {most})"
    extended = alarm.get("extended_statistic")
    for text in [extended] if extended else []:
        if not EXTENDED.fullmatch(text):
            yield f"The value {text} for parameter ExtendedStatistic is not supported."
    for stat in stats:
        if stat.stat not in PLAIN and not EXTENDED.fullmatch(stat.stat):
            yield f"The value {stat.stat} for parameter Stat is not supported."
    for query in queries:
        if not METRIC_ID.fullmatch(query.id):
            yield f"Invalid metric id {query.id}"
    looked_at = sum(query.return_data not in (False, "false") for query in queries)
    if queries and looked_at != 1 and not alarm.get("threshold_metric_id"):
        yield "Exactly one element of the metrics list should return data."
