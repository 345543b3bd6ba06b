"""Every resource type that a stack may have, by name."""

from . import answer_types, environment_types, report_types, resource_types

TYPES: dict[str, resource_types.Type] = {
    **resource_types.TYPES,
    **report_types.TYPES,
    **answer_types.TYPES,
    **environment_types.TYPES,
}
