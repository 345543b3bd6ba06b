"""What PutDashboard refuses, and what it stores with a warning."""

import json
import unittest

from local_aws.clients import client
from local_aws.services.dashboards import NO_SOURCE, check, check_body

from .. import support

METRIC = ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", "app/shop/50dc6c495c0c9188"]


def metric_widget(*metrics, **properties) -> dict:
    fields = {"metrics": [list(one) for one in metrics], "region": "eu-west-1", **properties}
    return {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": fields}


def errors(*widgets, **fields) -> list[tuple[str, str]]:
    found = check_body({"widgets": list(widgets), **fields}).errors
    return [(one.path, one.text) for one in found]


class Body(unittest.TestCase):
    def test_what_the_reference_shows_is_right(self):
        alarm = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-5xx"
        band = [{"value": 0.5, "label": "low"}, {"value": 1, "fill": "above", "color": "#d62728"}]
        right = [
            metric_widget(
                METRIC, period=300, stat="p99.9", title="Requests", legend={"position": "right"}, liveData=False
            ),
            metric_widget(
                [*METRIC, {"id": "m1", "stat": "Sum", "color": "#1f77b4", "yAxis": "right", "visible": False}]
            ),
            metric_widget(METRIC, [".", "HTTPCode_Target_5XX_Count", ".", "."], ["...", {"stat": "PR(:0.5)"}]),
            metric_widget([*METRIC, {"id": "m1"}], [{"expression": "m1 / PERIOD(m1)", "label": "rate", "id": "e1"}]),
            metric_widget(["Cutover", "NewWeight"], annotations={"horizontal": [band, {"value": 3}]}),
            metric_widget(METRIC, annotations={"vertical": [{"value": "2030-03-01T02:00:00Z", "label": "began"}]}),
            {
                "type": "metric",
                "properties": {"annotations": {"alarms": [alarm]}, "region": "eu-west-1", "title": "alarm"},
            },
            metric_widget(METRIC, view="gauge", yAxis={"left": {"min": 0, "max": 100}}),
            {"type": "text", "x": 12, "y": 0, "width": 12, "height": 2, "properties": {"markdown": "# Shop"}},
            {"type": "alarm", "properties": {"title": "Alarms", "alarms": [alarm], "states": ["ALARM"]}},
            {
                "type": "log",
                "properties": {"query": "SOURCE 'a' | fields @message", "region": "eu-west-1", "view": "table"},
            },
        ]
        checked = check_body({"start": "-PT6H", "periodOverride": "inherit", "widgets": right})
        self.assertEqual(([], []), (checked.errors, checked.warnings))
        self.assertEqual([], check_body({"widgets": []}).errors)

    def test_a_metric_widget_needs_a_source(self):
        self.assertEqual(
            [
                ("/widgets/0/properties", "Should have required property 'metrics'"),
                ("/widgets/0/properties", NO_SOURCE),
                ("/widgets/0/properties", "Should have required property 'annotations'"),
            ],
            errors({"type": "metric", "properties": {"region": "eu-west-1"}}),
        )
        self.assertEqual(
            [("/widgets/0/properties", NO_SOURCE)], errors({"type": "metric", "properties": {"metrics": [METRIC]}})
        )

    def test_what_cannot_be_read_of_a_metric_is_an_item_too_many(self):
        place = "/widgets/0/properties/metrics/0"
        for entry, count in (
            (["AWS/RDS", "DatabaseConnections", {"stat": "Sum", "dimensions": {"DBClusterIdentifier": "c"}}], 2),
            (["Custom", "Errors", {"color": "red"}], 2),
            (["Custom", "Errors", {"period": 42}], 2),
            (["AWS/Billing", "EstimatedCharges", "Currency", "USD", "Service"], 4),
            (["Custom", "Errors", {"expression": "m1"}], 2),
        ):
            with self.subTest(entry):
                self.assertEqual([(place, f"Should NOT have more than {count} items")], errors(metric_widget(entry)))
        nested = ["Custom", "Errors", {"a": "b"}, {"stat": "Sum"}]
        self.assertEqual([f"{place}/2"], [path for path, _ in errors(metric_widget(nested))])
        flat = {"type": "metric", "properties": {"region": "eu-west-1", "metrics": METRIC}}
        self.assertEqual(8, len(errors(flat)))

    def test_places_sizes_and_choices(self):
        for widget, expected in (
            ({**metric_widget(METRIC), "x": 24}, ("/widgets/0/x", "Should be <= 23")),
            ({**metric_widget(METRIC), "width": 0}, ("/widgets/0/width", "Should be >= 1")),
            ({**metric_widget(METRIC), "y": "1"}, ("/widgets/0/y", "Should be integer")),
            ({"type": "graph", "properties": {}}, ("/widgets/0/type", "Should be equal to one of the allowed values")),
            ({"type": "text"}, ("/widgets/0", "Should have required property 'properties'")),
            ({"type": "text", "properties": {}}, ("/widgets/0/properties", "Should have required property 'markdown'")),
            (
                metric_widget(METRIC, view="line"),
                ("/widgets/0/properties/view", "Should be equal to one of the allowed values"),
            ),
            (metric_widget(METRIC, period=90), ("/widgets/0/properties/period", "Should match some schema in anyOf")),
            (
                {"type": "alarm", "properties": {"alarms": []}},
                ("/widgets/0/properties/alarms", "Should NOT have less than 1 items"),
            ),
        ):
            with self.subTest(widget):
                self.assertEqual([expected], errors(widget))
        self.assertEqual(
            [("", "Should have required property 'widgets'")], [(e.path, e.text) for e in check_body({}).errors]
        )
        self.assertEqual([("/widgets", "Should NOT have more than 500 items")], errors(*[metric_widget(METRIC)] * 501))
        self.assertEqual(1, len(errors(start="yesterday")))
        gauge = errors(metric_widget(METRIC, view="gauge"))
        self.assertEqual([("/widgets/0/properties", "Should have required property 'yAxis'")], gauge)

    def test_an_unknown_property_is_a_warning(self):
        checked = check_body({"widgets": [metric_widget(METRIC, colour="blue")], "theme": "dark"})
        self.assertEqual([], checked.errors)
        self.assertEqual(["/theme", "/widgets/0/properties/colour"], sorted(one.path for one in checked.warnings))

    def test_a_name_has_letters_digits_dashes_and_underscores(self):
        self.assertEqual([], check("Cutover-shop_1", '{"widgets": []}').errors)
        for name in ("", "a b", "a/b", "ü", "a" * 256):
            self.assertEqual(1, len(check(name, '{"widgets": []}').errors), name)


class PutDashboard(support.TestCase):
    def put(self, body, name: str = "Cutover-shop") -> list[dict]:
        text = body if isinstance(body, str) else json.dumps(body)
        return client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)["DashboardValidationMessages"]

    def test_a_right_one_is_stored(self):
        name = support.unique("right")
        self.assertEqual([], self.put({"widgets": [metric_widget(METRIC)]}, name))
        stored = client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
        self.assertEqual({"widgets": [metric_widget(METRIC)]}, json.loads(stored))

    def test_one_with_warnings_is_stored_and_says_them(self):
        name = support.unique("warned")
        messages = self.put({"widgets": [metric_widget(METRIC, colour="blue")]}, name)
        expected = {"DataPath": "/widgets/0/properties/colour", "Message": "Should NOT have additional properties"}
        self.assertEqual([expected], messages)
        self.assertTrue(client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])

    def test_a_wrong_one_is_refused_with_every_reason_and_not_stored(self):
        name = support.unique("wrong")
        body = {"widgets": [{"type": "text", "properties": {}}, metric_widget(["Custom", "Errors", {"color": "red"}])]}
        message = self.refused("InvalidParameterInput", self.put, body, name)
        self.assertTrue(message.startswith("The dashboard body is invalid, there are 2 validation errors:\n["), message)
        self.assertIn('"dataPath": "/widgets/1/properties/metrics/0"', message)
        self.refused("ResourceNotFound", client("cloudwatch").get_dashboard, DashboardName=name)

    def test_no_json_and_a_wrong_name_are_refused(self):
        self.refused("InvalidParameterInput", self.put, "{")
        self.refused("InvalidParameterInput", self.put, {"widgets": []}, "no spaces")
