"""Corrections to how moto's Step Functions engine evaluates states.

Contract: `install(settings, runtime)`. Waits and retry delays are divided by the settings' speed; TimeoutSeconds of tasks and machines stay real.
Each function below is one correction; its text says what stock moto 5.2.5 does wrong.
"""

import datetime
import importlib
import re
import sys
import threading
import time
from functools import lru_cache

from .. import clients
from ..services.runtime_api import Runtime
from ..settings import Settings
from .failures import failure

COMPONENT = "asl.component."
TASK = COMPONENT + "state.exec.state_task."

# Services by the name that a definition uses, where boto3 has another one.
BOTO_NAMES = {
    "elasticloadbalancingv2": "elbv2",
    "databasemigration": "dms",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
# How the errors of `aws-sdk:<service>:<action>` begin.
ERROR_PREFIXES = {
    "cloudwatch": "CloudWatch",
    "databasemigration": "DatabaseMigration",
    "dynamodb": "DynamoDb",
    "elasticloadbalancingv2": "ElasticLoadBalancingV2",
    "eventbridge": "EventBridge",
    "lambda": "Lambda",
    "route53": "Route53",
    "s3": "S3",
    "scheduler": "Scheduler",
    "ses": "Ses",
    "sesv2": "SesV2",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
    "sts": "Sts",
}
# No function of ours lives longer: its time-out as deployed.
FUNCTION_LIFE_SECONDS = 30
# AWS: States.ALL matches every error but these two, which are never retried nor caught by a wildcard.
NEVER_ALL = {"States.Runtime", "States.DataLimitExceeded"}


def engine(name: str):
    return importlib.import_module("moto.stepfunctions.parser." + name)


def install(settings: Settings, runtime: Runtime) -> None:
    engine(TASK + "service.state_task_service_factory")  # load every task type before correcting them
    use_our_clients()
    name_the_state_that_calls()
    normalise_service_parameters()
    name_service_errors()
    fail_without_a_matching_choice()
    keep_to_the_rule_that_matched()
    assign_after_output()
    leave_runtime_errors_uncaught()
    limit_what_goes_in()
    interrupt_tasks()
    silence_zombies()
    endings_are_final()
    scale_waits(settings, runtime)
    keep_names_of_errors_within()
    tolerate_map_failures()
    engine(TASK + "service.state_task_service_lambda")._SUPPORTED_API_PARAM_BINDINGS["invoke"].add("InvocationType")


def use_our_clients() -> None:
    """moto builds a boto3 client (50 ms) for every task, and all of them call as the same access key, not in the machine's role."""

    def boto_client_for(region, service, state_credentials=None):
        return clients.client(service, clients.STATES, state_credentials.role_arn if state_credentials else None)

    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            module.boto_client_for = boto_client_for


def name_the_state_that_calls() -> None:
    """The boundary must know for which state a request is made; tasks are evaluated in a thread of their own."""
    task = engine(TASK + "state_task").StateTask
    stock = task._eval_state_credentials  # the last step before the call, in the calling thread

    def eval_state_credentials(self, env):
        context = env.states.context_object.context_object_data
        clients.evaluating.state = self.name
        clients.evaluating.execution = context["Execution"]["Id"]
        return stock(self, env)

    task._eval_state_credentials = eval_state_credentials


@lru_cache(maxsize=None)
def _operation(service: str, action: str):
    """botocore's model of an operation, by the engine's snake_case name of it."""
    from botocore.session import Session

    try:
        model = Session().get_service_model(service)
    except Exception:
        return None
    squashed = action.replace("_", "").lower()
    name = next((name for name in model.operation_names if name.lower() == squashed), None)
    return model.operation_model(name) if name else None


def normalise_service_parameters() -> None:
    """moto dropped the translation of member names (`StateMachineArn` in a definition is `stateMachineArn` in the API), so
    startExecution fails; it leaves datetimes in results, on which DescribeExecution then fails; and it does not know the
    names of several services."""
    task = engine(TASK + "service.state_task_service").StateTaskService
    task._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES.update(BOTO_NAMES)

    def shapes(self, service, action):
        return _operation(self._get_boto_service_name(service), self._get_boto_service_action(action))

    def normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
        operation = shapes(self, boto_service_name, service_action_name)
        if operation and operation.input_shape:
            self._to_boto_request(parameters, operation.input_shape)

    def normalise_response(self, response, boto_service_name=None, service_action_name=None):
        operation = shapes(self, boto_service_name, service_action_name)
        if operation and operation.output_shape:
            self._from_boto_response(response, operation.output_shape)
        _write_times_as_text(response)

    task._normalise_parameters = normalise_parameters
    task._normalise_response = normalise_response


def _write_times_as_text(value) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, datetime.datetime):
            text = item.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds")
            value[key] = text.replace("+00:00", "Z")
        else:
            _write_times_as_text(item)


