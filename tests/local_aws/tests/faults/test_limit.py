"""How many requests a limit lets pass."""

import unittest
from types import SimpleNamespace

from ...faults.rules import Bucket, Rule


class ALimit(unittest.TestCase):
    def test_as_many_pass_at_once_as_were_saved_up_and_then_so_many_a_second(self):
        bucket = Bucket(5, 5)
        self.assertEqual(5, sum(bucket.lets_pass(100.0) for _ in range(20)))
        self.assertFalse(bucket.lets_pass(100.1))
        self.assertTrue(bucket.lets_pass(100.2))
        self.assertEqual(5, sum(bucket.lets_pass(1000.0) for _ in range(20)))

    def test_it_hits_what_is_too_much_of_what_it_matches(self):
        rule = Rule({"match": {"service": "route53"}, "times": None, "do": "limit", "rate": 0.001, "burst": 2})
        call = SimpleNamespace(service="route53", caller="monitor")
        other = SimpleNamespace(service="sns", caller="monitor")
        self.assertEqual([False, False, True, True], [rule.applies(call) for _ in range(4)])
        self.assertFalse(rule.applies(other))
        self.assertEqual((4, 2), (rule.seen, rule.hits))


if __name__ == "__main__":
    unittest.main()
