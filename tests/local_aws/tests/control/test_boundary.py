"""The journal of requests, and faults."""

import io
import json
import threading
import time
from types import SimpleNamespace

from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from local_aws.clients import client
from local_aws.control.boundary import Boundary

from .. import support
from ..services.test_functions import invoke
from ..support import control, echo, machine, output, start

SUCCEED = {"Type": "Succeed"}


def has_topic(name: str) -> bool:
    return any(topic["TopicArn"].endswith(":" + name) for topic in client("sns").list_topics()["Topics"])


class Requests(support.TestCase):
    def tearDown(self):
        control("faults", [])
        support.server().boundary.denials = []

    def requests(self, **wanted) -> list[dict]:
        return [entry for entry in control("requests") if all(entry[key] == value for key, value in wanted.items())]


class Journal(Requests):
    def test_it_tells_who_asked_for_what(self):
        since = control("requests")[-1]["seq"]
        client("route53", "curious").list_hosted_zones()
        client("elbv2", "curious").describe_load_balancers()
        client("cloudwatch", "curious").describe_alarms()
        client("dynamodb", "curious").list_tables()
        asked = [(entry["service"], entry["operation"]) for entry in control(f"requests?since={since}")]
        self.assertEqual(
            [
                ("route53", "ListHostedZones"),
                ("elasticloadbalancing", "DescribeLoadBalancers"),
                ("cloudwatch", "DescribeAlarms"),
                ("dynamodb", "ListTables"),
            ],
            asked,
        )
        self.assertEqual(4, len(self.requests(caller="curious", status=200)))

    def test_it_tells_the_state_that_invoked_a_function(self):
        execution = start(machine({"Some state": echo({})}))
        support.ended(execution)
        (entry,) = self.requests(execution=execution)
        self.assertEqual(
            ("states", "lambda", "Invoke", "Some state", "cutover-echo"),
            tuple(entry[key] for key in ("caller", "service", "operation", "state", "function")),
        )


