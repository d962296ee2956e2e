"""What providers answer to a broadcast: every client words the same few outcomes differently."""

from __future__ import annotations

import enum
import re

from contracts.errors import ProviderRefused


class Outcome(enum.Enum):
    """What became of a transaction handed to a provider's pool."""

    KNOWN = "the same bytes are in the pool already"
    NONCE_SPENT = "the nonce is spent, by these bytes or others"
    FEE_TOO_LOW = "another transaction holds the nonce at no lower fee, or the fee is below the pool's least"
    UNPAYABLE = "the sender has too little"
    REFUSED = "anything else"


# Texts of geth, Erigon, Reth, Nethermind, Besu, anvil and older clients, without spaces, in lower case.
WORDINGS = (
    (Outcome.KNOWN, r"alreadyknown|knowntransaction|alreadyimported|alreadyexists|alreadyin(the)?(mem)?pool"),
    (Outcome.NONCE_SPENT, r"noncetoolow|oldnonce|noncehasalreadybeenused|nonceisbelow|nonceis?toolow|invalidnonce"),
    (Outcome.FEE_TOO_LOW, r"underpriced|lessthanblockbasefee|feetoolow|gaspricebelow|gaspricetoolow|toolowtocompete"),
    (Outcome.UNPAYABLE, r"insufficientfunds|insufficientbalance|upfrontcostexceeds"),
)


def classify(refusal: ProviderRefused) -> Outcome:
    """Return what a provider's refusal of `eth_sendRawTransaction` means."""
    text = re.sub(r"[\s_-]", "", refusal.reason).lower()
    return next((outcome for outcome, wording in WORDINGS if re.search(wording, text)), Outcome.REFUSED)
