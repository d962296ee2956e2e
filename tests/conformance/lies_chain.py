"""Lies about the chain, who was paid, what is trusted, and the archive itself."""

import io
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from client.auditor.evidence.archive import write_archive
from client.auditor.evidence.bundle import CHAIN, INDEX, PROOF
from ledger import canonical
from ledger.hashing import keccak256
from tests.conformance.case import ANY, Case, drop, edit, flip
from tests.conformance.case import UNKNOWN as NOT_KNOWN
from tests.conformance.draft import LAST, Draft, Files

OTHER = keccak256(b"something else")


def list_chain() -> Iterator[Case]:
    yield Case("anchor", "stale-header", _post_another, others=ANY)
    yield Case("anchor", "final-earlier", partial(_finalise, -1))
    yield Case("anchor", "final-later", partial(_finalise, 1))
    yield Case("anchor", "another-word", _change_word)
    yield Case("finality", "struck", lambda draft: draft.chain.state.update(halted=LAST))
    yield Case("finality", "shorter-window", _shorten_window, others=ANY)
    yield Case("claims", "drawn-one-more", _draw_more)
    yield Case("claims", "claimant-hidden", _hide_claimant)
    yield Case("escrow", "another-requester", partial(_keep, "requester", 7))
    yield Case("escrow", "budget-doubled", partial(_keep, "budgetPerRound", 2 * 10**18))
    yield Case("escrow", "rewards-bent", _bend_rewards)
    yield Case("escrow", "another-last-header", _keep_other_header)
    yield Case("trust", "another-code", _change_code, others=ANY)
    yield Case("trust", "another-chain", lambda draft: draft.chain.said.update(chain_id=1))
    yield Case("trust", "another-ledger", lambda draft: draft.chain.said.update(job_ledger=bytes([9]) * 20))
    yield Case("chain-proof", "node-missing", lambda _: edit(PROOF, partial(_change_nodes, lambda nodes: nodes[1:])))
    yield Case(
        "chain-proof", "node-too-many", lambda _: edit(PROOF, partial(_change_nodes, lambda nodes: [*nodes, "0xffff"]))
    )
    yield Case(
        "chain-proof", "node-twice", lambda _: edit(PROOF, partial(_change_nodes, lambda nodes: [nodes[0], *nodes]))
    )
    for at in range(9):
        yield Case("chain-proof", f"bit-in-node-{at}", partial(_flip_proof, at))
    yield Case("chain-proof", "header-of-another-block", lambda _: edit(PROOF, _change_header))
    yield Case("chain-proof", "another-block-named", lambda draft: draft.chain.said.update(block_hash=OTHER))
    yield Case("chain-proof", "another-number-named", lambda draft: draft.chain.said.update(block=4_322))
    yield Case("chain-proof", "trailing-byte", lambda _: edit(PROOF, lambda text: text + b"\n"))
    yield Case("chain-proof", "round-more", _say_more_rounds)
    yield Case("chain-proof", "left-out", lambda _: drop(PROOF), outcome=NOT_KNOWN)
    yield Case("anchor", "nothing-of-the-chain", lambda _: drop(CHAIN), outcome=NOT_KNOWN)


def _post_another(draft: Draft) -> None:
    """What the bundle shows was signed too, but the chain holds what was played."""
    draft.posted = False
    draft.header.update(opened_at=draft.head.opened_at - 1)


def _finalise(more: int, draft: Draft) -> None:
    """The word on chain stands for another time than the one that is said."""
    draft.chain.said["final_at"] = (draft.chain.final_at[0], draft.chain.final_at[1] + more)


def _change_word(draft: Draft) -> None:
    draft.posted = False
    draft.chain.rounds[-1]["anchor"] ^= 1


def _shorten_window(draft: Draft) -> None:
    draft.chain.state["window"] = 1


def _draw_more(draft: Draft) -> None:
    node = draft.chain.claimants[0]
    draft.chain.drawn[node] += 1
    draft.chain.state["paid"] += 1


def _hide_claimant(draft: Draft) -> None:
    draft.chain.claimants.pop()


def _keep(name: str, value: int, draft: Draft) -> None:
    draft.chain.state[name] = value


def _bend_rewards(draft: Draft) -> None:
    draft.posted = False
    draft.chain.rounds[-1]["rewards"] += 1


def _keep_other_header(draft: Draft) -> None:
    draft.posted = False
    draft.chain.state["lastHeader"] ^= 1


def _change_code(draft: Draft) -> None:
    draft.chain.account_code = b"code that pays whom it likes"