def name_service_errors() -> None:
    """moto names an SDK error after a Python class, and knows the prefixes of two services; an answer without a request id (a 500
    of moto itself) ends the execution with a KeyError. A fault of kind time-out (see control/boundary.py) must look like a task's
    time-out."""
    module = engine(TASK + "service.state_task_service_aws_sdk")
    module._SERVICE_ERROR_NAMES.update(ERROR_PREFIXES)

    def normalise_exception_name(prefix, problem):
        name = type(problem).__name__
        if name == "ClientError":
            name = problem.response["Error"]["Code"]
        return f"{prefix}.{name}" if name.endswith("Exception") else f"{prefix}.{name}Exception"

    module.StateTaskServiceAwsSdk._normalise_exception_name = staticmethod(normalise_exception_name)

    from botocore.exceptions import ClientError

    for kind in _with_subclasses(engine(TASK + "service.state_task_service").StateTaskService):
        if "_from_error" in kind.__dict__:
            kind._from_error = _timeouts_first(kind._from_error, ClientError)


def _timeouts_first(stock, client_error):
    def from_error(self, env, ex):
        if isinstance(ex, client_error):
            ex.response.setdefault("ResponseMetadata", {}).setdefault("RequestId", "none")
            if ex.response["Error"]["Code"] == "RequestTimeout":
                return self._get_timed_out_failure_event(env)
        return stock(self, env=env, ex=ex)

    return from_error


def fail_without_a_matching_choice() -> None:
    """moto fails with States.Runtime instead of States.NoChoiceMatched."""
    choice = engine(COMPONENT + "state.choice.state_choice").StateChoice
    stock = choice._eval_state

    def eval_state(self, env):
        try:
            stock(self, env)
        except RuntimeError as problem:
            if "No branching option" not in str(problem):
                raise
            raise failure(env, "StatesNoChoiceMatched", "EvaluationFailed", f"No choice matched in '{self.name}'")

    choice._eval_state = eval_state


def keep_to_the_rule_that_matched() -> None:
    """moto takes a rule for the default where both lead to the same state: the state's own Assign and Output, which are for when no rule matches, then
    replace the rule's."""
    choice = engine(COMPONENT + "state.choice.state_choice").StateChoice
    rule = engine(COMPONENT + "state.choice.choice_rule").ChoiceRule
    stock_rule, stock_output = rule._eval_body, choice._eval_state_output

    def eval_rule(self, env):
        stock_rule(self, env)
        env.__dict__["_rule_matched"] = env.stack[-1] is True

    def eval_output(self, env):
        if not env.__dict__.pop("_rule_matched", False) or self._is_language_query_jsonpath():
            return stock_output(self, env)
        env.next_state_name = env.stack.pop()

    rule._eval_body = eval_rule
    choice._eval_state_output = eval_output


