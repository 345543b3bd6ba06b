"""The statistics of a period, computed from its samples."""

import unittest

from local_aws.services.statistics import Unsupported, check, sample, statistic, statistic_set


class Statistics(unittest.TestCase):
    SAMPLES = [sample(0, [(1.0, 1.0), (2.0, 1.0)]), sample(0, [(3.0, 1.0), (10.0, 7.0)])]

    def test_all(self):
        for name, expected in (
            ("Sum", 76),
            ("SampleCount", 10),
            ("Average", 7.6),
            ("Minimum", 1),
            ("Maximum", 10),
            ("p10", 1),
            ("p20", 2),
            ("p25", 3),
            ("p50", 10),
            ("p99.9", 10),
        ):
            with self.subTest(name):
                self.assertEqual(expected, statistic(self.SAMPLES, name))

    def test_an_unknown_one_is_an_error(self):
        for name in ("Median", "p", "p100.5", "TC(:101%)", "PR(a:b)", "tm90"):
            with self.subTest(name), self.assertRaises(Unsupported):
                check(name)

    def test_a_rank_is_exclusive_below_and_inclusive_above(self):
        for name, expected in (("PR(:3)", 30), ("PR(1:3)", 20), ("PR(10:)", 0), ("PR(:0.5)", 0), ("PR(9.9:10)", 70)):
            with self.subTest(name):
                self.assertEqual(expected, statistic(self.SAMPLES, name))

    def test_a_count_is_by_value_or_by_rank(self):
        for name, expected in (
            ("TC(:3)", 3),
            ("TC(3:)", 7),
            ("TC(1:2)", 1),
            ("tc90", 9),
            ("TC(10%:50%)", 4),
            ("TC(80%:)", 2),
        ):
            with self.subTest(name):
                self.assertEqual(expected, statistic(self.SAMPLES, name))

    def test_no_percentile_with_negative_values(self):
        samples = [sample(0, [(-1.0, 1.0), (5.0, 9.0)])]
        self.assertEqual((None, None, 44), tuple(statistic(samples, name) for name in ("p99", "TC(1:)", "Sum")))

    def test_a_set_of_one_sample_is_a_raw_value(self):
        self.assertEqual(7, statistic([statistic_set(0, 7, 1, 7, 7)], "p50"))
        self.assertIsNone(statistic([statistic_set(0, 14, 2, 6, 8)], "p50"))
