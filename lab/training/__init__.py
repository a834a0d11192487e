"""Training itself: the LightningModule, its data, its callbacks, going on with a run, and how these are put together.

May import: every room but `lab.commands` and `lab.dashboard`. The only room that knows Lightning.
"""
