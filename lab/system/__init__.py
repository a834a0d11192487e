"""The process and the machine beneath it: its streams, its signals, its memory, its devices.

May import: `lab.errors`.
"""
