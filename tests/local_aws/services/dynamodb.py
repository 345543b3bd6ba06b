"""DynamoDB: an item has 400 KB at the most, whatever the write is, and a refused write leaves the item as it was.

moto's limit is 405,000 bytes, counts a value beside the one that it replaces, and leaves half of a refused update behind. In a
transaction it answers a ValidationException, where AWS cancels the transaction and names the reason `ValidationError` (API
reference of TransactWriteItems).
"""

import copy
import threading

# 400 KB, names and values together (service quotas; developer guide, item sizes).
MOST_ITEM_BYTES = 400 * 1024

_transaction = threading.local()


class ValidationError(Exception):
    """A cancellation reason: moto takes the code from the class's name."""


def install() -> None:
    from moto.dynamodb.exceptions import ItemSizeTooLarge, ItemSizeToUpdateTooLarge
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
    from moto.dynamodb.models.utilities import bytesize

    LimitedSizeDict.__setitem__ = dict.__setitem__
    stock_put, stock_update = DynamoDBBackend.put_item, DynamoDBBackend.update_item
    stock_transact = DynamoDBBackend.transact_write_items

    def put_item(self, table_name, item_attrs, *args, **kwargs):
        size = sum(bytesize(name) + DynamoType(value).size() for name, value in item_attrs.items())
        if size > MOST_ITEM_BYTES:
            raise _refusal(ItemSizeTooLarge())
        return stock_put(self, table_name, item_attrs, *args, **kwargs)

    def update_item(self, table_name, key, *args, **kwargs):
        table = self.get_table(table_name)
        keys = self.get_keys_value(table, key)
        before = copy.deepcopy(table.get_item(*keys))
        item = stock_update(self, table_name, key, *args, **kwargs)
        if item.size() <= MOST_ITEM_BYTES:
            return item
        if before is None:
            table.delete_item(*keys)
        else:
            item.attrs = before.attrs
        raise _refusal(ItemSizeToUpdateTooLarge())

    def transact_write_items(self, transact_items):
        _transaction.is_open = True
        try:
            return stock_transact(self, transact_items)
        finally:
            _transaction.is_open = False

    DynamoDBBackend.put_item = put_item
    DynamoDBBackend.update_item = update_item
    DynamoDBBackend.transact_write_items = transact_write_items


def _refusal(alone: Exception) -> Exception:
    return ValidationError(alone.message) if getattr(_transaction, "is_open", False) else alone
