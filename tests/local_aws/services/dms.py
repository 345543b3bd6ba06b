"""DMS: replication tasks and serverless replications with a state that can be told, and their tables.

Contract: `install()`; `set_replication(arn, status, tables, changes)` tells the status and the validation state of the tables,
`[{"schema", "table", "state"}]` (with `"table_state"`, where it is not the usual one), and counts so many more changes as
captured from the source, in the first table. Lag is not here: AWS reports it in CloudWatch only (dimension ReplicationTaskIdentifier:
the last element of the task's ARN, which is not its name).
"""

import datetime
import json
import random
import string

from . import dms_serverless

TABLE_ERRORS = {"Mismatched records", "Suspended tables", "Error", "Table error"}
# Of the table states of the API reference (TableStatistics): what is counted as loading, and as queued for it.
LOADING, QUEUED = {"Full load", "Table is being reloaded"}, {"Before load"}

# By task ARN.
_tables: dict[str, list[dict]] = {}


def backend(arn: str):
    """That of the account and region where something is."""
    from moto.dms.models import dms_backends

    region, account = arn.split(":")[3:5]
    return dms_backends[account][region]


def backends() -> dict[tuple[str, str], object]:
    """Those of every account and region, by these."""
    from moto.dms.models import dms_backends

    return {(account, region): one for account, regions in list(dms_backends.items()) for region, one in list(regions.items())}


def set_replication(arn: str, status: str | None = None, tables: list[dict] | None = None, changes: int = 0) -> None:
    here = backend(arn)
    replication = here.replication_tasks.get(arn) or dms_serverless.replications(here)[arn]
    if status is not None:
        replication.status = status
    if tables is not None:
        _tables[arn] = [dict(table) for table in tables]
    for table in _tables.get(arn, [])[:1]:
        table["changes"] = table.get("changes", 0) + changes


def install() -> None:
    from moto.dms.models import FakeReplicationInstance, FakeReplicationTask
    from moto.dms.responses import DatabaseMigrationServiceResponse

    _give_arns_of_their_own(FakeReplicationTask)
    _describe_in_epoch_seconds(FakeReplicationTask)
    _describe_instances_in_epoch_seconds(FakeReplicationInstance)
    DatabaseMigrationServiceResponse.describe_replication_tasks = _describe_tasks
    DatabaseMigrationServiceResponse.describe_table_statistics = _describe_tables
    dms_serverless.install()


def _give_arns_of_their_own(task_class) -> None:
    """An ARN ends in a random name, as on AWS; in moto in the task's own, which hides a wrong metric dimension."""
    stock = task_class.__init__

    def init(self, *args, **kwargs):
        stock(self, *args, **kwargs)
        own = "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
        self.arn = self.arn.rpartition(":")[0] + ":" + own

    task_class.__init__ = init


def _describe_in_epoch_seconds(task_class) -> None:
    """The protocol has times as numbers; moto writes text, which the Rust SDK refuses."""

    def to_dict(self):
        described = {
            "ReplicationTaskIdentifier": self.id,
            "SourceEndpointArn": self.source_endpoint_arn,
            "TargetEndpointArn": self.target_endpoint_arn,
            "ReplicationInstanceArn": self.replication_instance_arn,
            "MigrationType": self.migration_type,
            "TableMappings": self.table_mappings,
            "ReplicationTaskSettings": self.replication_task_settings,
            "Status": self.status,
            "ReplicationTaskArn": self.arn,
            "ReplicationTaskCreationDate": self.creation_date.timestamp(),
            "ReplicationTaskStats": _statistics(self),
        }
        if self.start_date:
            described["ReplicationTaskStartDate"] = self.start_date.timestamp()
        return described

    task_class.to_dict = to_dict


