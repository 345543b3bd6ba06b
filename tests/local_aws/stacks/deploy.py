"""Deploys Cutover into the emulated AWS: what the CDK app does on the real one.

Contract: both answer names and ARNs as the ready line tells them. `deploy_template` deploys the synthesized app itself,
through CloudFormation. `deploy` needs no CDK: table, functions, state machines and rules straight from the checkout. A
definition goes in as it was rendered, but for `${Placeholders}`; one that nothing fills is an error. What does not
exist yet in the checkout (a machine's definition, the sweep) is left out with a warning on stderr. What differs from the app is
listed in tests/suite/same_deployment.rs, which compares the two.
"""

import json
import re
import sys

from .. import clients
from ..services import functions
from ..settings import ACCOUNT_ID, EXTERNAL_ID, MEMBER_ROLE_ARN, MEMBERS, PROGRAMMES, REGION, ROLE_ARN, Settings

MACHINES = ("cutover", "rollback", "cleanup", "start", "incident", "program", "timeline", "wave")
UNFINISHED_STATUSES = ["ABORTED", "TIMED_OUT", "FAILED"]
FAILED_STATUSES = ["FAILED", "TIMED_OUT", "ABORTED"]  # as the template has them for waves and incidents
FUNCTION_SIZE = {"timeout_seconds": 30, "memory_mb": 256}
LARGER = {
    "load-test": {"timeout_seconds": 240, "memory_mb": 1769},
    "program": {"timeout_seconds": 120, "memory_mb": 1769},
}
REPORTS_BUCKET = f"cutover-reports-{ACCOUNT_ID}-{REGION}"
# As the stack has it.
ROUTE53_REQUESTS_PER_SECOND = "3"
# More than any machine that rehearses can send; every side is on 127.0.0.1 there.
LOAD_LIMITS = {"MAX_LOAD_RATE_PER_SECOND": "20000", "LOAD_TEST_HOSTS": "127.0.0.1", "LOAD_TEST_SECRET_ARNS": "*"}
# Whatever a plan names may be invoked, set, told, and sent users to; but for the stack's own alarms.
ALLOWED = {
    "HOOK_FUNCTION_ARNS": '{"*":["*"]}',
    "ALARM_NAMES": '["*"]',
    "ALARM_ACTIONS": '["*"]',
    "OWN_ALARM_NAMES": '["cutover-*"]',
    "LISTENERS": '["*"]',
    "RULES": '["*"]',
    "RECORD_NAMES": '["*"]',
    "TARGET_GROUPS": '["*"]',
    "NEW_TARGET_GROUP_ARNS": '["*"]',
    "RECORD_VALUES": '["*"]',
    "ALIAS_TARGETS": '["*"]',
    "TOPIC_ARNS": '["*"]',
    "TOPIC_KEY_ARNS": "[]",  # nothing is encrypted there
    "MAIL_TO": '["*"]',
    "APPROVAL": "null",
    "USER_POOL_ARNS": '["*"]',
    "ACCOUNTS": json.dumps([{"role_arn": MEMBER_ROLE_ARN, "external_id": EXTERNAL_ID, "accounts": MEMBERS}]),
    "PROBE_NETWORKS": "[]",  # but for this machine: services/runtime_api.py
}
_ELSEWHERE = ("alarms", "baseline", "claim", "cleanup", "listener-swap", "monitor", "precheck", "replication-lag", "report", "rollback", "validate", "weight-shift")
_MOVERS = ("listener-swap", "precheck", "weight-shift")
_ALARMS = ("alarms", "precheck")
ALLOWED_TO = {
    "ACCOUNTS": _ELSEWHERE,
    "HOOK_FUNCTION_ARNS": ("precheck",),
    "ALARM_NAMES": _ALARMS,
    "ALARM_ACTIONS": _ALARMS,
    "OWN_ALARM_NAMES": _ALARMS,
    "LISTENERS": ("precheck",),
    "RULES": ("precheck",),
    "RECORD_NAMES": ("load-test", "precheck"),
    "TARGET_GROUPS": ("precheck",),
    "NEW_TARGET_GROUP_ARNS": _MOVERS,
    "RECORD_VALUES": ("load-test", *_MOVERS),
    "ALIAS_TARGETS": ("load-test", *_MOVERS),
    "PROBE_NETWORKS": ("load-test", "precheck", "validate"),
    "USER_POOL_ARNS": ("precheck",),
    "TOPIC_KEY_ARNS": ("precheck",),
    "MAIL_TO": ("precheck", "tell", "wave"),
    "APPROVAL": ("claim", "precheck", "tell", "wave"),
    "TOPIC_ARNS": ("notify", "precheck", "program", "sweep", "tell", "wave"),
}
# The machines that a function starts, or that people and schedules start, as it tells them.
STARTED = {
    "incident": ("incident",),
    "notify": ("rollback", "cleanup"),
    "program": ("cutover", "rollback", "cleanup", "start", "timeline", "wave"),
    "sweep": ("rollback", "cleanup"),
    "timeline": ("cutover", "timeline"),
    "wave": ("cutover", "rollback", "wave"),
}

