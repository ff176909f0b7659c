"""The audit of a log: it is whole and legal, and its scheduler decides the same again."""
