"""Metrics on a stretched clock, alarms, and the protocols that SDKs speak."""

import datetime
import threading
import time
import unittest
import urllib.error
import urllib.request

from local_aws.clients import client
from local_aws.control import cbor
from local_aws.services.cloudwatch import Metrics
from local_aws.services.statistics import sample, statistic
from local_aws.settings import ACCOUNT_ID

from .. import support
from ..support import SPEED, control

UTC = datetime.timezone.utc


class Clock(unittest.TestCase):
    def periods(self, speed: float, age_seconds: float) -> list[float]:
        """How old the period is in which a datapoint of this age lands."""
        metrics, now = Metrics(speed), time.time()
        metrics.put("N", "M", {"a": "b"}, sample(now - age_seconds, [(1.0, 1.0)]))
        metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "a", "Value": "b"}]}
        return [now - begin for begin in metrics.periods(metric, 60, now - 36_000, now + 60, now)]

    def test_speed_1_is_plain(self):
        (age,) = self.periods(1, 120)
        self.assertTrue(120 <= age < 180, age)

    def test_a_second_counts_as_speed_seconds(self):
        (age,) = self.periods(60, 10)
        self.assertTrue(600 <= age < 661, age)

    def test_what_was_before_the_window_is_left_out(self):
        self.assertEqual([], self.periods(60, 700))


class TimeOfRuns(unittest.TestCase):
    """By the time of a run a datapoint stays in its period, whenever one asks."""

    METRIC = {"Namespace": "N", "MetricName": "M", "Dimensions": []}

    def test_a_period_has_a_start_of_its_own(self):
        metrics, now = Metrics(600), time.time()
        metrics.put("N", "M", {}, sample(now, [(1.0, 1.0)]))
        seen = []
        for later in (0, 3, 70):
            told = metrics.time_of_run(now + later)
            seen.append(list(metrics.periods(self.METRIC, 60, told - 90_000, told + 60, now + later, told)))
        (begin,) = seen[0]
        self.assertTrue(begin <= metrics.time_of_run(now) < begin + 60)
        self.assertEqual([seen[0]] * 3, seen)

    def test_at_speed_1_it_is_the_time(self):
        self.assertEqual(7.0, Metrics(1).time_of_run(7.0))


class Steady(unittest.TestCase):
    METRIC = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "a", "Value": "b"}]}

    def test_every_period_has_a_datapoint_up_to_now(self):
        metrics, now = Metrics(600), time.time()
        metrics.keep_steady({("N", "M", (("a", "b"),)): 7.0})
        periods = metrics.periods(self.METRIC, 60, now - 600, now + 600, now)
        self.assertEqual(11, len(periods))
        self.assertEqual({7.0}, {statistic(samples, "p99") for samples in periods.values()})
        metrics.forget()
        self.assertEqual({}, metrics.periods(self.METRIC, 60, now - 600, now, now))


class Published(unittest.TestCase):
    """A publisher that is late is waited for; one that has ended is not."""

    def test_whoever_asks_waits_until_all_is_published(self):
        metrics, began = Metrics(3600), time.time()
        metrics.published(["N"], began)
        threading.Timer(0.2, metrics.published, (["N"], began + 10)).start()
        metrics.await_published({"N", "M"}, began + 5)
        self.assertTrue(0.15 < time.time() - began < 0.9)
        metrics.await_published({"N"}, began + 6)
        self.assertLess(time.time() - began, 0.9)

    def test_a_publisher_that_is_silent_has_ended(self):
        metrics, began = Metrics(3600, patience_seconds=0.5), time.time()
        metrics.published(["N"], began)
        metrics.await_published({"N"}, began + 5)
        waited = time.time() - began
        metrics.await_published({"N"}, began + 5)
        self.assertTrue(waited >= 0.5 and time.time() - began - waited < 0.2)

    def test_a_publisher_that_a_busy_machine_stops_for_seconds_has_not(self):
        metrics, began = Metrics(600), time.time()
        metrics.published(["N"], began)
        threading.Timer(2.5, metrics.published, (["N"], began + 10)).start()
        metrics.await_published({"N"}, began + 5)
        self.assertGreater(time.time() - began, 2.4)


