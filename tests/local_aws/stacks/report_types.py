"""More resource types of a stack: what reports and mails need.

Contract: as in resource_types.py; the names of CloudFormation's properties are rewritten where S3's API has others. Deleting a bucket
with objects in it fails, as on AWS.
"""

import json

from ..clients import client
from ..settings import REGION
from .resource_types import Made, NotEmulated, Type, _refuse, _refuse_removal, _statement_id, _take

# By property: the operation that sets it, and its parameter.
BUCKET_SETTINGS = {
    "BucketEncryption": ("put_bucket_encryption", "ServerSideEncryptionConfiguration"),
    "CorsConfiguration": ("put_bucket_cors", "CORSConfiguration"),
    "LifecycleConfiguration": ("put_bucket_lifecycle_configuration", "LifecycleConfiguration"),
    "OwnershipControls": ("put_bucket_ownership_controls", "OwnershipControls"),
    "PublicAccessBlockConfiguration": ("put_public_access_block", "PublicAccessBlockConfiguration"),
    "Tags": ("put_bucket_tagging", "Tagging"),
    "VersioningConfiguration": ("put_bucket_versioning", "VersioningConfiguration"),
}


class Bucket(Type):
    name = "BucketName"
    updatable = set(BUCKET_SETTINGS)

    def create(self, given):
        rest = dict(given)
        (name,) = _take(rest, "BucketName")
        name = name.lower()
        _refuse(rest, set(BUCKET_SETTINGS))
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._set(name, rest)
        domain = f"{name}.s3.amazonaws.com"
        regional = f"{name}.s3.{REGION}.amazonaws.com"
        return Made(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": regional})

    def _set(self, name: str, settings: dict) -> None:
        for key, value in settings.items():
            operation, parameter = BUCKET_SETTINGS[key]
            getattr(client("s3"), operation)(Bucket=name, **{parameter: self._as_the_api_writes(key, value)})

    def _as_the_api_writes(self, key: str, value):
        if key == "BucketEncryption":
            rules = [
                {
                    name.replace("ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault"): item
                    for name, item in rule.items()
                }
                for rule in value["ServerSideEncryptionConfiguration"]
            ]
            return {"Rules": rules}
        if key == "LifecycleConfiguration":
            return {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}
        return {"TagSet": value} if key == "Tags" else value

    def update(self, made, old, new):
        _refuse_removal(old, new)
        self._set(
            made.physical_id,
            {key: value for key, value in new.items() if key != "BucketName" and old.get(key) != value},
        )
        return made

    def delete(self, made, given):
        client("s3").delete_bucket(Bucket=made.physical_id)


def _lifecycle_rule(given: dict) -> dict:
    rest = dict(given)
    days, prefix, unfinished, identifier = _take(
        rest, "ExpirationInDays", "Prefix", "AbortIncompleteMultipartUpload", "Id"
    )
    _refuse(rest, {"Status"})
    rule = {"Status": given["Status"], "Filter": {"Prefix": prefix or ""}}
    if identifier:
        rule["ID"] = identifier
    if days:
        rule["Expiration"] = {"Days": int(days)}
    if unfinished:
        rule["AbortIncompleteMultipartUpload"] = unfinished
    return rule


class BucketPolicy(Type):
    updatable = {"PolicyDocument"}
    replacing = {"Bucket"}

    def create(self, given):
        _refuse(given, {"Bucket", "PolicyDocument"})
        client("s3").put_bucket_policy(Bucket=given["Bucket"], Policy=json.dumps(given["PolicyDocument"]))
        return Made(_statement_id())

    def update(self, made, old, new):
        self.create(new)
        return made

    def delete(self, made, given):
        client("s3").delete_bucket_policy(Bucket=given["Bucket"])


class EmailIdentity(Type):
    """Verified at once, see services/ses.py."""

    replacing = {"EmailIdentity"}

    def create(self, given):
        if unknown := set(given) - {"EmailIdentity"}:
            raise NotEmulated(f"not emulated: the properties {', '.join(sorted(unknown))}")
        client("sesv2").create_email_identity(EmailIdentity=given["EmailIdentity"])
        return Made(given["EmailIdentity"])

    def delete(self, made, given):
        client("sesv2").delete_email_identity(EmailIdentity=made.physical_id)


TYPES: dict[str, Type] = {
    "AWS::S3::Bucket": Bucket(),
    "AWS::S3::BucketPolicy": BucketPolicy(),
    "AWS::SES::EmailIdentity": EmailIdentity(),
}
