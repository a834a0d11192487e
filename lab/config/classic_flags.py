"""The flags of the classic training script: whoever knows those is told what they are called here."""

CLASSIC = {
    "--model": "model",
    "--data": "corpus",
    "--epochs": "trainer.max_epochs",
    "--max-steps": "trainer.max_steps",
    "--batch-size": "data.batch_size",
    "--grad-accum": "trainer.accumulate_grad_batches",
    "--lr": "optimizer.lr",
    "--tokenizer": "tokenizer",
    "--optimizer": "optimizer",
    "--schedule": "schedule",
    "--clip": "trainer.gradient_clip_val",
    "--save": "save",
    "--save-every": "save_every",
    "--keep": "keep",
    "--resume": "resume",
    "--eval-every": "eval_every",
    "--seed": "seed",
    "--device": "trainer",
    "--precision": "trainer.precision",
    "--compile": "trainer.compile",
    "--out": "hydra.run.dir",
    "--log": "logger",
}
"""Flag to option, as the README's table has them."""


def option(word: str) -> str | None:
    """What the flag is called here: ``--batch_size``, ``-batch-size`` and ``batch_size`` are all ``--batch-size``."""
    return CLASSIC.get("--" + word.lstrip("-").replace("_", "-").lower())