class Faults(Requests):
    def test_errors_come_in_the_protocol_of_the_service(self):
        for service, call in (
            ("route53", "list_hosted_zones"),
            ("elasticloadbalancing", "describe_load_balancers"),
            ("cloudwatch", "describe_alarms"),
            ("sns", "list_topics"),
            ("dms", "describe_replication_tasks"),
            ("dynamodb", "list_tables"),
            ("states", "list_state_machines"),
            ("lambda", "list_functions"),
        ):
            control("faults", [{"match": {"service": service}, "do": "before", "error": "Throttling", "message": "slow"}])
            name = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}.get(service, service)
            with self.subTest(service):
                self.assertEqual("slow", self.refused("Throttling", getattr(client(name, "somebody"), call)))

    def test_set_up_is_spared(self):
        control("faults", [{"match": {"service": "sns"}, "do": "before", "error": "X", "times": None}])
        client("sns").list_topics()
        self.refused("X", client("sns", "somebody").list_topics)

    def test_from_and_times(self):
        rule = {"match": {"service": "sns"}, "from": 2, "times": 2, "do": "before", "error": "X"}
        control("faults", [rule])
        api, results = client("sns", "somebody"), []
        for _ in range(5):
            try:
                api.list_topics()
                results.append("ok")
            except ClientError:
                results.append("X")
        self.assertEqual(["ok", "X", "X", "ok", "ok"], results)
        self.assertEqual([{**rule, "seen": 5, "hits": 2}], control("faults"))

    def test_before_has_no_effect_and_after_has(self):
        for action, expected in (("before", 0), ("after", 1)):
            name = support.unique("topic")
            control("faults", [{"match": {"operation": "CreateTopic"}, "do": action, "error": "X"}])
            self.refused("X", client("sns", "somebody").create_topic, Name=name)
            topics = [topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]]
            self.assertEqual(expected, sum(arn.endswith(":" + name) for arn in topics), action)

    def test_function_errors(self):
        match = {"function": "cutover-echo", "caller": "somebody"}
        for action in ("before", "after"):
            control("faults", [{"match": match, "do": action, "error": "Cutover.X", "message": "m"}])
            count = len(control("invocations"))
            answer = client("lambda", "somebody").invoke(FunctionName="cutover-echo", Payload=b"{}")
            self.assertEqual("Unhandled", answer["FunctionError"])
            self.assertEqual(b'{"errorType": "Cutover.X", "errorMessage": "m"}', answer["Payload"].read())
            self.assertEqual(count + (action == "after"), len(control("invocations")))

    def test_a_function_that_times_out_after_its_effect(self):
        control("faults", [{"match": {"state": "A"}, "do": "timeout_after"}])
        count = len(control("invocations"))
        catch = [{"ErrorEquals": ["Sandbox.Timedout"], "Next": "C", "Output": "caught"}]
        self.assertEqual("caught", output(support.run({"A": echo({}, Catch=catch), "C": SUCCEED})))
        self.assertEqual(count + 1, len(control("invocations")))

    def test_a_service_task_that_times_out(self):
        control("faults", [{"match": {"state": "A"}, "do": "timeout_after"}])
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sns:listTopics",
            "Arguments": {},
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "C", "Output": "caught"}],
            "End": True,
        }
        self.assertEqual("caught", output(support.run({"A": state, "C": SUCCEED})))

    def test_faults_by_execution_spare_others(self):
        arn = machine({"W": {"Type": "Wait", "Seconds": 30, "Next": "A"}, "A": echo({})})
        hit, spared = start(arn), start(arn)
        control("faults", [{"match": {"execution": hit}, "do": "before", "error": "Hit", "times": None}])
        self.assertEqual(("Hit", None), (support.ended(hit).get("error"), support.ended(spared).get("error")))

    def test_delay(self):
        control("faults", [{"match": {"caller": "local", "function": "cutover-echo"}, "do": "delay", "seconds": 0.3}])
        started = time.monotonic()
        invoke({})
        self.assertGreaterEqual(time.monotonic() - started, 0.3)

    def test_an_answer_comes_late_and_its_effect_at_once(self):
        name = support.unique("topic")
        control("faults", [{"match": {"operation": "CreateTopic"}, "do": "late", "seconds": 4}])
        creating = threading.Thread(target=client("sns", "somebody").create_topic, kwargs={"Name": name})
        creating.start()
        support.until(lambda: has_topic(name), 3)
        self.assertTrue(creating.is_alive())
        creating.join()

    def test_an_answer_is_lost_or_garbled_after_the_effect(self):
        for action, error in (("lose", ConnectionClosedError), ("garble", ResponseParserError)):
            name = support.unique("topic")
            control("faults", [{"match": {"operation": "CreateTopic"}, "do": action}])
            with self.subTest(action), self.assertRaises(error):
                client("sns", "somebody").create_topic(Name=name)
            self.assertTrue(has_topic(name))

    def test_a_stale_read_is_from_before_the_last_change(self):
        api, name = client("sns", "somebody"), support.unique("topic")
        before = len(api.list_topics()["Topics"])
        api.create_topic(Name=name)
        control("faults", [{"match": {"operation": "ListTopics"}, "do": "stale"}])
        self.assertEqual([before, before + 1], [len(api.list_topics()["Topics"]) for _ in range(2)])

    def test_what_was_never_asked_before_cannot_be_stale(self):
        api, name = client("sns", "somebody"), support.unique("topic")
        arn = api.create_topic(Name=name)["TopicArn"]
        control("faults", [{"match": {"operation": "GetTopicAttributes"}, "do": "stale"}])
        self.assertEqual(arn, api.get_topic_attributes(TopicArn=arn)["Attributes"]["TopicArn"])

    def test_a_function_is_killed_before_or_after_what_it_asks_for(self):
        for action in ("kill_before", "kill_after"):
            name = support.unique("topic")
            control("faults", [{"match": {"operation": "CreateTopic", "state": "A"}, "do": action}])
            catch = [{"ErrorEquals": ["Runtime.ExitError"], "Next": "C", "Output": "caught"}]
            state = echo({"do": "call", "name": name}, Catch=catch)
            with self.subTest(action):
                self.assertEqual("caught", output(support.run({"A": state, "C": SUCCEED})))
                self.assertEqual(action == "kill_after", has_topic(name))

    def test_a_functions_requests_have_the_state_for_which_it_was_invoked(self):
        execution = start(machine({"Some state": echo({"do": "call", "name": support.unique("topic")})}))
        support.ended(execution)
        entries = [entry for entry in control("requests") if entry["execution"] == execution]
        self.assertEqual(
            [("states", "Invoke", "Some state"), ("echo", "CreateTopic", "Some state")],
            [(entry["caller"], entry["operation"], entry["state"]) for entry in entries],
        )

    def test_a_function_that_runs_twice(self):
        control("faults", [{"match": {"caller": "somebody", "function": "cutover-echo"}, "do": "twice"}])
        count = len(control("invocations"))
        answer = client("lambda", "somebody").invoke(FunctionName="cutover-echo", Payload=b"{}")
        self.assertIn("pid", json.load(answer["Payload"]))
        self.assertEqual(count + 2, len(control("invocations")))

    def test_an_execution_is_stopped_when_it_asks(self):
        stop = {"service": "stepfunctions", "operation": "stop_execution", "parameters": {"executionArn": "<execution>"}}
        for action in ("call", "call_after"):
            arn = machine({"A": echo({})})
            name = arn.rpartition(":")[2]
            control("faults", [{"match": {"machine": name}, "do": action, "call": stop}])
            with self.subTest(action):
                self.assertEqual("ABORTED", support.ended(start(arn))["status"])

    def test_what_is_called_in_between_may_be_refused(self):
        wrong = {"service": "route53", "operation": "get_hosted_zone", "parameters": {"Id": "Z0NONE"}}
        control("faults", [{"match": {"service": "sns", "caller": "somebody"}, "do": "call", "call": wrong}])
        client("sns", "somebody").list_topics()

    def test_a_wrong_rule_is_refused(self):
        for rule in ({"match": {"operations": "x"}, "do": "before"}, {"match": {"service": "sns"}, "do": "never"}):
            with self.subTest(rule), self.assertRaises(support.ControlError):
                control("faults", [rule])


