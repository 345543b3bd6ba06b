"""Empties the account but for what is deployed, so that many runs can use one emulated AWS without slowing down.

Contract: `clear` stops what still runs (without telling the rules), then forgets executions, journal, worlds, datapoints, messages,
recorded requests and faults, mails, the schedules that programmes have made, and what lies in buckets but for the CDK app's assets. Functions, state machines,
roles, rules and the stack's own schedules stay.
"""

import time

from ..clients import client
from ..services import cloudwatch, dms, elbv2, elbv2_groups, functions, route53, s3, ses, sns
from ..settings import ACCOUNT_ID, PROGRAMMES, REGION, Settings
from ..stacks import members
from ..step_functions.engine import engine
from ..world import maker
from .boundary import Boundary

SETTLING_LIMIT_SECONDS = 10


def clear(settings: Settings, boundary: Boundary) -> None:
    events, settings.status_events = settings.status_events, False
    sweep, settings.sweep = settings.sweep, False
    boundary.replace_faults([])
    _end_executions()
    _let_functions_end(boundary)
    while _executions():  # a function that was at work has started another one
        _end_executions()
        _let_functions_end(boundary)
    for backend in _backends():
        backend.reset()
    _empty(settings.journal_table)
    _remove_schedules()
    cloudwatch.forget()
    elbv2_groups.forget()
    members.forget()
    route53.forget()
    maker.start_over()
    sns.messages.clear()
    ses.forget()
    s3.forget()
    functions.invocations.clear()
    boundary.forget()
    settings.status_events, settings.sweep = events, sweep


def _remove_schedules() -> None:
    scheduler = client("scheduler")
    groups = [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]
    if PROGRAMMES not in groups:
        return
    for page in scheduler.get_paginator("list_schedules").paginate(GroupName=PROGRAMMES):
        for schedule in page["Schedules"]:
            scheduler.delete_schedule(GroupName=PROGRAMMES, Name=schedule["Name"])


def _machines() -> list:
    return engine("models").stepfunctions_parser_backends[ACCOUNT_ID][REGION].state_machines


def _executions() -> list:
    return [execution for machine in _machines() for execution in machine.executions]


def _end_executions() -> None:
    for execution in _executions():
        if execution.exec_status and execution.status == "RUNNING":
            client("stepfunctions").stop_execution(executionArn=execution.execution_arn)
    # A stopped execution may be about to invoke a function.
    threads = engine("utils").TMP_THREADS
    for thread in threads:
        thread.join(SETTLING_LIMIT_SECONDS)
    threads.clear()
    for machine in _machines():
        machine.executions.clear()


def _let_functions_end(boundary: Boundary) -> None:
    deadline = time.monotonic() + SETTLING_LIMIT_SECONDS
    while boundary.is_busy:
        if time.monotonic() > deadline:
            raise ValueError("a function still runs")
        time.sleep(0.01)


def _backends() -> list:
    from moto.cloudwatch.models import cloudwatch_backends
    from moto.route53.models import route53_backends
    from moto.ses.models import ses_backends
    from moto.sns.models import sns_backends

    everywhere = [backend for every in (cloudwatch_backends, sns_backends) for regions in list(every.values()) for backend in list(regions.values())]
    zones = [partitions["aws"] for partitions in list(route53_backends.values())]
    return [*everywhere, ses_backends[ACCOUNT_ID][REGION], *dms.backends().values(), *elbv2.backends(), *zones]


def _empty(table: str) -> None:
    api = client("dynamodb")
    for page in api.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk"):
        for item in page["Items"]:
            api.delete_item(TableName=table, Key=item)
