"""The journal: the append-only log of events, and the pure folds of it that everything shows."""
