"""One runnable module per claim: python -m benchmarks.NAME [--part P] [--seed S]; results kept as JSON beside it."""
