"""How fast the lab is beside others: each side in a process of its own, in turns, by a rule that is fixed beforehand.

May import: what stands above it in the README's table, down to `lab.profiling`.
"""
