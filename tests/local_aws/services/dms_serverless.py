"""DMS Serverless, which moto does not know: configurations, the replication of each, and its tables.

Contract: `install()`; `replications(backend)` holds those of an account and region by the ARN of their configuration (`replication-config:`). One that was not
started is `created`. As for tasks, `dms.set_replication` tells state and tables. Metrics go by the dimension
`ReplicationConfigId`: the account, a colon, the last element of the ARN.
"""

import json
import random
import string
from dataclasses import dataclass

CONFIG_FIELDS = ("ReplicationConfigIdentifier", "SourceEndpointArn", "TargetEndpointArn", "ReplicationType")


@dataclass
class Replication:
    arn: str
    config: dict
    status: str = "created"


def replications(backend) -> dict[str, Replication]:
    """Of an account and region; kept with moto's own state, so that a reset forgets them too."""
    return backend.__dict__.setdefault("serverless_replications", {})


def install() -> None:
    from moto.dms.responses import DatabaseMigrationServiceResponse as Response

    Response.create_replication_config = _create
    Response.start_replication = _start
    Response.stop_replication = _stop
    Response.describe_replications = _describe
    Response.describe_replication_table_statistics = _describe_tables


def _create(self):
    config = {field: self._get_param(field) for field in CONFIG_FIELDS}
    own = "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
    arn = f"arn:aws:dms:{self.region}:{self.current_account}:replication-config:{own}"
    replications(self.dms_backend)[arn] = Replication(arn, config)
    return json.dumps({"ReplicationConfig": {**config, "ReplicationConfigArn": arn}})


def _start(self):
    found = _found(self.dms_backend, self._get_param("ReplicationConfigArn"))
    found.status = "running"
    return json.dumps({"Replication": _shown(found)})


def _stop(self):
    found = _found(self.dms_backend, self._get_param("ReplicationConfigArn"))
    found.status = "stopped"
    return json.dumps({"Replication": _shown(found)})


def _describe(self):
    from moto.dms.exceptions import ResourceNotFoundFault

    from . import dms

    found = list(replications(self.dms_backend).values())
    for wanted in self._get_param("Filters", []):
        of = {
            "replication-config-arn": lambda one: one.arn,
            "replication-config-id": lambda one: one.config["ReplicationConfigIdentifier"],
        }[wanted["Name"]]
        found = [one for one in found if of(one) in wanted["Values"]]
        if not found:
            raise ResourceNotFoundFault("No replications found matching this filter")
    page, marker = dms.page_of(found, self._get_param("Marker"), self._get_int_param("MaxRecords", 100))
    return json.dumps({"Replications": [_shown(one) for one in page], **marker})


def _describe_tables(self):
    from . import dms

    arn = _found(self.dms_backend, self._get_param("ReplicationConfigArn")).arn
    page, marker = dms.described_tables(self, arn)
    return json.dumps({"ReplicationConfigArn": arn, "ReplicationTableStatistics": page, **marker})


def _found(backend, arn: str) -> Replication:
    from moto.dms.exceptions import ResourceNotFoundFault

    if arn not in replications(backend):
        raise ResourceNotFoundFault(f"Replication config {arn} not found")
    return replications(backend)[arn]


def _shown(one: Replication) -> dict:
    from . import dms

    return {**one.config, "ReplicationConfigArn": one.arn, "Status": one.status, "ReplicationStats": dms.table_counts(one.arn)}
