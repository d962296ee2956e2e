"""The service: runs rounds, issues receipts, settles, keeps evidence."""
