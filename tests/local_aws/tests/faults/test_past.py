"""What stale reads are answered from, asked and changed by many threads at once."""

import unittest
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from ...faults.rules import Past


def call(operation):
    return SimpleNamespace(service="route53", operation=operation)


class WhatReadsWereAnswered(unittest.TestCase):
    def test_a_stale_read_is_what_was_answered_before_the_last_change(self):
        past = Past()
        past.note(call("ListHostedZones"), ("route53", "zones"), (200, [], b"before"))
        past.note(call("ChangeResourceRecordSets"), ("route53", "change"), (200, [], b""))
        past.note(call("ListHostedZones"), ("route53", "zones"), (200, [], b"after"))
        self.assertEqual(past.answer(("route53", "zones")), (200, [], b"before"))

    def test_reads_and_changes_may_be_noted_at_once(self):
        past = Past()

        def note(index):
            operation = "ChangeResourceRecordSets" if index % 3 == 0 else "ListHostedZones"
            past.note(call(operation), ("route53", index), (200, [], b""))

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(len(list(pool.map(note, range(2_000)))), 2_000)


if __name__ == "__main__":
    unittest.main()
