"""DynamoDB: the limit of an item."""

from local_aws.clients import client

from .. import support

KIB = 1024


class ItemSize(support.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = client("dynamodb")
        cls.table = support.unique("items")
        cls.api.create_table(
            TableName=cls.table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, key: str, bytes_: int) -> None:
        self.api.put_item(TableName=self.table, Item={"pk": {"S": key}, "v": {"S": "x" * bytes_}})

    def update_of(self, key: str, bytes_: int, attribute: str = "w") -> dict:
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "SET a = :a, #w = :w",
            "ExpressionAttributeNames": {"#w": attribute},
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":w": {"S": "y" * bytes_}},
        }

    def item(self, key: str) -> dict:
        return self.api.get_item(TableName=self.table, Key={"pk": {"S": key}}).get("Item", {})

    def test_an_item_has_400_kb_at_the_most(self):
        overhead = len("pk" + "exact" + "v")
        self.put("exact", 400 * KIB - overhead)
        self.refused("ValidationException", self.put, "exact", 400 * KIB - overhead + 1)
        self.assertEqual(400 * KIB - overhead, len(self.item("exact")["v"]["S"]))

    def test_an_update_that_does_not_fit_changes_nothing(self):
        self.put("half", 200 * KIB)
        message = self.refused("ValidationException", self.api.update_item, **self.update_of("half", 201 * KIB))
        self.assertIn("Item size to update has exceeded the maximum allowed size", message)
        self.assertEqual({"pk", "v"}, set(self.item("half")))
        self.refused("ValidationException", self.api.update_item, **self.update_of("new", 401 * KIB))
        self.assertEqual({}, self.item("new"))

    def test_a_value_that_is_replaced_does_not_count(self):
        self.put("replaced", 300 * KIB)
        self.api.update_item(**self.update_of("replaced", 300 * KIB, "v"))
        self.assertEqual({"pk", "v", "a"}, set(self.item("replaced")))

    def test_a_transaction_names_the_write_that_does_not_fit(self):
        from botocore.exceptions import ClientError

        self.put("full", 399 * KIB)
        put = {"Put": {"TableName": self.table, "Item": {"pk": {"S": "beside"}}}}
        with self.assertRaises(ClientError) as caught:
            self.api.transact_write_items(TransactItems=[put, {"Update": self.update_of("full", 2 * KIB)}])
        reasons = caught.exception.response["CancellationReasons"]
        self.assertEqual(["None", "ValidationError"], [reason["Code"] for reason in reasons])
        self.assertIn("exceeded the maximum allowed size", reasons[1]["Message"])
        self.assertEqual(({}, {"pk", "v"}), (self.item("beside"), set(self.item("full"))))