class GetMetricData(support.TestCase):
    def setUp(self):
        self.api, self.namespace = client("cloudwatch"), support.unique("N")

    def query(self, **fields) -> dict:
        metric = {"Namespace": self.namespace, "MetricName": "M", "Dimensions": [{"Name": "a", "Value": "b"}]}
        return {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, **fields}

    def ask(self, *queries, **fields) -> dict:
        now = datetime.datetime.now(UTC)
        window = {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now + datetime.timedelta(minutes=1)}
        return self.api.get_metric_data(MetricDataQueries=list(queries), **window, **fields)

    def put(self, *ages_and_values) -> None:
        now = time.time()
        control(
            "metrics",
            [
                {
                    "namespace": self.namespace,
                    "metric_name": "M",
                    "dimensions": {"a": "b"},
                    "value": value,
                    "timestamp_ms": (now - age) * 1000,
                }
                for age, value in ages_and_values
            ],
        )

    def test_a_datapoint_is_as_old_as_it_is_told_to_be(self):
        told = {"namespace": self.namespace, "metric_name": "M", "dimensions": {"a": "b"}, "value": 7, "seconds_ago": 1200}
        control("metrics", [told])
        (at,) = self.ask(self.query())["MetricDataResults"][0]["Timestamps"]
        age = time.time() - at.timestamp()
        self.assertTrue(1200 <= age < 1300, age)

    def test_newest_first_and_stretched(self):
        self.put((20, 1), (10, 2), (0, 3))
        result = self.ask(self.query())["MetricDataResults"][0]
        self.assertEqual(("Complete", [3, 2, 1]), (result["StatusCode"], result["Values"]))
        gaps = [(a - b).total_seconds() for a, b in zip(result["Timestamps"], result["Timestamps"][1:])]
        self.assertEqual([10 * SPEED, 10 * SPEED], gaps)
        oldest_first = self.ask(self.query(), ScanBy="TimestampAscending")["MetricDataResults"][0]
        self.assertEqual([1, 2, 3], oldest_first["Values"])

    def test_dimensions_must_be_the_same(self):
        self.put((0, 1))
        query = self.query()
        query["MetricStat"]["Metric"]["Dimensions"] = []
        self.assertEqual([], self.ask(query)["MetricDataResults"][0]["Values"])

    def test_values_and_counts_of_the_api(self):
        dimensions = [{"Name": "a", "Value": "b"}]
        datum = {"MetricName": "M", "Dimensions": dimensions, "Values": [1, 5], "Counts": [3, 1]}
        statistics = {"SampleCount": 2, "Sum": 20, "Minimum": 9, "Maximum": 11}
        self.api.put_metric_data(
            Namespace=self.namespace,
            MetricData=[datum, {"MetricName": "M", "Dimensions": dimensions, "StatisticValues": statistics}],
        )
        for stat, expected in (("Sum", 28), ("SampleCount", 6), ("Maximum", 11), ("p50", 1)):
            query = self.query()
            query["MetricStat"]["Stat"] = stat
            self.assertEqual([expected], self.ask(query)["MetricDataResults"][0]["Values"], stat)
        self.assertEqual(1, len(self.api.list_metrics(Namespace=self.namespace)["Metrics"]))

    def stat(self, name: str) -> list[float]:
        query = self.query()
        query["MetricStat"]["Stat"] = name
        return self.ask(query)["MetricDataResults"][0]["Values"]

    def put_by_api(self, **datum) -> None:
        dimensions = [{"Name": "a", "Value": "b"}]
        self.api.put_metric_data(
            Namespace=self.namespace, MetricData=[{"MetricName": "M", "Dimensions": dimensions, **datum}]
        )

    def test_percentiles_ranks_and_counts_of_what_was_put(self):
        self.put_by_api(Values=[0.1, 0.4, 0.5, 2.0], Counts=[90, 5, 3, 2])
        for name, expected in (
            ("p50", 0.1),
            ("p99", 2.0),
            ("PR(:0.5)", 98),
            ("TC(0.5:)", 2),
            ("TC(0.1:0.5)", 8),
            ("tc90", 90),
        ):
            self.assertEqual([expected], self.stat(name), name)

    def test_a_statistic_set_has_no_percentiles_but_where_it_says_them(self):
        self.put_by_api(StatisticValues={"SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 11})
        self.assertEqual(([], [], [], [5]), tuple(map(self.stat, ("p50", "PR(:5)", "TC(5:)", "Average"))))
        self.namespace = support.unique("N")
        self.put_by_api(StatisticValues={"SampleCount": 4, "Sum": 20, "Minimum": 5, "Maximum": 5})
        self.assertEqual(([5], [4]), (self.stat("p50"), self.stat("TC(:5)")))

    def test_a_datum_has_exactly_one_form(self):
        statistics = {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}
        self.refused("InvalidParameterCombination", self.put_by_api, Value=1, Values=[1])
        self.refused("InvalidParameterCombination", self.put_by_api, Value=1, StatisticValues=statistics)
        self.refused("MissingParameter", self.put_by_api)
        self.refused("InvalidParameterValue", self.put_by_api, Values=[1, 2], Counts=[1])
        self.refused("InvalidParameterValue", self.put_by_api, Values=[1] * 151)
        self.refused("InvalidParameterValue", self.put_by_api, StatisticValues={**statistics, "SampleCount": 0})
        self.assertEqual([], self.stat("Sum"))

    def test_an_unknown_statistic_is_refused_with_or_without_data(self):
        for name in ("Median", "p101", "PR(1%:5%)", "TC(:)", "TC(1:5%)", "PR(-1:2)"):
            self.refused("ValidationError", self.stat, name)

    def test_refusals(self):
        for queries in (
            [{"Id": "m", "Expression": "m1 / m2"}],
            [self.query(Id="Upper")],
            [self.query(), self.query()],
            [{"Id": "m"}],
            [self.query(Id=f"m{number}") for number in range(501)],
        ):
            self.refused("ValidationError", self.ask, *queries)

    def test_get_metric_statistics(self):
        self.put((0, 1), (0, 3))
        now = datetime.datetime.now(UTC)
        points = self.api.get_metric_statistics(
            Namespace=self.namespace,
            MetricName="M",
            Dimensions=[{"Name": "a", "Value": "b"}],
            StartTime=now - datetime.timedelta(hours=1),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=300,
            Statistics=["Sum", "Average"],
            ExtendedStatistics=["p50"],
        )["Datapoints"]
        self.assertEqual([(4, 2, {"p50": 1})], [(p["Sum"], p["Average"], p["ExtendedStatistics"]) for p in points])


class Alarms(support.TestCase):
    def test_composite_alarms_are_answered_to_whoever_asks_for_them(self):
        api, name = client("cloudwatch"), support.unique("composite")
        api.put_composite_alarm(AlarmName=name, AlarmRule='ALARM("slow") OR ALARM("errors")', ActionsEnabled=False)
        self.assertEqual([], api.describe_alarms(AlarmNames=[name]).get("CompositeAlarms", []))
        found = api.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        self.assertEqual([], found.get("MetricAlarms", []))
        (alarm,) = found["CompositeAlarms"]
        self.assertEqual(("INSUFFICIENT_DATA", False), (alarm["StateValue"], alarm["ActionsEnabled"]))
        api.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
        (alarm,) = api.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        self.assertEqual("OK", alarm["StateValue"])
        self.refused("ValidationError", api.put_composite_alarm, AlarmName=name, AlarmRule="slow")

    def test_an_action_in_another_region_than_the_alarms_is_refused(self):
        api, name = client("cloudwatch", at=(ACCOUNT_ID, "eu-central-1")), support.unique("alarm")
        given = {"AlarmName": name, "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
        given |= {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
        topic = "arn:aws:sns:{}:222222222222:pages"
        message = self.refused("ValidationError", api.put_metric_alarm, **given, AlarmActions=[topic.format("eu-west-1")])
        self.assertEqual("Invalid region eu-west-1 specified. Only eu-central-1 is supported.", message)
        api.put_metric_alarm(**given, AlarmActions=[topic.format("eu-central-1")])
        (alarm,) = api.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        self.assertEqual(f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT_ID}:alarm:{name}", alarm["AlarmArn"])

    def test_what_the_api_reference_refuses_is_refused(self):
        api, topic = client("cloudwatch"), f"arn:aws:sns:eu-west-1:{ACCOUNT_ID}:pages"
        base = {"AlarmName": support.unique("alarm"), "EvaluationPeriods": 1, "Threshold": 1}
        base |= {"ComparisonOperator": "GreaterThanThreshold"}
        one = base | {"Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60}
        dimension = lambda number: {"Name": f"d{number}", "Value": "v"}  # noqa: E731

        def several(*queries: dict, **more) -> dict:
            stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
            return base | {"Metrics": [{"MetricStat": stat, **query} for query in queries], **more}

        for right in (
            one | {"EvaluationPeriods": 1440, "AlarmActions": [topic] * 5, "Dimensions": [dimension(n) for n in range(30)]},
            one | {"EvaluationPeriods": 168, "Period": 3600},
            several({"Id": "a"}, {"Id": "b", "ReturnData": False}),
        ):
            api.put_metric_alarm(**right)
        percentile = {name: value for name, value in one.items() if name != "Statistic"} | {"ExtendedStatistic": "p101"}
        for wrong in (
            one | {"EvaluationPeriods": 1441},
            one | {"EvaluationPeriods": 169, "Period": 3600},
            one | {"AlarmActions": [topic] * 6},
            one | {"Dimensions": [dimension(n) for n in range(31)]},
            percentile,
            several({"Id": "a"}, {"Id": "b"}),
            several({"Id": "A"}),
            several({"Id": "a"}, EvaluationPeriods=1441),
        ):
            with self.subTest(wrong):
                with self.assertRaises(api.exceptions.ClientError):
                    api.put_metric_alarm(**wrong)

    def test_a_new_alarm_has_no_data_and_keeps_its_state(self):
        api, name = client("cloudwatch"), support.unique("alarm")

        def put(threshold: float):
            api.put_metric_alarm(
                AlarmName=name,
                Namespace="N",
                MetricName="M",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=threshold,
                ComparisonOperator="GreaterThanThreshold",
            )

        def alarm() -> tuple:
            found = api.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
            return found["StateValue"], found["Threshold"]

        put(1)
        self.assertEqual(("INSUFFICIENT_DATA", 1), alarm())
        api.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
        put(2)
        self.assertEqual(("ALARM", 2), alarm())


class Cbor(support.TestCase):
    """The Rust SDK for CloudWatch speaks smithy rpc-v2-cbor."""

    def call(self, operation: str, parameters: dict, caller: str = "monitor") -> tuple[int, dict]:
        request = urllib.request.Request(
            f"{support.server().settings.endpoint_url}/service/GraniteServiceVersion20100801/operation/{operation}",
            data=cbor.encode(parameters),
            headers={
                **cbor.HEADERS,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={caller}/20250101/eu-west-1/monitoring/aws4_request",
            },
        )
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            self.assertEqual("rpc-v2-cbor", answer.headers["smithy-protocol"])
            self.assertEqual("application/cbor", answer.headers["Content-Type"])
            return answer.status, cbor.decode(answer.read())

    def test_metric_data_with_times(self):
        namespace, now = support.unique("N"), datetime.datetime.now(UTC)
        control("metrics", [{"namespace": namespace, "metric_name": "M", "value": 4}])
        metric = {"Namespace": namespace, "MetricName": "M"}
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}
        window = {"StartTime": now - datetime.timedelta(minutes=5), "EndTime": now + datetime.timedelta(minutes=1)}
        status, answer = self.call("GetMetricData", {"MetricDataQueries": [query], **window})
        result = answer["MetricDataResults"][0]
        self.assertEqual((200, [4.0], "Complete"), (status, result["Values"], result["StatusCode"]))
        self.assertIsInstance(result["Values"][0], float)
        self.assertIsInstance(result["Timestamps"][0], datetime.datetime)

    def test_alarms(self):
        name = support.unique("alarm")
        alarm = {
            "AlarmName": name,
            "Namespace": "N",
            "MetricName": "M",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.5,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        self.assertEqual((200, {}), self.call("PutMetricAlarm", alarm))
        (found,) = self.call("DescribeAlarms", {"AlarmNames": [name]})[1]["MetricAlarms"]
        self.assertEqual((1.5, "INSUFFICIENT_DATA"), (found["Threshold"], found["StateValue"]))
        self.assertIsInstance(found["StateUpdatedTimestamp"], datetime.datetime)

    def test_errors_and_faults(self):
        now = datetime.datetime.now(UTC)
        expression = {"MetricDataQueries": [{"Id": "e", "Expression": "m1"}]}
        window = {"StartTime": now - datetime.timedelta(minutes=5), "EndTime": now}
        status, answer = self.call("GetMetricData", {**expression, **window})
        self.assertEqual(400, status)
        self.assertIn("not emulated", answer["message"] if "message" in answer else answer["Message"])
        self.addCleanup(control, "faults", [])
        control("faults", [{"match": {"operation": "DescribeAlarms"}, "do": "before", "error": "Throttling"}])
        status, answer = self.call("DescribeAlarms", {})
        self.assertEqual((400, "Throttling"), (status, answer["__type"]))

    def test_the_encoding(self):
        moment = datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
        value = {"a": [1, -1, 23, 24, 255, 65536, 2**33, 1.5, None, True, False, "é", b"x"], "t": moment}
        self.assertEqual(value, cbor.decode(cbor.encode(value)))
        endless = b"\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff"
        self.assertEqual({"a": [1, 2], "b": "xy"}, cbor.decode(endless))