# Who is told what happens.
HEARERS = ("tell", "status-report")
# As the CDK app has it, by default.
STATUS_MINUTES = 30
STATUS = json.dumps({"interval_seconds": 60 * STATUS_MINUTES, "time_zone": "UTC"}, separators=(",", ":"))
# What a rehearsal's mails say of their sender.
MAIL_FROM = "cutover@example.com"
MESSAGES = json.dumps({"mail_from": MAIL_FROM})


def machine_arn(name: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:{name}"


def deploy(settings: Settings) -> dict:
    _create_table(settings.journal_table)
    _create_bucket()
    _create_programmes()
    moments_arn = clients.client("sns").create_topic(Name="cutover-moments")["TopicArn"]
    function_arns = _create_functions(settings, moments_arn, _create_key() if settings.answers else "")
    if settings.stakeholders is not None:
        clients.client("ses").verify_email_identity(EmailAddress=MAIL_FROM)
        for hearer in HEARERS:
            clients.client("sns").subscribe(TopicArn=moments_arn, Protocol="lambda", Endpoint=function_arns[hearer])
    machines = _create_machines(settings, function_arns)
    if "status-report" in function_arns:
        _create_status_rule(function_arns["status-report"])
    if "sweep" in function_arns:
        if "cutover" in machines:
            _create_unfinished_rule(machines, function_arns["sweep"])
        _create_sweep_rule(function_arns["sweep"])
        if settings.stakeholders:
            _create_incident_rules(machines)
        if "wave" in machines:
            _create_wave_rules(machines)
    else:
        _warn("there is no function sweep yet: no rule cutover-sweep")
    return {
        "state_machines": machines,
        "journal_table": settings.journal_table,
        "functions": {functions.PREFIX + crate: arn for crate, arn in function_arns.items()},
    }


def deploy_template(settings: Settings) -> dict:
    """What the ready line tells comes from the stack's resources. The journal is its only table."""
    from . import cloudformation

    resources = cloudformation.deploy(settings.template)["resources"]

    def of_type(kind: str) -> list[str]:
        return [resource["physical_id"] for resource in resources if resource["type"] == kind]

    (settings.journal_table,) = of_type("AWS::DynamoDB::Table")
    names = of_type("AWS::Lambda::Function")
    return {
        "state_machines": {_machine_name(arn): arn for arn in of_type("AWS::StepFunctions::StateMachine")},
        "journal_table": settings.journal_table,
        "functions": {name: f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}" for name in names},
    }


def _machine_name(arn: str) -> str:
    """Without the stack's prefix."""
    name = arn.rpartition(":")[2]
    return next((machine for machine in MACHINES if name.endswith(machine)), name)


def _warn(text: str) -> None:
    print(f"local_aws: {text}", file=sys.stderr)


def _create_table(name: str) -> None:
    clients.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open-runs",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _create_bucket() -> None:
    configuration = {"LocationConstraint": REGION}
    clients.client("s3").create_bucket(Bucket=REPORTS_BUCKET, CreateBucketConfiguration=configuration)


def _create_programmes() -> None:
    """The group of the waves' schedules, and the queue of what cannot be delivered."""
    clients.client("scheduler").create_schedule_group(Name=PROGRAMMES)
    clients.client("sqs").create_queue(QueueName=f"{PROGRAMMES}-undelivered")


def _create_key() -> str:
    """What signs links that answer."""
    api = clients.client("secretsmanager")
    text = api.get_random_password(PasswordLength=64, ExcludePunctuation=True)["RandomPassword"]
    return api.create_secret(Name="cutover-answers-key", SecretString=text)["ARN"]


def _create_url(name: str) -> str:
    api = clients.client("lambda")
    for action, of in (
        ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        api.add_permission(FunctionName=name, StatementId=action.partition(":")[2], Action=action, Principal="*", **of)
    return api.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]


def _create_functions(settings: Settings, moments_arn: str, key_arn: str) -> dict[str, str]:
    """The ARN of each function by its crate's name. A crate with a src/main.rs is a function."""
    arns, pages = {}, {"ANSWERS_KEY_ARN": key_arn, "ANSWERS_URL": ""}
    for main in sorted((settings.root / "functions").glob("*/src/main.rs")):
        crate = main.parent.parent.name
        binary = (settings.bin_dir / crate).resolve()
        package = functions.zipped("pointer.json", json.dumps({"path": str(binary)}))
        name = functions.PREFIX + crate
        size = LARGER.get(crate, FUNCTION_SIZE)
        # `answer` comes first of those that are told of it: they are made in the order of their names.
        arns[crate] = functions.create(name, package, _environment(settings, crate, moments_arn, pages), **size)
        if crate == "answer" and key_arn:
            pages["ANSWERS_URL"] = _create_url(name)
    return arns


def _environment(settings: Settings, crate: str, moments_arn: str, pages: dict[str, str]) -> dict[str, str]:
    journal = {"JOURNAL_TABLE": settings.journal_table, "LOCKS_TABLE": "", "ROUTE53_REQUESTS_PER_SECOND": ROUTE53_REQUESTS_PER_SECOND}
    started = STARTED.get(crate, ())
    allowed = {name: value for name, value in ALLOWED.items() if crate in ALLOWED_TO[name]}
    machines = {f"{name.upper()}_STATE_MACHINE_ARN": machine_arn(name) for name in started}
    load = LOAD_LIMITS if crate in ("load-test", "precheck") else {}
    hearing = ("claim", "incident", "precheck", "tell", "wave")
    stakeholders = {"STAKEHOLDERS": settings.stakeholders or "[]"} if crate in hearing else {}
    moments = {"MOMENTS_TOPIC_ARN": moments_arn} if crate in ("incident", "notify", "timeline", "wave") else {}
    incidents = {"INCIDENTS": "{}"} if crate == "incident" else {}
    messages = {"MESSAGES": MESSAGES if settings.stakeholders else "{}"} if crate == "tell" else {}
    reporting = ("load-test", "program", "report", "status-report", "timeline", "wave")
    reports = {"REPORTS_BUCKET": REPORTS_BUCKET} if crate in reporting else {}
    schedules = {
        "SCHEDULE_GROUP": PROGRAMMES,
        "SCHEDULE_ROLE_ARN": ROLE_ARN,
        "SCHEDULE_DEAD_LETTERS_ARN": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{PROGRAMMES}-undelivered",
    }
    schedules = schedules if crate == "program" else {}
    status = {"STATUS": STATUS, "CUTOVER_STATE_MACHINE_ARN": machine_arn("cutover")} if crate == "status-report" else {}
    answers = pages if crate in ("notify", "program", "tell", "wave") else {}
    if crate == "answer":
        answers = {"ANSWERS_KEY_ARN": pages["ANSWERS_KEY_ARN"], "ANSWERS_ORIGINS": "", "ANSWERS_IDENTITY_HEADER": ""}
    more = {**load, **reports, **status, **machines, **stakeholders, **moments, **messages, **incidents, **answers}
    return {"RUST_LOG": "info", **journal, **allowed, **schedules, **more}


def _create_machines(settings: Settings, function_arns: dict[str, str]) -> dict[str, str]:
    values = {
        "Partition": "aws",
        "JournalTableName": settings.journal_table,
        **{f"{name.capitalize()}StateMachineArn": machine_arn(name) for name in MACHINES},
        **{f"{_pascal_case(crate)}FunctionArn": arn for crate, arn in function_arns.items()},
    }
    arns = {}
    for name in MACHINES:
        path = settings.definitions / f"{name}.asl.json" if settings.definitions else None
        if not (path and path.exists()):
            _warn(f"there is no definition of {name}: no such state machine")
            continue
        definition = _substitute(path.read_text(encoding="utf-8"), values, path)
        arns[name] = clients.client("stepfunctions").create_state_machine(
            name=name, definition=definition, roleArn=ROLE_ARN, type="STANDARD"
        )["stateMachineArn"]
    return arns


def _pascal_case(crate: str) -> str:
    return "".join(word.capitalize() for word in crate.split("-"))


def _substitute(text: str, values: dict[str, str], path) -> str:
    def value(match):
        if match[1] not in values:
            raise SystemExit(f"{path}: nothing fills the placeholder ${{{match[1]}}}")
        return values[match[1]]

    return re.sub(r"\$\{([A-Za-z0-9]+)\}", value, text)


def _create_unfinished_rule(machines: dict[str, str], sweep_arn: str) -> None:
    """Stopping an execution is a safe gesture: the sweep looks after its run, and is told nothing but which."""
    events = clients.client("events")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": UNFINISHED_STATUSES, "stateMachineArn": [machines["cutover"]]},
    }
    events.put_rule(Name="cutover-unfinished", EventPattern=json.dumps(pattern))
    target = {
        "Id": "Target0",
        "Arn": sweep_arn,
        "InputTransformer": {
            "InputPathsMap": {"detail-executionArn": "$.detail.executionArn"},
            "InputTemplate": '{"run_id":<detail-executionArn>}',
        },
    }
    events.put_targets(Rule="cutover-unfinished", Targets=[target])


