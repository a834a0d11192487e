"""The process and the machine beneath it: its streams, its signals, its memory.

May import: `lab.errors`.
"""
