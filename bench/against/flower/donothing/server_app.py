"""The server's part: FedAvg without evaluation, which notes when each round begins."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()


class TimedFedAvg(FedAvg):  # type: ignore[misc]  # Flower is not in our environment
    """FedAvg that notes the time at which each round begins."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.begun: list[float] = []

    def configure_train(self, *arguments: Any, **options: Any) -> Iterable[Message]:
        """Flower asks for a round's messages as it begins."""
        self.begun.append(time.time())
        messages: Iterable[Message] = super().configure_train(*arguments, **options)
        return messages


@app.main()  # type: ignore[untyped-decorator]
def main(grid: Grid, context: Context) -> None:
    """Run the rounds and write down when each began, and when the last ended."""
    config = context.run_config
    strategy = TimedFedAvg(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=2, min_available_nodes=2)
    arrays = ArrayRecord([np.zeros(int(config["parameters"]), np.float32)])
    strategy.start(grid=grid, initial_arrays=arrays, num_rounds=int(config["rounds"]))
    Path(str(config["times"])).write_text(json.dumps([*strategy.begun, time.time()]), encoding="utf-8")