class Routings(support.TestCase):
    def test_the_routing_is_noted_after_each_change_that_a_function_made(self):
        boundary = Boundary(None)
        for service, operation, process, noted in (
            ("elasticloadbalancing", "ModifyListener", True, 1),
            ("route53", "ChangeResourceRecordSets", True, 2),
            ("route53", "GetChange", True, 2),
            ("elasticloadbalancing", "ModifyListener", None, 2),
            ("dynamodb", "PutItem", True, 2),
        ):
            boundary._note_routing(SimpleNamespace(service=service, operation=operation), process)
            self.assertEqual(noted, len(boundary.routings), (service, operation))


class Exchanges(support.TestCase):
    def test_what_functions_ask_is_kept_word_for_word_once_it_is_wanted(self):
        def aws(environ, start_response):
            start_response("200 OK", [("Content-Type", "application/x-amz-json-1.0"), ("Date", "today")])
            return [b"\xff" if environ["wsgi.input"].read() == b"{}" else b"other"]

        invocation = SimpleNamespace(id="1", state="Claim", execution="e", payload=b'{"route": 0}')
        boundary = Boundary(aws)
        boundary.runtime = SimpleNamespace(processes={"token": SimpleNamespace(current=invocation)})
        for keeps, token, kept in ((False, "token", 0), (True, "token", 1), (True, "nobody", 1)):
            if keeps and boundary.exchanges is None:
                boundary.keep_exchanges()
            boundary(asked(token, b"{}"), lambda *head: None)
            self.assertEqual(kept, len(boundary.exchanges or []), (keeps, token))
        exchange = boundary.exchanges[0]
        self.assertEqual(({"route": 0}, "dynamodb GetItem", "/?x=1"), (exchange["event"], exchange["operation"], exchange["path"]))
        self.assertEqual(({"text": "{}"}, {"base64": "/w=="}), (exchange["asked"], exchange["answer"]))
        self.assertEqual({"content-type": "application/x-amz-json-1.0"}, exchange["headers"])


def asked(token: str, body: bytes) -> dict:
    """A signed request, as WSGI has it."""
    signed = "AWS4-HMAC-SHA256 Credential=somebody/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "x=1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": signed,
        "HTTP_X_AMZ_SECURITY_TOKEN": token,
        "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.GetItem",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
