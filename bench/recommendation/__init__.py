"""Recommendation measured honestly: leave one out, without a leak, every method on the same split and negatives."""
