"""S3: both ways to name a bucket, addresses that were signed beforehand, and what lies in the buckets.

Contract:
- `path_style(environ)` writes a request whose host names the bucket (`reports.localhost:4566`) with the bucket in the path, so
  that everything behind it sees one form; the operation could not be told otherwise.
- `presigned(environ)` answers the credential of a signed address, which stands where a header stands otherwise; `expired` why such
  an address is refused: its time is over (`Request has expired`), or the session that signed it has ended, whatever expiry was asked for
  (`The provided token has expired.`; a function's role: SESSION_SECONDS), or it asked for more than a week. Times count as the speed
  makes them. Signatures are never verified, as nowhere here.
- `objects()` is what lies in the buckets, without the CDK app's assets; `forget()` empties them.
- Of a bucket's policy, statements with a condition say nothing, as in stacks/iam.py: "not without TLS" would deny everything in stock moto,
  and here nothing has TLS.
- An object that is written anew while somebody reads it is read as it was: stock moto closes it under the reader, and answers 500.
Stock moto takes any address that has a signature, for ever.
"""

import datetime
import json
import re
from urllib.parse import parse_qs, quote

from ..settings import ACCOUNT_ID

WEEK_SECONDS = 604_800
SESSION_SECONDS = 12 * 3600
ASSETS = re.compile(r"^cdk-[a-z0-9]+-assets-")
HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.(s3[.-][a-z0-9.-]*amazonaws\.com|localhost|127\.0\.0\.1)(:\d+)?$"
)

_speed = 1.0


def set_speed(speed: float) -> None:
    global _speed
    _speed = speed


def install(speed: float) -> None:
    global _speed
    _speed = speed
    _pass_over_conditions()
    _keep_what_is_read()


def _keep_what_is_read() -> None:
    from moto.s3.models import FakeKey

    stock = FakeKey.dispose

    def dispose(self, garbage: bool = False) -> None:
        if garbage:
            stock(self, garbage)  # nobody has it any more
        self.disposed = True

    FakeKey.dispose = dispose


def _pass_over_conditions() -> None:
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(self, action: str, resource: str):
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        statements = policy.get("Statement", [])
        statements = statements if isinstance(statements, list) else [statements]
        policy["Statement"] = [one for one in statements if not one.get("Condition")]
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


def path_style(environ: dict) -> None:
    found = HOST.match(environ.get("HTTP_HOST", ""))
    if not found or not _is_for_s3(environ):
        return
    bucket = found["bucket"]
    environ["HTTP_HOST"] = environ["HTTP_HOST"].removeprefix(f"{bucket}.")
    environ["PATH_INFO"] = f"/{bucket}{environ['PATH_INFO']}"
    for name in ("RAW_URI", "REQUEST_URI"):
        if name in environ:
            environ[name] = f"/{quote(bucket)}{environ[name]}"


def _is_for_s3(environ: dict) -> bool:
    credential = environ.get("HTTP_AUTHORIZATION", "") or presigned(environ) or ""
    # Anybody may ask without a signature; only S3 has such hosts.
    return "/s3/aws4_request" in credential or not environ.get("HTTP_AUTHORIZATION")


def _query(environ: dict) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}


def presigned(environ: dict) -> str | None:
    """As the header Authorization would say it."""
    if "X-Amz-Credential" not in environ.get("QUERY_STRING", ""):
        return None
    credential = _query(environ).get("X-Amz-Credential")
    return f"AWS4-HMAC-SHA256 Credential={credential}," if credential else None


def session_token(environ: dict) -> str | None:
    return _query(environ).get("X-Amz-Security-Token")


def expired(environ: dict, now: datetime.datetime) -> tuple[str, str, int] | None:
    """Code, message and status."""
    query = _query(environ)
    lifetime = int(query.get("X-Amz-Expires", WEEK_SECONDS))
    if not 0 < lifetime <= WEEK_SECONDS:
        return "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds)", 400
    signed = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    # An address says its second only: by what was left of it, it must not be older.
    age = max(0.0, (now - signed).total_seconds() - 1) * _speed
    if session_token(environ) and age > SESSION_SECONDS:
        return "ExpiredToken", "The provided token has expired.", 400
    return ("AccessDenied", "Request has expired", 403) if age > lifetime else None


def _buckets() -> list:
    from moto.s3.models import s3_backends

    return [one for one in list(s3_backends[ACCOUNT_ID]["aws"].buckets.values()) if not ASSETS.match(one.name)]


def objects() -> dict[str, dict]:
    """By bucket and key, the content's type."""
    return {
        bucket.name: {key: {"ContentType": _content_type(one)} for key, one in bucket.keys.items()}
        for bucket in _buckets()
    }


def _content_type(key) -> str | None:
    """moto keeps it with the metadata, in whatever case it was sent."""
    return next((value for name, value in key.metadata.items() if name.lower() == "content-type"), None)


def forget() -> None:
    for bucket in _buckets():
        bucket.keys.clear()
