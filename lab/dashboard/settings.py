"""What the server is told when it starts, and how much it lets anybody ask for."""

from dataclasses import dataclass
from pathlib import Path

from lab.dashboard import private_folder


@dataclass(frozen=True)
class Settings:
    """Fixed for the life of a server. Sizes are bytes unless it says otherwise."""

    root: Path
    """The folder whose outputs/ and multirun/ are shown, and in which trainings are started."""
    token: str
    """Who has it may do everything."""
    host: str = "127.0.0.1"
    port: int = 8000

    max_body: int = 1 << 20
    """Of a request."""
    max_upload: int = 64 << 20
    """Of a text that is uploaded."""
    max_requests: int = 128
    """Requests being answered at once."""
    max_clients: int = 512
    """WebSocket connections at once."""
    max_points: int = 20_000
    """Points of a curve in one answer."""
    max_events: int = 2_000
    """Events in one answer."""
    max_log: int = 256 << 10
    """Of a training's output in one answer."""
    max_prompt: int = 20_000
    """Characters of a prompt, or of a text to tokenize."""
    max_new_tokens: int = 2_000
    """Tokens that one request can have generated."""
    max_inspected: int = 256
    """Tokens of a prompt that is looked at from inside: attention alone is n_layers x n_heads x the square of it."""
    max_timeline: int = 64
    """Checkpoints that a timeline shows."""
    max_generations: int = 4
    """Generations and inspections running or waiting at once."""

    @property
    def own(self) -> Path:
        """The folder of what the server believes; see ``private_folder``."""
        return private_folder.folder_of(self.root)

    @property
    def uploads(self) -> Path:
        """The folder of uploaded texts."""
        return self.root / "outputs" / ".corpora"
