"""Route 53's rules for the values of a record set and for names, as pure functions.

Contract: `problems(kind, values)` and `name_problems(name)` answer every reason, in the words of the service ("FATAL problem: ...
encountered with ..."); an empty list is right. Types that are not looked into here are right whatever their values. Names are as they
are sent or normalised; both are understood.
"""

import ipaddress
import re

LABEL_LIMIT = 63
NAME_LIMIT = 255
STRING_LIMIT = 255  # of one quoted string; a value may have several
VALUE_LIMIT = 4000
# Strings in quotes, or without spaces.
STRINGS = re.compile(r'^\s*("(?:[^"\\]|\\.)*"\s*)+$')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
NUMBER = re.compile(r"^\d{1,5}$")
PARAMETER = re.compile(r"^(mandatory|alpn|no-default-alpn|port|ipv4hint|ech|ipv6hint|dohpath|ohttp|key\d{1,5})(=.*)?$")


def problems(kind: str, values: list[str]) -> list[str]:
    look = {
        "A": _ipv4,
        "AAAA": _ipv6,
        "CAA": _caa,
        "CNAME": _host,
        "DS": _ds,
        "HTTPS": _service_binding,
        "MX": _mx,
        "NS": _host,
        "PTR": _host,
        "SPF": _strings,
        "SRV": _srv,
        "SVCB": _service_binding,
        "TXT": _strings,
    }.get(kind)
    found = [(value, look(value)) for value in values] if look else []
    return [
        f"Invalid Resource Record: 'FATAL problem: {said} encountered with '{value}''" for value, said in found if said
    ]


def name_problems(name: str) -> list[str]:
    """Of a record's own name."""
    said = _name_problem(name)
    return [f"FATAL problem: {said} encountered with '{name}'"] if said else []


def _name_problem(name: str) -> str | None:
    plain = re.sub(r"\\[0-7]{3}", "x", name.removesuffix("."))
    if not plain:
        return "DomainNameEmpty (Domain name is empty)"
    labels = plain.split(".")
    if "" in labels:
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > LABEL_LIMIT for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    return "DomainNameTooLong (Domain name is too long)" if len(plain) > NAME_LIMIT - 2 else None


def _address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version and "%" not in value
    except ValueError:
        return False


def _ipv4(value: str) -> str | None:
    return (
        None
        if _address(value, 4)
        else "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address): illegal IP address"
    )


def _ipv6(value: str) -> str | None:
    return (
        None
        if _address(value, 6)
        else "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address): illegal IP address"
    )


def _host(value: str) -> str | None:
    if any(one.isspace() for one in value):
        return "UnsupportedCharacter (Value contains unsupported characters)"
    return _name_problem(value)


def _strings(value: str) -> str | None:
    if not STRINGS.match(value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    if len(value) > VALUE_LIMIT or any(len(one) > STRING_LIMIT for one in STRING.findall(value)):
        return "CharacterStringTooLong (Value is too long)"
    return None


def _fields(value: str, count: int) -> list[str] | None:
    fields = value.split()
    return fields if len(fields) == count else None


def _mx(value: str) -> str | None:
    fields = _fields(value, 2)
    if not fields or not NUMBER.match(fields[0]):
        return "MXRRDATANotTwoFields (Record must have two fields)"
    return _host(fields[1])


def _srv(value: str) -> str | None:
    fields = _fields(value, 4)
    if not fields or not all(NUMBER.match(one) for one in fields[:3]):
        return "SRVRRDATANotFourFields (Record must have four fields)"
    return _host(fields[3]) if fields[3] != "." else None


def _caa(value: str) -> str | None:
    found = re.match(r'^(\d{1,3}) (\w+) "[^"]*"$', value)
    return None if found and int(found[1]) <= 255 else 'CAARRDATAInvalid (Value must be flags, tag and "value")'


def _ds(value: str) -> str | None:
    found = re.match(r"^\d{1,5} \d{1,3} \d{1,3} [0-9A-Fa-f ]+$", value)
    return None if found else "DSRRDATAInvalid (Value must be key tag, algorithm, digest type and digest)"


def _service_binding(value: str) -> str | None:
    """`priority target parameters`; priority 0 is an alias and has no parameters."""
    fields = value.split()
    if len(fields) < 2 or not NUMBER.match(fields[0]):
        return "SVCBRRDATAInvalid (Value must be priority, target and parameters)"
    if int(fields[0]) == 0 and len(fields) > 2:
        return "SVCBRRDATAInvalid (A value with priority 0 has no parameters)"
    if any(not PARAMETER.match(one) for one in fields[2:]):
        return "SVCBRRDATAInvalid (Unknown parameter)"
    hints = [one.partition("=") for one in fields[2:] if one.startswith("ipv")]
    for name, _, addresses in hints:
        version = 4 if name == "ipv4hint" else 6
        if not all(_address(one, version) for one in addresses.strip('"').split(",")):
            return f"SVCBRRDATAInvalid ({name} must have IPv{version} addresses)"
    return _host(fields[1]) if fields[1] != "." else None
