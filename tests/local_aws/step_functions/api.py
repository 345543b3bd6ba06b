"""Corrections to the Step Functions API of moto, and the moments at which an execution begins and ends.

Contract: `install(on_change)`; `on_change(execution, "RUNNING")` is called once for every execution that begins, and `on_change(execution)` once
when it has its final status.
"""

import datetime
import json
import threading
import time
import uuid
import weakref

from ..services import cloudwatch
from ..stacks import iam
from .engine import engine

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def install(on_change) -> None:
    from moto.core.config import default_user_config
    from moto.stepfunctions.responses import StepFunctionResponse

    default_user_config["stepfunctions"]["execute_state_machine"] = True
    for operation in (
        describe_execution,
        get_execution_history,
        list_executions,
        send_task_failure,
    ):
        setattr(StepFunctionResponse, operation.__name__, operation)
    _check_inputs(StepFunctionResponse)
    _name_executions(StepFunctionResponse)
    _start_one_at_a_time(StepFunctionResponse, on_change)
    _report_endings(on_change)
    _ask_only_begun_ones()
    StepFunctionResponse.stop_execution = lambda response: stop_execution(response, on_change)


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.timezone.utc)


def _check_inputs(response_class) -> None:
    """An input that is no JSON is refused (API reference, StartExecution): moto's own refusal loses its code on the way out."""
    from moto.stepfunctions.exceptions import InvalidExecutionInput

    stock = response_class.start_execution

    def start_execution(self):
        try:
            json.loads(self._get_param("input", if_none="{}"))
        except ValueError as problem:
            raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{problem}'") from problem
        return stock(self)

    response_class.start_execution = start_execution


def _name_executions(response_class) -> None:
    """StartExecution without a name: AWS makes one, moto answers an ARN that ends in None."""
    stock = response_class.start_execution

    def start_execution(self):
        if not self._get_param("name"):
            name = str(uuid.uuid4())
            self.querystring["name"] = [name]
            if self.automated_parameter_parsing:
                self.params["name"] = name
        return stock(self)

    response_class.start_execution = start_execution


def _start_one_at_a_time(response_class, on_start) -> None:
    """moto looks for an execution of the name and then adds one: two starts at once can both find none. One that runs already is no new one."""
    stock, lock = response_class.start_execution, threading.Lock()
    started = weakref.WeakSet()

    def start_execution(self):
        with lock:
            answer = stock(self)
            execution = self.stepfunction_backend.describe_execution(answer.result["executionArn"])
            is_new = execution not in started
            started.add(execution)
        if is_new:
            on_start(execution, "RUNNING")
        return answer

    response_class.start_execution = start_execution


def _report_endings(on_end) -> None:
    """The final status is set once: by the worker, or before it by a stop."""
    communication = engine("backend.execution").BaseExecutionWorkerCommunication
    stock = communication._reflect_execution_status

    def reflect_execution_status(self):
        if self.execution.status not in ENDED:
            stock(self)
            on_end(self.execution)

    communication._reflect_execution_status = reflect_execution_status


def _ask_only_begun_ones() -> None:
    """moto asks every execution whether a token, or a map's run, is its own; one that is just being started has nothing yet to ask, and was a 500."""

    def executions(self, status=None):
        begun = [one for machine in list(self.state_machines) for one in list(machine.executions) if _has_begun(one)]
        return [one for one in begun if status in (None, one.status)]

    engine("models").StepFunctionsParserBackend._get_executions = executions


def _has_begun(execution) -> bool:
    """moto adds an execution before it has a status, a worker, and, in the worker's thread, an environment."""
    worker = execution.exec_worker
    return bool(execution.exec_status and worker and worker.env and worker.env._program_state is not None)


def _begun(self):
    """The execution that is asked about: one that is just being started is waited for."""
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    deadline = time.monotonic() + 2
    while not _has_begun(execution) and time.monotonic() < deadline:
        time.sleep(0.005)
    return execution


def stop_execution(self, on_end):
    """moto loses error and cause, and shows RUNNING until the current task has ended."""
    from moto.core.responses import ActionResult

    execution = _begun(self)
    if execution.status == "RUNNING":
        execution.error, execution.cause = self._get_param("error"), self._get_param("cause")
        execution.stop(stop_date=_now(), error=execution.error, cause=execution.cause)
        _mark_aborted(execution, on_end)
    return ActionResult({"stopDate": execution.stop_date or _now()})


def _mark_aborted(execution, on_end) -> None:
    stopped = engine("asl.eval.program_state").ProgramStopped
    # It may have ended by itself in this very moment; then the worker reports that ending.
    if isinstance(execution.exec_worker.env._program_state, stopped) and execution.status not in ENDED:
        execution.exec_status = engine("api").ExecutionStatus.ABORTED
        execution.stop_date = _now()
        on_end(execution)


def describe_execution(self):
    """moto answers no stopDate for TIMED_OUT, and a string output without its quotes."""
    from moto.core.responses import ActionResult

    execution = _begun(self)
    answer = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
    }
    if execution.status in ENDED and execution.stop_date:
        answer["stopDate"] = execution.stop_date
    if execution.status == "SUCCEEDED":
        answer["output"] = json.dumps(execution.output)
        answer["outputDetails"] = {"included": True}
    for key in ("error", "cause"):
        if getattr(execution, key) is not None:
            answer[key] = getattr(execution, key)
    return ActionResult(answer)


def list_executions(self):
    """moto leaves out the stopDate of TIMED_OUT, and fails while an execution is just being started."""
    from moto.core.responses import ActionResult

    machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    status = self._get_param("statusFilter")
    started = [one for one in list(machine.executions) if one.exec_status and one.start_date]
    executions = [one for one in started if status in (None, one.status)]
    executions.sort(key=lambda execution: execution.start_date, reverse=True)
    return ActionResult(_page(self, "executions", [_listed(execution) for execution in executions]))


def _page(response, key: str, items: list) -> dict:
    start = int(response._get_param("nextToken") or 0)
    end = start + int(response._get_param("maxResults") or 100)
    more = {"nextToken": str(end)} if end < len(items) else {}
    return {key: items[start:end], **more}


def _listed(execution) -> dict:
    listed = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "startDate": execution.start_date,
        "status": execution.status,
    }
    if execution.status in ENDED and execution.stop_date:
        listed["stopDate"] = execution.stop_date
    return listed


def get_execution_history(self):
    """moto ignores reverseOrder, maxResults and nextToken. A function is told the time of runs, as it is told EnteredTime."""
    from moto.core.responses import ActionResult

    events = list(self.stepfunction_backend.get_execution_history(_begun(self).execution_arn)["events"])
    if f"Credential={iam.SETUP}/" not in self.headers.get("Authorization", ""):
        events = [{**event, "timestamp": _time_of_run(event["timestamp"])} for event in events]
    if self._get_param("reverseOrder"):
        events.reverse()
    return ActionResult(_page(self, "events", events))


def _time_of_run(real: str) -> str:
    moment = cloudwatch.time_of_run(datetime.datetime.fromisoformat(real).timestamp())
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).isoformat()


def send_task_failure(self):
    """moto drops the cause."""
    from moto.core.responses import EmptyResult

    self.stepfunction_backend.send_task_failure(
        self._get_param("taskToken"), error=self._get_param("error"), cause=self._get_param("cause")
    )
    return EmptyResult()
