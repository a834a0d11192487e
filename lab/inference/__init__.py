"""From a model and a text to more text: the KV cache, the choice of a token, text as it grows.

May import: `lab.model`, `lab.tokenizer`. No Hydra, no Lightning.
"""
