"""What the network said about rounds we took part in, kept here: headers, anchors, our entries with their proofs.

With an entry, its proof and the anchor's words a node can claim from the contract though the coordinator is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from client.node.records.database import Database
from ledger.errors import VerificationError
from ledger.statements import RoundHeader, Signed
from ledger.wire import EntryView


class Archive:
    """Headers by (job, round), rounds known to be anchored, and entries by (node, job, round)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_header(self, digest: bytes, header: Signed[RoundHeader]) -> None:
        """Keeps a header whose signature was verified.

        Raises:
            VerificationError: `two-headers`: another header of the same round is kept, and the coordinator signed both.
        """
        head = header.statement
        known = self._database.query("SELECT digest FROM headers WHERE job = ? AND round = ?", (head.job, head.round))
        if known and known[0][0] != digest:
            detail = f"the coordinator signed two headers of round {head.round}; both are in {self._database.path}"
            self._keep_contradiction(digest, header)
            raise VerificationError("two-headers", detail, known[0][0], digest)
        if not known:
            self._database.execute(
                "INSERT OR IGNORE INTO headers VALUES (?, ?, ?, ?)",
                (head.job, head.round, digest, json.dumps(header.to_json()).encode()),
            )

    def find_header(self, job: bytes, round_number: int) -> Signed[RoundHeader] | None:
        """The header kept for a round."""
        rows = self._database.query("SELECT header FROM headers WHERE job = ? AND round = ?", (job, round_number))
        return Signed.from_json(RoundHeader, json.loads(rows[0][0])) if rows else None

    def mark_anchored(self, job: bytes, rounds: Iterable[int]) -> None:
        """These rounds' headers stand on chain."""
        with self._database.transaction():
            for number in rounds:
                self._database.execute("INSERT OR IGNORE INTO anchors VALUES (?, ?)", (job, number))

    def list_unanchored(self, node: bytes, job: bytes) -> list[int]:
        """Rounds in which the node holds a receipt and whose header is not known to stand on chain, oldest first."""
        rows = self._database.query(
            "SELECT round FROM contributions AS c WHERE node = ? AND job = ? AND receipt IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM anchors AS a WHERE a.job = c.job AND a.round = c.round) ORDER BY round",
            (node, job),
        )
        return [row[0] for row in rows]

    def list_unanchored_jobs(self, node: bytes) -> list[bytes]:
        """Jobs that have such rounds."""
        rows = self._database.query(
            "SELECT DISTINCT job FROM contributions AS c WHERE node = ? AND receipt IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM anchors AS a WHERE a.job = c.job AND a.round = c.round)",
            (node,),
        )
        return [row[0] for row in rows]

    def list_missing_entries(self, node: bytes) -> list[tuple[bytes, int]]:
        """Job and round of the node's newest receipt in each job, where its entry is not kept: what it is paid by."""
        rows = self._database.query(
            "SELECT job, newest FROM (SELECT node, job, MAX(round) AS newest FROM contributions WHERE node = ? AND "
            "receipt IS NOT NULL GROUP BY job) AS c WHERE NOT EXISTS "
            "(SELECT 1 FROM entries AS e WHERE e.node = c.node AND e.job = c.job AND e.round = c.newest)",
            (node,),
        )
        return [(row[0], row[1]) for row in rows]

    def keep_entry(self, node: bytes, job: bytes, round_number: int, view: EntryView) -> None:
        """Keeps a verified entry; a later view of the same round brings its anchor."""
        content = view.model_dump_json(by_alias=True).encode()
        self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (node, job, round_number, content))

    def has_entry(self, node: bytes, job: bytes, round_number: int) -> bool:
        """Whether the node's entry of this round is kept."""
        where = "WHERE node = ? AND job = ? AND round = ?"
        return bool(self._database.query(f"SELECT 1 FROM entries {where}", (node, job, round_number)))  # noqa: S608 -- a constant

    def list_entries(self, node: bytes) -> list[EntryView]:
        """The node's entries, oldest first within a job."""
        rows = self._database.query("SELECT view FROM entries WHERE node = ? ORDER BY job, round", (node,))
        return [EntryView.model_validate_json(row[0]) for row in rows]

    def list_contradictions(self) -> list[Signed[RoundHeader]]:
        """Second headers of a round, each signed by its coordinator, who had signed another one before."""
        rows = self._database.query("SELECT statement FROM contradictions ORDER BY digest", ())
        return [Signed.from_json(RoundHeader, json.loads(row[0])) for row in rows]

    def _keep_contradiction(self, digest: bytes, header: Signed[RoundHeader]) -> None:
        self._database.execute(
            "INSERT OR IGNORE INTO contradictions VALUES (?, ?)", (digest, json.dumps(header.to_json()).encode())
        )
