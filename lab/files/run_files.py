"""What the files of a run are called.

Down here, because not only those who write and read them know the names: a walk through somebody's texts leaves them
out, too.
"""

CONFIG_FILE = "config.yaml"
"""Every option, resolved."""
RESULTS_FILE = "results.json"
"""What came out of it: ``lab.runs.results``."""
YARDSTICKS_FILE = "yardsticks.json"
"""What its loss is to be held against: ``lab.runs.yardsticks``."""
STATE_FILE = "state.json"
"""What it is doing now: ``lab.runs.state``."""
EVENTS_FILE = "events.jsonl"
"""What happened in it, line by line: ``lab.runs.events``."""
NOTES_FILE = "notes.json"
"""What it is called, and what somebody thought of it: ``lab.runs.notes``."""
CHECKPOINTS_FOLDER = "checkpoints"
"""Its checkpoints, where any are saved: ``lab.runs.checkpoint``."""
PROFILE_FILE = "profile.json"
"""Where the time of its steps went, if somebody has measured it."""
DISTRIBUTIONS_FILE = "distributions.json"
"""How its weights and gradients were spread: ``lab.runs.distributions``."""
COMMANDS_FOLDER = "commands"
"""What it is told to do: ``lab.runs.command_files``."""
LOG_FILE = "train.log"
"""What a training has printed that nobody watches: one of the dashboard's, or of a sweep with several at a time."""
