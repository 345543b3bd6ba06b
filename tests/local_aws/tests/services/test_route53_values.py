"""What a record's values and name may be."""

import unittest

from local_aws.services.route53_values import name_problems, problems

RIGHT = {
    "A": ["192.0.2.1"],
    "AAAA": ["2001:db8::1", "::ffff:192.0.2.1"],
    "CAA": ['0 issue "letsencrypt.org"'],
    "CNAME": ["www.example.com", "www.example.com.", "_acme.example.com"],
    "DS": ["12345 3 1 123456789ABCDEF67890123456789ABCDEF678901"],
    "HTTPS": [
        "1 .",
        "1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
        "0 cdn.example.com",
        '1 . alpn="h2"',
    ],
    "MX": ["10 mail.example.com"],
    "NS": ["ns-1.awsdns-01.com."],
    "SRV": ["10 5 80 host.example.com", "0 0 0 ."],
    "SVCB": ["1 svc.example.com port=8443"],
    "TXT": ['"v=spf1 -all"', '"one" "two"', '"a \\"quoted\\" word"', '"heritage=external-dns,external-dns/owner=shop"'],
    "SPF": ['"v=spf1 -all"'],
    "NAPTR": ["anything that is not looked into"],
}
WRONG = {
    "A": ["192.0.2", "2001:db8::1", "192.0.2.256", "host.example.com", ""],
    "AAAA": ["192.0.2.1", "2001:db8::g", "fe80::1%eth0"],
    "CAA": ["letsencrypt.org", '256 issue "x"'],
    "CNAME": ["two names", "a..example.com", "x" * 64 + ".example.com", ""],
    "DS": ["abc"],
    "HTTPS": ["1", "x .", "0 cdn.example.com alpn=h2", "1 . ipv4hint=2001:db8::1", "1 . colour=blue"],
    "MX": ["mail.example.com", "x mail.example.com"],
    "SRV": ["10 5 host.example.com", "10 5 http host.example.com"],
    "TXT": ["v=spf1 -all", '"unfinished', '"' + "x" * 256 + '"'],
}


class Values(unittest.TestCase):
    def test_right_ones(self):
        for kind, values in RIGHT.items():
            self.assertEqual([], problems(kind, values), kind)

    def test_wrong_ones(self):
        for kind, values in WRONG.items():
            for value in values:
                with self.subTest(f"{kind} {value}"):
                    self.assertEqual(1, len(problems(kind, [value])))

    def test_every_wrong_value_is_told(self):
        told = problems("A", ["192.0.2.1", "one", "two"])
        self.assertEqual(["one", "two"], [text.rpartition("with '")[2].strip("'") for text in told])

    def test_names(self):
        for name in ("app.example.com.", "\\052.example.com", "_dmarc.example.com.", "x" * 63 + ".com"):
            self.assertEqual([], name_problems(name), name)
        for name in ("", "a..com", "x" * 64 + ".com", ".".join(["x" * 60] * 5)):
            self.assertEqual(1, len(name_problems(name)), name)
