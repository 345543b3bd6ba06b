"""Waits until something has come to pass: POST /_local/wait. To ask again and again would cost more than what is asked about.

Contract: `wait(request, journal_table)` answers {"met": true} when it has, and {"met": false} after `seconds`. What can be waited for:
    {"execution": ARN, "ended": true}
    {"execution": ARN, "entered": state, "times": 1}   in the states of its Maps too
    {"run": run id, "phase": phase}
Read straight from the backends. What does not exist yet is waited for too.
"""

import time

from ..settings import ACCOUNT_ID, REGION
from ..step_functions.engine import engine

LOOK_INTERVAL_SECONDS = 0.02
LONGEST_SECONDS = 30


def wait(request: dict, journal_table: str) -> dict:
    deadline = time.monotonic() + min(float(request["seconds"]), LONGEST_SECONDS)
    is_met = _condition(request, journal_table)
    while not (met := is_met()) and time.monotonic() < deadline:
        time.sleep(LOOK_INTERVAL_SECONDS)
    return {"met": met}


def _condition(request: dict, journal_table: str):
    if "run" in request:
        return lambda: _phase(request["run"], journal_table) == request["phase"]
    if "entered" in request:
        return lambda: _entered(request["execution"], request["entered"]) >= request.get("times", 1)
    if request.get("ended"):
        return lambda: _has_ended(request["execution"])
    raise ValueError("nothing is named that could be waited for")


def _execution(arn: str):
    machines = engine("models").stepfunctions_parser_backends[ACCOUNT_ID][REGION].state_machines
    executions = (execution for machine in list(machines) for execution in list(machine.executions))
    return next((execution for execution in executions if execution.execution_arn == arn), None)


def _has_ended(arn: str) -> bool:
    execution = _execution(arn)
    return bool(execution and execution.exec_status and execution.status != "RUNNING")


def _entered(arn: str, state: str) -> int:
    execution = _execution(arn)
    environment = execution and execution.exec_worker and execution.exec_worker.env
    if not environment:
        return 0
    events = list(environment.event_manager._history_event_list)
    return sum(event.get("stateEnteredEventDetails", {}).get("name") == state for event in events)


def _phase(run_id: str, journal_table: str) -> str | None:
    from moto.dynamodb.models import dynamodb_backends

    item = dynamodb_backends[ACCOUNT_ID][REGION].tables[journal_table].get_item(_key(run_id))
    phase = item and item.attrs.get("phase")
    return phase.value if phase else None


def _key(run_id: str):
    from moto.dynamodb.models.dynamo_type import DynamoType

    return DynamoType({"S": f"run#{run_id}"})
