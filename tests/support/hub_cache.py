"""A cache of Hugging Face's hub as its own library lays it out."""

import hashlib
from pathlib import Path

import torch

from lab.interchange import huggingface
from lab.model import GPTConfig, GPTModel

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(home: Path, name: str, source: Path, files: tuple[str, ...] = ("config.json", "model.safetensors")) -> Path:
    """Puts files into the cache below ``home``: blobs by hash, a snapshot of links, a ref. Returns the snapshot."""
    repo = home / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = repo / "snapshots" / COMMIT
    for folder in (repo / "blobs", repo / "refs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (repo / "refs" / "main").write_text(COMMIT)
    for file in files:
        content = (source / file).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        (repo / "blobs" / digest).write_bytes(content)
        (snapshot / file).symlink_to(Path("..") / ".." / "blobs" / digest)
    return snapshot


def put_gpt2(home: Path) -> Path:
    """A small model of GPT-2's kind with random weights, under the name of the real one."""
    source = home / "published"
    source.mkdir(parents=True)
    torch.manual_seed(5)
    model = GPTModel(GPTConfig(emb_dim=32, n_layers=2, n_heads=2, context_length=16))
    with torch.no_grad():
        for block in model.blocks:
            block.attention.qkv.weight.normal_(0, 0.3)  # type: ignore[union-attr, operator]
    huggingface.write_model(model, source)
    return put(home, "openai-community/gpt2", source)
