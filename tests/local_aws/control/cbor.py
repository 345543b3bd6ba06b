"""The protocol that the Rust SDK for CloudWatch speaks (smithy rpc-v2-cbor), which moto does not.

Contract: `Bridge(application)` is a WSGI middleware that hands such requests on as JSON requests and translates the answers
back; everything else passes untouched. `encode` and `decode` are as much of CBOR (RFC 8949) as the protocol needs.
"""

import base64
import datetime
import io
import json
import re
import struct
from functools import lru_cache

HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
PATH = re.compile(r"^/service/(\w+)/operation/(\w+)$")
EPOCH_TAG = 1
BREAK = object()


class Bridge:
    def __init__(self, application):
        self._application = application

    def __call__(self, environ, start_response):
        found = PATH.match(environ["PATH_INFO"])
        if not found or environ.get("HTTP_SMITHY_PROTOCOL") != "rpc-v2-cbor":
            return self._application(environ, start_response)
        target, operation = found.groups()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, headers, answer = self._ask_in_json(environ, target, operation, decode(body) if body else {})
        if status.startswith("2"):
            answer = _tag_times(answer, _model(target).operation_model(operation).output_shape)
        content = encode(answer)
        # Where this service was spoken to in the query protocol, clients know its errors by the names of that time.
        kept = [(name, value) for name, value in headers if name.lower() in ("x-amzn-query-error", "x-amzn-requestid")]
        start_response(status, [*HEADERS.items(), *kept, ("Content-Length", str(len(content)))])
        return [content]

    def _ask_in_json(self, environ, target: str, operation: str, parameters: dict) -> tuple[str, list, dict]:
        content = json.dumps(parameters, default=_json_default).encode()
        translated = {
            **environ,
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_X_AMZ_TARGET": f"{target}.{operation}",
            "wsgi.input": io.BytesIO(content),
        }
        started = []
        answer = b"".join(self._application(translated, lambda *head: started.append(head)))
        status, headers = started[0][:2]
        return status, headers, json.loads(answer or b"{}")


def _json_default(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value)} in a request")


@lru_cache(maxsize=None)
def _model(target: str):
    from botocore.session import Session

    session = Session()
    # The only service of ours that speaks CBOR.
    model = session.get_service_model("cloudwatch")
    if model.metadata["targetPrefix"] != target:
        raise ValueError(f"{target} is not known to speak CBOR here")
    return model


def _tag_times(value, shape):
    """JSON has numbers where CBOR has times: which are which, only the model knows."""
    if shape is None or value is None:
        return value if value is not None else {}
    if shape.type_name == "structure":
        return {
            name: _tag_times(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_tag_times(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {key: _tag_times(item, shape.value) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return datetime.datetime.fromtimestamp(float(value), datetime.timezone.utc)
    if shape.type_name in ("double", "float"):
        return float(value)
    return value


def encode(value) -> bytes:
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, datetime.datetime):
        return _head(6, EPOCH_TAG) + encode(value.timestamp())
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
    raise TypeError(f"no CBOR for {type(value)}")


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for extra, code in ((24, "B"), (25, "H"), (26, "I"), (27, "Q")):
        if number < 1 << 8 * struct.calcsize(code):
            return bytes([major << 5 | extra]) + struct.pack(">" + code, number)
    raise ValueError(f"{number} is too large for CBOR")


def decode(data: bytes):
    return _decode(io.BytesIO(data))


def _decode(stream):
    first = stream.read(1)[0]
    major, extra = first >> 5, first & 31
    if major == 7:
        return _decode_simple(stream, extra)
    endless = extra == 31
    number = 0 if endless else _decode_number(stream, extra)
    if major == 0:
        return number
    if major == 1:
        return -1 - number
    if major in (2, 3):
        if endless:
            return (b"" if major == 2 else "").join(_items(stream))
        content = stream.read(number)
        return content if major == 2 else content.decode()
    if major == 4:
        return list(_items(stream)) if endless else [_decode(stream) for _ in range(number)]
    if major == 5:
        keys = _items(stream) if endless else (_decode(stream) for _ in range(number))
        return {key: _decode(stream) for key in keys}
    content = _decode(stream)
    return datetime.datetime.fromtimestamp(content, datetime.timezone.utc) if number == EPOCH_TAG else content


def _decode_number(stream, extra: int) -> int:
    if extra < 24:
        return extra
    code = {24: "B", 25: "H", 26: "I", 27: "Q"}[extra]
    return struct.unpack(">" + code, stream.read(struct.calcsize(code)))[0]


def _decode_simple(stream, extra: int):
    if extra in (25, 26, 27):
        code = {25: "e", 26: "f", 27: "d"}[extra]
        return struct.unpack(">" + code, stream.read(struct.calcsize(code)))[0]
    return {20: False, 21: True, 22: None, 23: None, 31: BREAK}[extra]


def _items(stream):
    while (item := _decode(stream)) is not BREAK:
        yield item
