"""How moto's Step Functions engine is told that a state fails with one of AWS's own error names.

Contract: raise what `failure` answers. `name` is a member of moto's StatesErrorNameType, `event` of its HistoryEventType.
"""

DETAILS = {
    "EvaluationFailed": "evaluationFailedEventDetails",
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
}


def failure(env, name: str, event: str, cause: str) -> Exception:
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
        StatesErrorNameType,
    )
    from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

    error = StatesErrorName(typ=getattr(StatesErrorNameType, name))
    details = {DETAILS[event]: {"error": error.error_name, "cause": cause}}
    return FailureEventException(
        FailureEvent(
            env=env, error_name=error, event_type=HistoryEventType(event), event_details=EventDetails(**details)
        )
    )
