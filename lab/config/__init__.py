"""Options: their schema, how they are composed from `conf/` and the command line, and what is said of them.

May import: `lab.model` for its options, `lab.files`, `lab.errors`.
"""
