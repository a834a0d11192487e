"""Tokens to text while they come: only whole characters, and nothing that may turn out to be a stop."""

import codecs
from collections.abc import Sequence

from lab.tokenizers.contract import TextTokenizer


class TextStream:
    """The text of one sample in the making.

    A character may be spread over several tokens: its bytes are held back until it is whole. And the end of the text
    may be the beginning of a stop text: it is held back until it is clear that it isn't.

    Args:
        tokenizer: what the tokens mean.
        stops: the first of these texts that is complete ends the sample where it begins; empty ones are ignored.
    """

    def __init__(self, tokenizer: TextTokenizer, stops: Sequence[str] = ()) -> None:
        self.tokenizer = tokenizer
        self.stops = [stop for stop in stops if stop]
        self.text = ""
        """What has been told for certain."""
        self.ended: str | None = None
        """Why nothing more comes: ``stop``, ``end_of_text`` or ``max_tokens``; None while something may."""
        # Bytes that form no character even with what follows become U+FFFD, the sign for that.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def push(self, token_id: int) -> str:
        """Takes a token; returns the text that is certain now and was not before. After the end: always empty."""
        if self.ended is not None:
            return ""
        if token_id == self.tokenizer.endoftext:
            return self.finish("end_of_text")
        self._take(self._decoder.decode(self.tokenizer.decode_bytes([token_id])))
        return self._release(held_back=self._possible_stop())

    def finish(self, why: str = "max_tokens") -> str:
        """No more tokens come; returns what was held back."""
        if self.ended is not None:
            return ""
        self._take(self._decoder.decode(b"", final=True))
        self.ended = self.ended or why
        return self._release(held_back=0)

    def _take(self, text: str) -> None:
        """Adds to what is pending, up to the first stop that is complete, and without that."""
        # One by one, so that it makes no difference how the text was cut into tokens.
        for character in text:
            self._pending += character
            if complete := [len(stop) for stop in self.stops if self._pending.endswith(stop)]:
                self._pending = self._pending[: -max(complete)]
                self.ended = "stop"
                return

    def _release(self, held_back: int) -> str:
        """Tells the pending text but for its last ``held_back`` characters."""
        border = len(self._pending) - held_back
        told, self._pending = self._pending[:border], self._pending[border:]
        self.text += told
        return told

    def _possible_stop(self) -> int:
        """How many characters at the end of the pending text could be the beginning of a stop."""
        if self.ended is not None:
            return 0
        return max(
            (n for stop in self.stops for n in range(1, len(stop)) if self._pending.endswith(stop[:n])), default=0
        )