def _describe_instances_in_epoch_seconds(instance_class) -> None:
    """As for tasks: InstanceCreateTime and FreeUntil are numbers in the protocol."""
    stock = instance_class.to_dict

    def to_dict(self):
        described = stock(self)
        for field in ("InstanceCreateTime", "FreeUntil"):
            if isinstance(described.get(field), str):
                described[field] = datetime.datetime.fromisoformat(described[field]).timestamp()
        return described

    instance_class.to_dict = to_dict


def _statistics(task) -> dict:
    statistics = table_counts(task.arn)
    if task.start_date:
        started = task.start_date.timestamp()
        statistics |= {"FreshStartDate": started, "StartDate": started, "FullLoadStartDate": started}
    return statistics


def table_counts(arn: str) -> dict:
    """How many tables are where; by moto all of them are loaded."""
    tables = _tables.get(arn, [])
    states = [_table_state(table) for table in tables]
    loading, queued = sum(state in LOADING for state in states), sum(state in QUEUED for state in states)
    loaded = len(tables) - loading - queued
    return {
        "FullLoadProgressPercent": 100 * loaded // len(tables) if tables else 100,
        "ElapsedTimeMillis": 100,
        "TablesLoaded": loaded,
        "TablesLoading": loading,
        "TablesQueued": queued,
        "TablesErrored": sum(table["state"] in ("Error", "Table error") for table in tables),
    }


def _describe_tasks(self):
    """AWS refuses a filter that matches nothing; moto answers an empty list."""
    from moto.dms.exceptions import ResourceNotFoundFault

    filters = self._get_param("Filters", [])
    tasks = list(self.dms_backend.describe_replication_tasks(filters=filters, max_records=0))
    if filters and not tasks:
        raise ResourceNotFoundFault("No Tasks found matching this filter")
    page, marker = page_of(tasks, self._get_param("Marker"), self._get_int_param("MaxRecords", 100))
    return json.dumps({"ReplicationTasks": [task.to_dict() for task in page], **marker})


def _describe_tables(self):
    from moto.dms.exceptions import ResourceNotFoundFault

    arn = self._get_param("ReplicationTaskArn")
    if arn not in self.dms_backend.replication_tasks:
        raise ResourceNotFoundFault(f"Replication task {arn} not found")
    page, marker = described_tables(self, arn)
    return json.dumps({"ReplicationTaskArn": arn, "TableStatistics": page, **marker})


def described_tables(request, arn: str) -> tuple[list, dict]:
    tables = [_table(told) for told in _tables.get(arn, [])]
    for wanted in request._get_param("Filters", []):
        member = {"schema-name": "SchemaName", "table-name": "TableName", "table-state": "TableState"}[wanted["Name"]]
        tables = [table for table in tables if table[member] in wanted["Values"]]
    return page_of(tables, request._get_param("Marker"), request._get_int_param("MaxRecords", 100))


def page_of(items: list, marker: str | None, limit: int) -> tuple[list, dict]:
    from moto.dms.exceptions import ValidationError

    if not 20 <= limit <= 500:
        raise ValidationError(f"MaxRecords {limit} is not between 20 and 500")
    start = int(marker or 0)
    end = start + limit
    return items[start:end], {"Marker": str(end)} if end < len(items) else {}


def _table_state(told: dict) -> str:
    return told.get("table_state", "Table error" if told["state"] == "Table error" else "Table completed")


def _table(told: dict) -> dict:
    failed = told["state"] in TABLE_ERRORS
    return {
        "SchemaName": told["schema"],
        "TableName": told["table"],
        "Inserts": told.get("changes", 0),
        "Deletes": 0,
        "Updates": 0,
        "Ddls": 0,
        "FullLoadRows": 1000,
        "FullLoadErrorRows": 0,
        "TableState": _table_state(told),
        "ValidationPendingRecords": 1 if told["state"] == "Pending records" else 0,
        "ValidationFailedRecords": 1 if failed else 0,
        "ValidationSuspendedRecords": 1 if told["state"] == "Suspended tables" else 0,
        "ValidationState": told["state"],
    }