def _create_incident_rules(machines: dict[str, str]) -> None:
    """With somebody to hear of them, rollbacks open incidents, and one whose execution died is followed on."""
    incident, statuses = machines["incident"], ["RUNNING", "SUCCEEDED", *FAILED_STATUSES]
    _start_at_ends("cutover-incidents", machines["rollback"], statuses, incident)
    _start_at_ends("cutover-incidents-unfollowed", incident, FAILED_STATUSES, incident)


def _create_wave_rules(machines: dict[str, str]) -> None:
    """A wave whose execution ended before its time is followed on; one that is over hears of later rollbacks."""
    wave = machines["wave"]
    _start_at_ends("cutover-waves-unfollowed", wave, FAILED_STATUSES, wave)
    _start_at_ends("cutover-waves-rolled-back", machines["rollback"], ["SUCCEEDED", *FAILED_STATUSES], wave)


def _start_at_ends(rule: str, of: str, statuses: list[str], started: str) -> None:
    """Executions of a machine that get one of these statuses start another machine, with the event's detail."""
    events = clients.client("events")
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": statuses, "stateMachineArn": [of]},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    target = {"Id": "Target0", "Arn": started, "RoleArn": ROLE_ARN, "InputPath": "$.detail"}
    events.put_targets(Rule=rule, Targets=[target])


def _create_sweep_rule(function_arn: str) -> None:
    events = clients.client("events")
    events.put_rule(Name="cutover-sweep", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="cutover-sweep", Targets=[{"Id": "Target0", "Arn": function_arn}])


def _create_status_rule(function_arn: str) -> None:
    events = clients.client("events")
    events.put_rule(Name="cutover-status", ScheduleExpression=f"rate({STATUS_MINUTES} minutes)")
    target = {"Id": "Target0", "Arn": function_arn, "Input": json.dumps({"scheduled": True}, separators=(",", ":"))}
    events.put_targets(Rule="cutover-status", Targets=[target])