def _change_nodes(change: Callable[[list[str]], list[str]], content: bytes) -> bytes:
    value: Any = canonical.decode(content)
    return canonical.encode({**value, "nodes": change(value["nodes"])})


def _flip_proof(at: int, _: Draft) -> Any:
    return edit(PROOF, partial(_change_nodes, partial(_flip_node, at)))


def _flip_node(at: int, nodes: list[str]) -> list[str]:
    place = at % len(nodes)
    changed = flip(bytes.fromhex(nodes[place][2:]), 8 * (at + 3) + at % 8)
    return sorted([*nodes[:place], "0x" + changed.hex(), *nodes[place + 1 :]])


def _change_header(content: bytes) -> bytes:
    value: Any = canonical.decode(content)
    header = bytes.fromhex(value["header"][2:])
    return canonical.encode({**value, "header": "0x" + flip(header, 8 * 100).hex()})


def _say_more_rounds(draft: Draft) -> None:
    draft.chain.said.update(final_at=(*draft.chain.final_at, 1), blocks=(1, 2, 3))


def list_archives() -> Iterator[tuple[str, Callable[[Files], bytes]]]:
    """Archives that are none: what was done, and the bytes."""
    yield "trailing-byte", lambda files: _pack(files) + b"\0"
    yield "leading-byte", lambda files: b"\0" + _pack(files)
    yield "missing-byte", lambda files: _pack(files)[:-1]
    yield "unknown-file", lambda files: _pack({**files, "readme.txt": b"trust me"})
    yield "round-too-many", lambda files: _pack({**files, "rounds/000003/header.json": b"{}"})
    yield "no-index", lambda files: _pack({name: content for name, content in files.items() if name != INDEX})
    yield "another-version", lambda files: _pack({**files, INDEX: files[INDEX].replace(b'"version":1', b'"version":2')})
    yield "index-trailing-byte", lambda files: _pack({**files, INDEX: files[INDEX] + b" "})
    yield "parent-path", lambda files: _rename(files, b"job/terms.json", b"../../../../rc")
    yield "absolute-path", lambda files: _rename(files, b"job/terms.json", b"/etc/terms.jso")
    yield "backslash", lambda files: _rename(files, b"job/terms.json", b"job\\terms.json")
    yield "upper-case", lambda files: _rename(files, b"job/terms.json", b"job/TERMS.json")
    yield "same-name-twice", lambda files: _rename(files, b"job/terms.json", b"job/spec.json\x00")
    yield "unsorted", lambda files: _rename(files, b"job/terms.json", b"aaa/terms.json")
    yield (
        "link",
        lambda files: _patch(files, (0o100644 << 16).to_bytes(4, "little"), (0o120777 << 16).to_bytes(4, "little")),
    )
    yield "another-time", lambda files: _patch(files, b"\0\0\x21\0", b"\0\0\x22\0")
    yield "comment", lambda files: _pack(files)[:-2] + b"\1\0!"
    yield "checksum", _break_checksum
    yield "bomb", _make_bomb


def _pack(files: Files) -> bytes:
    target = io.BytesIO()
    write_archive(target, sorted(files.items()))
    return target.getvalue()


def _rename(files: Files, name: bytes, other: bytes) -> bytes:
    """Another name of the same length, before the file and in the list."""
    assert len(name) == len(other)
    return _pack(files).replace(name, other)


def _patch(files: Files, before: bytes, after: bytes) -> bytes:
    content = _pack(files)
    assert before in content
    return content.replace(before, after)


def _break_checksum(files: Files) -> bytes:
    content = _pack(files)
    crc = zlib.crc32(files[INDEX]).to_bytes(4, "little")
    return content.replace(crc, flip(crc, 3))


def _make_bomb(files: Files) -> bytes:
    """A file of zeros, deflated a thousandfold."""
    zeros = zlib.compress(bytes(1 << 20), 9, -zlib.MAX_WBITS)
    target = io.BytesIO()
    write_archive(target, [("blobs/" + "0" * 64, zeros)])
    content, size = target.getvalue(), len(zeros).to_bytes(4, "little")
    crc = zlib.crc32(zeros).to_bytes(4, "little")
    plain = crc + size + size
    deflated = zlib.crc32(bytes(1 << 20)).to_bytes(4, "little") + size + (1 << 20).to_bytes(4, "little")
    stored, packed = b"\0\0\0\0\x21\0", b"\x08\0\0\0\x21\0"
    return content.replace(stored, packed).replace(plain, deflated)
