"""Replication tasks, serverless replications, and their tables."""

import json
import urllib.request

from local_aws.clients import client
from local_aws.world.environment import Environment
from local_aws.world.maker import create_serverless, create_task

from .. import support
from ..support import control

PLANNED = "arn:aws:dms:eu-west-1:111111111111:task:PLANNED"


class Dms(support.TestCase):
    def setUp(self):
        self.api = client("dms")
        self.task = create_task(Environment({}, {}, {}, 0), PLANNED, support.unique("t"))["arn"]

    def described(self) -> dict:
        wanted = [{"Name": "replication-task-arn", "Values": [self.task]}]
        return self.api.describe_replication_tasks(Filters=wanted)["ReplicationTasks"][0]

    def test_status_is_told(self):
        self.assertEqual("running", self.described()["Status"])
        control("replication", {"arn": self.task, "status": "failed"})
        self.assertEqual("failed", self.described()["Status"])

    def test_the_arn_does_not_end_in_the_name(self):
        self.assertNotIn(self.described()["ReplicationTaskIdentifier"], self.task)

    def test_times_are_numbers_on_the_wire(self):
        request = urllib.request.Request(
            support.server().settings.endpoint_url,
            data=b"{}",
            headers={
                "X-Amz-Target": "AmazonDMSv20160101.DescribeReplicationTasks",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=local/20250101/eu-west-1/dms/aws4_request",
            },
        )
        with urllib.request.urlopen(request) as answer:
            task = json.load(answer)["ReplicationTasks"][0]
        self.assertIsInstance(task["ReplicationTaskCreationDate"], float)

    def test_a_filter_without_a_match_is_an_error(self):
        wanted = [{"Name": "replication-task-arn", "Values": [self.task + "X"]}]
        self.refused("ResourceNotFoundFault", self.api.describe_replication_tasks, Filters=wanted)

    def test_table_statistics_are_paged(self):
        tables = [{"schema": "public", "table": f"t{number}", "state": "Validated"} for number in range(25)]
        tables[3]["state"] = "Mismatched records"
        control("replication", {"arn": self.task, "tables": tables})
        page = self.api.describe_table_statistics(ReplicationTaskArn=self.task, MaxRecords=20)
        rest = self.api.describe_table_statistics(ReplicationTaskArn=self.task, Marker=page["Marker"])
        found = page["TableStatistics"] + rest["TableStatistics"]
        self.assertEqual([table["table"] for table in tables], [table["TableName"] for table in found])
        self.assertEqual(("Mismatched records", 1), (found[3]["ValidationState"], found[3]["ValidationFailedRecords"]))
        self.assertNotIn("Marker", rest)

    def test_page_sizes_and_unknown_tasks(self):
        call = self.api.describe_table_statistics
        self.refused("ValidationError", call, ReplicationTaskArn=self.task, MaxRecords=19)
        self.refused("ResourceNotFoundFault", call, ReplicationTaskArn=self.task + "X")

    def test_changes_are_counted_and_a_table_can_be_in_error(self):
        tables = [
            {"schema": "public", "table": "one", "state": "Validated"},
            {"schema": "public", "table": "two", "state": "Validated", "table_state": "Table error"},
        ]
        control("replication", {"arn": self.task, "tables": tables})
        for changes in (5, 7):
            control("replication", {"arn": self.task, "changes": changes})
        found = self.api.describe_table_statistics(ReplicationTaskArn=self.task)["TableStatistics"]
        self.assertEqual([12, 0], [table["Inserts"] for table in found])
        self.assertEqual(["Table completed", "Table error"], [table["TableState"] for table in found])

    def test_tables_that_are_being_loaded_are_counted_as_such(self):
        states = ["Table completed", "Full load", "Table is being reloaded", "Before load"]
        tables = [
            {"schema": "public", "table": f"t{number}", "state": "Not enabled", "table_state": state}
            for number, state in enumerate(states)
        ]
        control("replication", {"arn": self.task, "tables": tables})
        counts = self.described()["ReplicationTaskStats"]
        self.assertEqual((1, 2, 1), tuple(counts[f"Tables{kind}"] for kind in ("Loaded", "Loading", "Queued")))
        self.assertEqual(25, counts["FullLoadProgressPercent"])


class Serverless(support.TestCase):
    def setUp(self):
        self.api = client("dms")
        planned = "arn:aws:dms:eu-west-1:111111111111:replication-config:PLANNED"
        created = create_serverless(Environment({}, {}, {}, 0), planned, support.unique("s"), "cdc")
        self.arn, self.dimensions = created["arn"], created["dimensions"]

    def described(self) -> dict:
        wanted = [{"Name": "replication-config-arn", "Values": [self.arn]}]
        return self.api.describe_replications(Filters=wanted)["Replications"][0]

    def test_state_and_type_are_told(self):
        self.assertEqual(("running", "cdc"), (self.described()["Status"], self.described()["ReplicationType"]))
        control("replication", {"arn": self.arn, "status": "failed"})
        self.assertEqual("failed", self.described()["Status"])
        self.api.stop_replication(ReplicationConfigArn=self.arn)
        self.assertEqual("stopped", self.described()["Status"])

    def test_metrics_go_by_account_and_resource(self):
        account, own = self.arn.split(":")[4], self.arn.rpartition(":")[2]
        self.assertEqual({"ReplicationConfigId": f"{account}:{own}"}, self.dimensions)

    def test_its_tables_are_told_as_a_tasks(self):
        tables = [{"schema": "public", "table": "one", "state": "Not enabled"}]
        control("replication", {"arn": self.arn, "tables": tables, "changes": 3})
        (found,) = self.api.describe_replication_table_statistics(ReplicationConfigArn=self.arn)[
            "ReplicationTableStatistics"
        ]
        self.assertEqual(("Not enabled", 3), (found["ValidationState"], found["Inserts"]))
        self.assertEqual(1, self.described()["ReplicationStats"]["TablesLoaded"])

    def test_what_is_not_there_is_an_error(self):
        wanted = [{"Name": "replication-config-arn", "Values": [self.arn + "X"]}]
        self.refused("ResourceNotFoundFault", self.api.describe_replications, Filters=wanted)
        call = self.api.describe_replication_table_statistics
        self.refused("ResourceNotFoundFault", call, ReplicationConfigArn=self.arn + "X")
