"""Why a question about a model is refused."""

from __future__ import annotations

from coordinator.refusals import RequestRefused


class UnknownModel(RequestRefused):
    """No ended job has registered such a model."""

    status = 404

    def __init__(self, model: bytes) -> None:
        self.model = model
        super().__init__(
            f"no ended job has registered a model {model.hex()}: `tally job list` (GET /v1/models) shows what has ended"
        )
