"""An account that is emptied between runs."""

import threading
import time

from local_aws.clients import client
from local_aws.services import functions
from local_aws.world import maker

from .. import support
from ..support import control, echo, machine, start

PLAN = {
    "application": "cleared",
    "hooks": {"quiesce": [{"function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:cleared-hook"}]},
    "notify": {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:cleared"},
}


class Clear(support.TestCase):
    def test_all_is_gone_but_what_is_deployed(self):
        control("world", {"plan": PLAN, "ports": {"old": 1, "new": 2}})
        client("dynamodb").put_item(TableName="cutover-journal", Item={"pk": {"S": "run#x"}})
        arn = machine({"W": {"Type": "Wait", "Seconds": 3600, "Next": "A"}, "A": echo({})})
        start(arn)
        control("clear", {})
        self.assertEqual([], client("stepfunctions").list_executions(stateMachineArn=arn)["executions"])
        self.assertEqual([], client("sns").list_topics()["Topics"])
        self.assertEqual([], control("dump")["journal"])
        self.assertEqual([], [entry for entry in control("requests") if entry["caller"] != "local"])
        names = [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]]
        self.assertIn(functions.PREFIX + "echo", names)
        self.assertNotIn("cleared-hook", names)

    def test_what_is_started_meanwhile_is_ended_too(self):
        arn = machine({"W": {"Type": "Wait", "Seconds": 36000, "End": True}})
        start(machine({"A": echo({"do": "sleep", "seconds": 2})}))
        support.until(lambda: support.server().boundary.is_busy)
        clearing = threading.Thread(target=control, args=("clear", {}))
        clearing.start()
        time.sleep(0.5)
        start(arn)
        self.assertTrue(clearing.is_alive())
        clearing.join()
        self.assertEqual([], client("stepfunctions").list_executions(stateMachineArn=arn)["executions"])

    def test_the_same_world_gets_the_same_names_again(self):
        worlds = []
        for _ in range(2):
            control("clear", {})
            worlds.append(control("world", {"plan": PLAN, "ports": {"old": 1, "new": 2}})["resources"]["mapping"])
        self.assertEqual(worlds[0], worlds[1])
        self.assertEqual(1, len(maker._hooks))
