"""Paired measurements; ratios only. Each script prints what it measured and against what."""
