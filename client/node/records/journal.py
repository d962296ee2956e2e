"""The journal: everything this machine signed and was promised, on disk before anything is sent.

What a crash leaves is one of these states of a contribution, and each says what to do next:

    prepared   signed and kept, perhaps sent      send the same bytes again
    receipted  the receipt is kept                wait for the closing
    closed     the closing is kept                send the payload (again)
    revealed   the coordinator has the payload    nothing; the payload is dropped
    ended      refused, or wronged; `detail` says how; nothing more is sent

A (node, job, round) has one row for ever: a second contribution is refused here, before a signature of it can leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from client.errors import ClientError
from client.node.records.database import Database
from ledger.commitment import Opening
from ledger.hexadecimal import to_address, to_hex

State = Literal["prepared", "receipted", "closed", "revealed", "ended"]

_COLUMNS = (
    "node, job, round, contribution, state, detail, request, assignment, "
    "payload_digest, vector_commitment, salt, receipt, closing, prepared_at"
)


class SignedAlready(ClientError):
    """This node has signed another contribution for the same job and round."""

    def __init__(self, node: bytes, job: bytes, round_number: int, kept: bytes, offered: bytes) -> None:
        self.node, self.job, self.round, self.kept, self.offered = node, job, round_number, kept, offered
        super().__init__(
            f"node {to_address(node)} has signed contribution {to_hex(kept)} for round {round_number} of job "
            f"{to_hex(job)}; a second one ({to_hex(offered)}) is never signed"
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A contribution as the journal keeps it; only such a one is ever sent.

    `request` is the body that was and will be sent, `assignment`, `receipt` and `closing` are the JSON that came.
    """

    node: bytes
    job: bytes
    round: int
    contribution: bytes
    state: State
    detail: str
    request: bytes
    assignment: bytes
    opening: Opening
    receipt: bytes | None
    closing: bytes | None
    prepared_at: int


class Journal:
    """What the nodes of a TALLY_HOME signed and were promised; what a call changes is durable at its end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, prepared: Kept, payload: bytes) -> None:
        """Keeps a signed contribution with its payload, before anything is sent.

        Raises:
            SignedAlready: the node has another contribution for this job and round; this one must be forgotten.
        """
        with self._database.transaction():
            known = self.find(prepared.node, prepared.job, prepared.round)
            if known is not None and known.contribution != prepared.contribution:
                raise SignedAlready(
                    prepared.node, prepared.job, prepared.round, known.contribution, prepared.contribution
                )
            if known is None:
                self._insert(prepared, payload)

    def keep_receipt(self, contribution: bytes, receipt: bytes) -> None:
        """Keeps the receipt that was checked."""
        self._advance("prepared", "receipted", contribution, "receipt", receipt)

    def keep_closing(self, contribution: bytes, closing: bytes) -> None:
        """Keeps the closing that was checked."""
        self._advance("receipted", "closed", contribution, "closing", closing)

    def mark_revealed(self, contribution: bytes) -> None:
        """The coordinator has the payload: it is no longer needed here."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE contributions SET state = 'revealed' WHERE contribution = ? AND state = 'closed'",
                (contribution,),
            )
            self._database.execute("DELETE FROM payloads WHERE contribution = ?", (contribution,))

    def mark_ended(self, contribution: bytes, detail: str, *, receipt: bytes | None = None) -> None:
        """Nothing more is sent for this contribution; a receipt that failed its check is kept as evidence."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE contributions SET state = 'ended', detail = ?, receipt = coalesce(receipt, ?) "
                "WHERE contribution = ? AND state <> 'revealed'",
                (detail, receipt, contribution),
            )
            self._database.execute("DELETE FROM payloads WHERE contribution = ?", (contribution,))

    def find(self, node: bytes, job: bytes, round_number: int) -> Kept | None:
        """The contribution of a node to a round."""
        found = self._read("WHERE node = ? AND job = ? AND round = ?", (node, job, round_number))
        return found[0] if found else None

    def find_unfinished(self, node: bytes) -> list[Kept]:
        """Contributions for which something is still to be sent or awaited, oldest first."""
        return self._read(
            "WHERE node = ? AND state IN ('prepared', 'receipted', 'closed') ORDER BY prepared_at", (node,)
        )

    def find_all(self, node: bytes) -> list[Kept]:
        """Every contribution of a node, oldest first."""
        return self._read("WHERE node = ? ORDER BY prepared_at, round", (node,))

    def list_nodes(self) -> list[bytes]:
        """Every node that was registered from here, or has signed something here."""
        query = "SELECT node FROM nodes UNION SELECT node FROM contributions ORDER BY node"
        return [row[0] for row in self._database.query(query)]

    def note_nodes(self, nodes: Sequence[bytes]) -> None:
        """These nodes are registered; commands that are about all nodes of this machine are about them too."""
        with self._database.transaction():
            for node in nodes:
                self._database.execute("INSERT OR IGNORE INTO nodes VALUES (?)", (node,))

    def load_payload(self, contribution: bytes) -> bytes | None:
        """The payload, as long as it may have to be sent."""
        rows = self._database.query("SELECT payload FROM payloads WHERE contribution = ?", (contribution,))
        return rows[0][0] if rows else None

    def _insert(self, prepared: Kept, payload: bytes) -> None:
        opening = prepared.opening
        self._database.execute(
            f"INSERT INTO contributions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",  # noqa: S608 -- a constant
            (
                prepared.node,
                prepared.job,
                prepared.round,
                prepared.contribution,
                "prepared",
                "",
                prepared.request,
                prepared.assignment,
                opening.payload_sha256,
                opening.vector_commitment,
                opening.salt,
                prepared.prepared_at,
            ),
        )
        self._database.execute("INSERT INTO payloads VALUES (?, ?)", (prepared.contribution, payload))

    def _advance(self, before: State, after: State, contribution: bytes, column: str, value: bytes) -> None:
        with self._database.transaction():
            self._database.execute(
                f"UPDATE contributions SET state = ?, {column} = ? WHERE contribution = ? AND state = ?",  # noqa: S608 -- our own names
                (after, value, contribution, before),
            )

    def _read(self, where: str, values: Sequence[object]) -> list[Kept]:
        rows = self._database.query(f"SELECT {_COLUMNS} FROM contributions {where}", values)  # noqa: S608 -- our own clauses
        return [_build(row) for row in rows]


def _build(row: tuple[Any, ...]) -> Kept:
    node, job, number, contribution, state, detail, request, assignment, *rest = row
    *opening, receipt, closing, prepared_at = rest
    return Kept(
        node=node,
        job=job,
        round=number,
        contribution=contribution,
        state=state,
        detail=detail,
        request=request,
        assignment=assignment,
        opening=Opening(*opening),
        receipt=receipt,
        closing=closing,
        prepared_at=prepared_at,
    )
