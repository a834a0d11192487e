"""Other ways to cut a text than GPT-2's: bytes, characters, a vocabulary learnt from the text, somebody's own.

May import: `lab.tokenizer`, `lab.files`. No Hydra, no Lightning.
"""
