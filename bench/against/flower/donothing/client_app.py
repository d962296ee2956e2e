"""What each node does: it sends back what it got."""

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()  # type: ignore[untyped-decorator]  # Flower is not in our environment
def train(message: Message, context: Context) -> Message:  # noqa: ARG001 -- Flower calls it with both
    """The arrays that came, unchanged."""
    arrays = message.content["arrays"]
    assert isinstance(arrays, ArrayRecord)
    content = RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": 1})})
    return Message(content=content, reply_to=message)
