"""JSONata as Step Functions evaluates it."""

import unittest

from local_aws.step_functions.expressions import UNDEFINED, evaluate

from .. import support

VARIABLES = {
    "states": {"input": {"a": 1, "none": None, "list": [3, 1, 2], "text": 'he said "hi"\nback\\slash é'}},
    "n": 5,
    "steps": [{"w": 10}, {"w": 50}],
}
CASES = [
    ("$states.input.a + $n", 6),
    ("$states.input.text", 'he said "hi"\nback\\slash é'),
    ("$states.input.none", None),
    ("$exists($states.input.none)", True),
    ("$states.input.none = null", True),
    ("$states.input.missing", UNDEFINED),
    ("$missing", UNDEFINED),
    ("$steps[1].w", 50),
    ("$steps[w > 20].w", 50),
    ("[$steps.w]", [10, 50]),
    ("[$states.input.list[$ > 1]]", [3, 2]),
    ("60 / 2", 30),
    ("1 / 4", 0.25),
    ("[1..3]", [1, 2, 3]),
    ("$merge([$states.input.{'a': a}, {'b': null}])", {"a": 1, "b": None}),
    ("$map($steps, function($s, $i) { $i })", [0, 1]),
    ("$sort($states.input.list)", [1, 2, 3]),
    ("$count($steps) = 2 ? 'two' : 'other'", "two"),
    ("($x := $n; $x * 2)", 10),
    ("$append([], {'k': $n})", [{"k": 5}]),
    ("$partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
    ("$range(0, 10, 5)", [0, 5, 10]),
    ("$parse('{\"a\": [1, null]}').a[0]", 1),
    ("$hash('x', 'SHA-256')", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
    ("$length($uuid())", 36),
    ("$random() < 1 and $random(7) = $random(7)", True),
    ("$string($states.input.list)", "[3,1,2]"),
]


class Expressions(unittest.TestCase):
    def lookup(self, name):
        return VARIABLES.get(name, UNDEFINED)

    def test_values(self):
        for expression, expected in CASES:
            with self.subTest(expression):
                self.assertEqual(expected, evaluate(expression, self.lookup))

    def test_a_whole_number_is_an_integer(self):
        self.assertIsInstance(evaluate("60 / 2", self.lookup), int)

    def test_an_evaluation_leaves_variables_alone(self):
        for _ in range(2):
            self.assertIsNone(evaluate("$states.input.none", self.lookup))
            self.assertEqual(VARIABLES["states"]["input"], evaluate("$states.input", self.lookup))

    def test_errors(self):
        for expression in ("'a' + 1", "$eval('1')", "function($x) { $x }", "1 +", "$parse('{')"):
            with self.subTest(expression), self.assertRaises(Exception):
                evaluate(expression, self.lookup)


class InStates(support.TestCase):
    def test_variables_keep_quotes_and_line_breaks(self):
        text = 'he said "hi"\nback\\slash é'
        states = {
            "A": {"Type": "Pass", "Assign": {"t": "{% $states.input.t %}"}, "Next": "B"},
            "B": {"Type": "Pass", "Output": "{% $t %}", "End": True},
        }
        self.assertEqual(text, support.output(support.run(states, {"t": text})))

    def test_a_failing_expression_can_be_caught(self):
        for expression in ("{% $states.input.missing %}", "{% 'a' + 1 %}"):
            catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "C"}]
            states = {"A": support.echo({"value": expression}, Catch=catch), "C": {"Type": "Succeed"}}
            with self.subTest(expression):
                self.assertEqual("SUCCEEDED", support.run(states)["status"])

    def test_a_failing_expression_ends_the_execution(self):
        ended = support.run({"A": {"Type": "Pass", "Output": "{% $states.input.missing %}", "End": True}})
        self.assertEqual(("FAILED", "States.QueryEvaluationError"), (ended["status"], ended["error"]))

    def test_times_of_the_context_are_as_aws_writes_them(self):
        times = {"start": "{% $states.context.Execution.StartTime %}", "entered": "{% $states.context.State.EnteredTime %}"}
        answered = support.output(support.run({"A": {"Type": "Pass", "Output": times, "End": True}}))
        for text in answered.values():
            self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