def assign_after_output() -> None:
    """Assign and Output of one state both see the variables as they were on entry; in moto Output sees what Assign set."""
    assign = engine(COMPONENT + "common.assign.assign_decl").AssignDecl

    def eval_assign(self, env):
        assigned = {}
        for binding in self.declaration_bindings:
            binding.eval(env=env)
            assigned.update(env.stack.pop())
        _limit(env, assigned, "the variables of one Assign are")
        env.__dict__.setdefault("_assigned", {}).update(assigned)

    def then_assign(stock):
        def eval_state_output(self, env):
            stock(self, env)
            for name, value in env.__dict__.pop("_assigned", {}).items():
                env.variable_store.set(variable_identifier=name, variable_value=value)

        return eval_state_output

    assign._eval_body = eval_assign
    for kind in _with_subclasses(engine(COMPONENT + "state.state").CommonStateField):
        if "_eval_state_output" in kind.__dict__:
            kind._eval_state_output = then_assign(kind._eval_state_output)


def _with_subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_with_subclasses(child) for child in kind.__subclasses__()))


def leave_runtime_errors_uncaught() -> None:
    """In moto States.ALL catches and retries States.Runtime and States.DataLimitExceeded too."""
    equals = engine(COMPONENT + "common.error_name.error_equals_decl").ErrorEqualsDecl
    stock = equals._eval_body

    def eval_body(self, env):
        error = env.stack[-1].error_name
        if error in NEVER_ALL:
            env.stack.pop()
            env.stack.append(any(name.error_name == error for name in self.error_names))
        else:
            stock(self, env)

    equals._eval_body = eval_body


def limit_what_goes_in() -> None:
    """What a task is given has 256 KiB at the most, as what it answers, and so has what one Assign sets (Step Functions quotas).
    moto looks at answers and outputs only."""
    for kind in _with_subclasses(engine(TASK + "service.state_task_service").StateTaskService):
        if "_before_eval_execution" in kind.__dict__:
            kind._before_eval_execution = _within_limit(kind._before_eval_execution)


def _within_limit(stock):
    def before_eval_execution(self, env, *args, **details):
        _limit(env, details.get("raw_parameters"), "the arguments of a task are")
        stock(self, env, *args, **details)

    return before_eval_execution


def _limit(env, value, what: str) -> None:
    if not engine("quotas").is_within_size_quota(value):
        raise failure(env, "StatesStatesDataLimitExceeded", "TaskFailed", f"{what} larger than 256 KiB")


def interrupt_tasks() -> None:
    """StopExecution and the machine's time-out end a task at once; moto waits until the task has ended. (The function, or
    whatever the task started, goes on: as on AWS.)"""
    state = engine(COMPONENT + "state.exec.execute_state").ExecutionState
    timed_out = engine(COMPONENT + "common.timeouts.timeout").EvalTimeoutError

    def evaluate_with_timeout(self, env):
        self.timeout.eval(env=env)
        timeout_seconds = env.stack.pop()
        frame = env.open_frame()
        frame.states.reset(input_value=env.states.get_input())
        frame.stack = list(env.stack)
        outcome = _Outcome(self, frame)
        finished = outcome.wait(env, timeout_seconds)
        frame.set_ended()
        env.close_frame(frame)
        if not env.is_running():
            return  # stopped: the state machine ends here, without an event of this state
        if outcome.problem:
            raise outcome.problem
        if not finished:
            raise timed_out()
        _take_result(self, env, frame.stack.pop())

    state._evaluate_with_timeout = evaluate_with_timeout


class _Outcome:
    """One evaluation of a state's work, in a thread of its own."""

    def __init__(self, state, frame):
        self.problem: Exception | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(state, frame), daemon=True).start()

    def _run(self, state, frame) -> None:
        try:
            state._eval_execution(frame)
        except Exception as problem:
            self.problem = problem
        self._done.set()

    def wait(self, env, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        while env.is_running():
            left_seconds = deadline - time.monotonic()
            # Short slices, because a stop is signalled elsewhere.
            if self._done.wait(max(0.0, min(left_seconds, 0.05))):
                return True
            if left_seconds <= 0:
                return False
        return False


def _take_result(state, env, result) -> None:
    """The rest of moto's method: what a state does with its result."""
    env.stack.append(result)
    if not state._is_language_query_jsonpath():
        env.states.set_result(result)
    if state.assign_decl:
        state.assign_decl.eval(env=env)
    if state.result_selector:
        state.result_selector.eval(env=env)
    if state.result_path:
        state.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())


