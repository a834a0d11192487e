"""What the command lines share: how a command begins and ends, its options and flags, its printed text.

May import: every room but `lab.dashboard`.
"""
