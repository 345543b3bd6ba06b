"""Waits of the control API."""

import threading
import time

from local_aws.clients import client

from .. import support
from ..support import TestCase, control, machine, start

WAIT = {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "End": True}


class Waits(TestCase):
    def wait(self, seconds: float = 20, **awaited) -> bool:
        return control("wait", {"seconds": seconds, **awaited})["met"]

    def test_an_execution_is_waited_for_until_it_has_ended(self):
        execution = start(machine({"Wait": WAIT}), {"seconds": 30})
        self.assertFalse(self.wait(0.1, execution=execution, ended=True))
        self.assertTrue(self.wait(execution=execution, ended=True))
        self.assertEqual("SUCCEEDED", client("stepfunctions").describe_execution(executionArn=execution)["status"])

    def test_a_state_is_waited_for_until_it_is_entered_so_often(self):
        states = {"One": {"Type": "Pass", "Next": "Wait"}, "Wait": WAIT}
        execution = start(machine(states), {"seconds": 600})
        self.assertTrue(self.wait(execution=execution, entered="Wait"))
        self.assertFalse(self.wait(0.1, execution=execution, entered="Wait", times=2))
        client("stepfunctions").stop_execution(executionArn=execution)

    def test_what_does_not_exist_yet_is_waited_for(self):
        table, run = support.server().settings.journal_table, support.unique("run")
        item = {"pk": {"S": f"run#{run}"}, "phase": {"S": "forward"}}
        self.assertFalse(self.wait(0.1, run=run, phase="forward"))
        threading.Timer(0.3, client("dynamodb").put_item, kwargs={"TableName": table, "Item": item}).start()
        began = time.monotonic()
        self.assertTrue(self.wait(run=run, phase="forward"))
        self.assertLess(time.monotonic() - began, 15, "it asked too late")
        client("dynamodb").delete_item(TableName=table, Key={"pk": item["pk"]})

    def test_nothing_is_not_waited_for(self):
        with self.assertRaisesRegex(support.ControlError, "nothing is named"):
            self.wait(0.1)


class Speed(TestCase):
    def test_waits_that_begin_later_have_the_new_speed(self):
        self.addCleanup(control, "speed", {"speed": support.SPEED})
        control("speed", {"speed": 6000})
        began = time.monotonic()
        support.run({"Wait": WAIT}, {"seconds": 6000})
        self.assertLess(time.monotonic() - began, 50)

    def test_time_does_not_stand_still(self):
        with self.assertRaisesRegex(support.ControlError, "above 0"):
            control("speed", {"speed": 0})
