"""Figures of others that no run here makes: measured on MovieLens-100K by the same honest protocol, another tie order.

Views of the same second have no order; which of them counts as a viewer's last moves every figure by a point or so.
"""

from collections.abc import Mapping

Reported = tuple[str, str, str, str]
"""HR@10 and NDCG@10 against 99 negatives, then against all items; a range over seeds or settings, or a dash."""

REPORTED: Mapping[str, Reported] = {
    "GMF, centralised": ("0.631", "0.361", "0.115", "0.059"),
    "NeuMF, centralised": ("0.637", "0.363", "0.129", "0.062"),
    "BPR-MF, centralised": ("0.632–0.650", "–", "–", "–"),
    "LightGCN, centralised": ("0.643", "–", "–", "–"),
    "matrix factorisation, federated, 943 nodes, 60 rounds": (
        "0.627–0.642",
        "0.358–0.363",
        "0.115–0.128",
        "0.056–0.063",
    ),
    "the same, 200 nodes, 40 rounds": ("0.615–0.638", "–", "–", "–"),
    "PFedRec, federated": ("0.550", "0.315", "0.112", "0.057"),
    "EASE with recency weights, centralised": ("0.674", "0.421", "0.169", "0.099"),
    "next-item softmax, centralised": ("0.673", "0.427", "0.187", "0.108"),
}