def silence_zombies() -> None:
    """A task that ends after its time-out, or after the execution was stopped, still adds events to moto's history."""
    for kind in _with_subclasses(engine(TASK + "service.state_task_service").StateTaskService):
        if "_after_eval_execution" in kind.__dict__:
            kind._after_eval_execution = _if_running(kind._after_eval_execution)


def _if_running(stock):
    def after_eval_execution(self, env, **details):
        if env.is_running():
            stock(self, env=env, **details)

    return after_eval_execution


def endings_are_final() -> None:
    """In moto an error raised while a stop unwinds turns ABORTED into FAILED, and a time-out can overwrite an end."""
    environment = engine("asl.eval.environment").Environment
    states = engine("asl.eval.program_state")
    stock_error, stock_timed_out = environment.set_error, environment.set_timed_out

    def set_error(self, error):
        if not isinstance(self._program_state, (states.ProgramStopped, states.ProgramTimedOut)):
            stock_error(self, error)

    def set_timed_out(self):
        if self.is_running():
            stock_timed_out(self)

    environment.set_error, environment.set_timed_out = set_error, set_timed_out


def scale_waits(settings: Settings, runtime: Runtime) -> None:
    """Waits are divided by the speed. moto's retry waits cannot be interrupted, and its Wait states count whole seconds.

    Functions run in real time, whatever the speed: a wait for longer than any function lives ends only when those have ended
    that ran when it began, as it would at speed 1."""

    def sleep(env, seconds):
        began = time.monotonic()
        deadline = began + max(0, seconds) / settings.speed
        outlives_functions = settings.speed > 1 and seconds > FUNCTION_LIFE_SECONDS
        while env.is_running():
            left = deadline - time.monotonic()
            if left <= 0 and not (outlives_functions and runtime.is_busy_since(began)):
                return
            env.program_state_event.wait(min(left, 0.25) if left > 0 else 0.01)

    wait = engine(COMPONENT + "state.wait.wait_function.wait_function").WaitFunction
    wait._eval_body = lambda self, env: sleep(env, self._get_wait_seconds(env=env))

    module = engine(COMPONENT + "common.retry.retrier_decl")

    def eval_retrier(self, env):
        self.error_equals.eval(env)
        if not env.stack.pop():
            env.stack.append(module.RetrierOutcome.Skipped)
            return
        self.max_attempts.eval(env=env)
        if env.stack.pop() == module.MaxAttemptsOutcome.EXHAUSTED:
            env.stack.append(module.RetrierOutcome.Failed)
            return
        for part in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
            part.eval(env=env)
        sleep(env, env.stack.pop())
        env.stack.append(module.RetrierOutcome.Executed)

    module.RetrierDecl._eval_body = eval_retrier


def keep_names_of_errors_within() -> None:
    """A Map or Parallel in which a state fails with an error of AWS's own (States.QueryEvaluationError, States.Timeout) fails
    with that error. moto refuses the name where it passes it on, and that no Catch sees."""
    custom = engine(COMPONENT + "common.error_name.custom_error_name").CustomErrorName
    custom.__init__ = engine(COMPONENT + "common.error_name.error_name").ErrorName.__init__


def tolerate_map_failures() -> None:
    """A Distributed Map fails above its tolerated number of failed items; in moto it never does."""
    component = engine(
        COMPONENT + "state.exec.state_map.iteration.distributed_iteration_component"
    ).DistributedIterationComponent
    stock = component._map_run

    def map_run(self, env, eval_input):
        stock(self, env, eval_input)
        counts = eval_input.map_run_record.describe()["itemCounts"]
        failed = counts["failed"] + counts["timedOut"]
        percentage = 100 * failed / (counts["total"] or 1)
        if failed > (eval_input.tolerated_failure_count or 0) and percentage > (
            eval_input.tolerated_failure_percentage or 0
        ):
            cause = "The specified tolerated failure threshold was exceeded"
            raise failure(env, "StatesExceedToleratedFailureThreshold", "TaskFailed", cause)

    component._map_run = map_run
