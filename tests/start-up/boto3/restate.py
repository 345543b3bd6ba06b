"""What a service answered in CBOR, as it would have answered in JSON: boto3 asks for that. The service and the operation are the arguments, the
answer comes in, in base64."""

import base64
import datetime
import json
import sys

import botocore.parsers
import botocore.session


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no form in JSON yet")


service, operation = sys.argv[1:]
shape = botocore.session.get_session().get_service_model(service).operation_model(operation).output_shape
answer = {
    "status_code": 200,
    "headers": {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"},
    "body": base64.b64decode(sys.stdin.read()),
}
parsed = botocore.parsers.create_parser("smithy-rpc-v2-cbor").parse(answer, shape)
parsed.pop("ResponseMetadata", None)
print(json.dumps(parsed, default=plain))
