"""CloudWatch's alarms: their states, and composite ones.

Contract: `install()`. An action of an alarm is in the alarm's own region. New alarms are INSUFFICIENT_DATA until SetAlarmState; PutMetricAlarm keeps the state of an existing alarm.
Composite alarms can be made, and are answered to whoever asks for them.
"""

import re


def install() -> None:
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    CloudWatchResponse.put_composite_alarm = _put_composite_alarm
    CloudWatchResponse.describe_alarms = _of_wanted_types(CloudWatchResponse.describe_alarms)
    _keep_alarm_states(CloudWatchBackend)
    _refuse_actions_elsewhere(CloudWatchBackend)


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
