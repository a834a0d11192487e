"""Several runs from one command line: which jobs there are, who runs them, what became of each, and how to go on.

May import: `comparison`, `runs`, `config`, `system`, `files`, `terminal`, `errors`.
"""
