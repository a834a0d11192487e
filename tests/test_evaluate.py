"""A trained model is measured: the real command, its figures against the run's own and against Hugging Face's."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands import ROOT, TINY, Finished, lab, train_here
from support.evaluation import evaluate, figures
from support.twin import hugging_face_twin
from torch import nn

from lab.data.corpus import bundled_folder
from lab.interchange.pretrained import open_pretrained
from lab.runs import checkpoint
from lab.tokenizer import Tokenizer

CONTEXT, VAL_TOKENS = 16, 300  # of TINY


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that overfits, so that its best checkpoint and its last one differ."""
    folder = tmp_path_factory.mktemp("trained")
    done = train_here(
        folder,
        *TINY,
        "trainer.max_steps=80",
        "eval_every=8",
        "save=true",
        "optimizer.lr=2e-2",
        "data.max_train_tokens=90",
    )
    assert done.code == 0, done.err
    return done


def fables() -> np.ndarray:
    """The tokens of the bundled corpus, put together by other means than the lab's."""
    tokenizer = Tokenizer()
    texts = [file.read_bytes().decode("utf-8") for file in sorted((bundled_folder() / "fables").glob("*.txt"))]
    tokens = [[*tokenizer.encode(text), tokenizer.endoftext] for text in texts]
    return np.array([token for document in tokens for token in document][:-1])


def test_the_figures_are_those_of_the_run(trained: Finished) -> None:
    results = trained.results
    assert results["best_step"] < results["steps"]
    for name, loss in (("best", results["best_val_loss"]), ("last", results["val_loss"])):
        found = figures(trained.folder, f"checkpoint={trained.run / 'checkpoints' / f'{name}.ckpt'}")
        assert found["loss"] == pytest.approx(loss, rel=5e-6), name  # in float32, whose sums differ between processors
    assert found["perplexity"] == pytest.approx(results["perplexity"], rel=1e-4)
    assert found["bits_per_byte"] == pytest.approx(results["bits_per_byte"], rel=1e-5)
    assert found["step"] == 80
    assert found["tokens"] == VAL_TOKENS - 1


@pytest.mark.parametrize(("split", "n_tokens"), [("val", VAL_TOKENS), ("train", 90)])
def test_the_loss_is_hugging_faces(trained: Finished, split: str, n_tokens: int) -> None:
    found = figures(trained.folder, f"split={split}")
    text = fables()
    border = len(text) - VAL_TOKENS
    part = {"val": text[border:], "train": text[border - n_tokens : border]}[split]
    assert len(part) == n_tokens
    model = open_pretrained("last", trained.folder).model
    # Its labels are its inputs, one further on: a window of T predictions takes T + 1 inputs, of which the last one
    # predicts nothing. So the twin gets room for one more position, whatever its embedding.
    twin = hugging_face_twin(model)
    twin.transformer.wpe = nn.Embedding.from_pretrained(
        torch.cat([model.get_parameter("position_embedding.weight"), torch.ones(1, 32)])
    )
    nll, right = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(part) - 1, CONTEXT):
            ids = torch.from_numpy(part[start : start + CONTEXT + 1])[None]
            result = twin.eval()(ids, labels=ids)
            nll += result.loss.item() * (ids.shape[1] - 1)
            right += int((result.logits[0, :-1].argmax(-1) == ids[0, 1:]).sum())
    assert found["tokens"] == len(part) - 1
    assert found["loss"] == pytest.approx(nll / (len(part) - 1), abs=1e-4)
    assert found["accuracy"] == pytest.approx(right / (len(part) - 1), abs=2 / len(part))
    assert found["bytes"] == len(Tokenizer().decode_bytes([t for t in part[1:] if t != Tokenizer().endoftext]))
    assert found["bits_per_byte"] == pytest.approx(nll / math.log(2) / found["bytes"], rel=1e-4)


def test_overlapping_windows_see_more_context(trained: Finished) -> None:
    model = open_pretrained("last", trained.folder).model
    text = torch.from_numpy(fables()[-VAL_TOKENS:])
    nll = 0.0
    with torch.no_grad():
        for target in range(1, len(text)):  # stride=1: each token with all the context that fits
            logits = model(text[None, max(0, target - CONTEXT) : target])[0, -1].double()
            nll -= logits.log_softmax(-1)[text[target]].item()
    one, all_windows = figures(trained.folder, "stride=1", "batch_size=64"), figures(trained.folder, "stride=16")
    assert one["loss"] == pytest.approx(nll / (len(text) - 1), rel=5e-6)
    assert one["tokens"] == all_windows["tokens"] == len(text) - 1
    assert all_windows == figures(trained.folder)  # that is the default
    assert figures(trained.folder, "batch_size=1")["loss"] == pytest.approx(all_windows["loss"], abs=1e-6)


def test_standard_output_carries_the_figures_alone(trained: Finished, tmp_path: Path) -> None:
    done = lab(trained.folder, "evaluate", "format=json", f"to={tmp_path / 'new' / 'figures.json'}")
    assert done.code == 0, done.err
    out = done.out
    assert json.loads(out) == json.loads((tmp_path / "new" / "figures.json").read_text(encoding="utf-8"))
    assert "scoring fables  299 tokens" in done.err
    code, table, _ = evaluate(trained.folder)
    assert code == 0
    found = json.loads(out)
    assert f"loss           {found['loss']:.4f} nats a token" in table
    assert f"perplexity     {found['perplexity']:,.2f}" in table
    assert f"bits per byte  {found['bits_per_byte']:.4f}" in table
    assert f"accuracy       {found['accuracy']:.2%}" in table
    assert "299 tokens" in table


def test_a_text_of_ones_own(trained: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "my notes, (1) = {a} ${b} 'x'"
    folder.mkdir()
    (folder / "ä #1.txt").write_text("A crow and a fox met by the river. " * 40, encoding="utf-8")
    relative = os.path.relpath(folder / "ä #1.txt", trained.folder)
    found = figures(trained.folder, "corpus=text", f"corpus.path={relative}", "split=all")
    n_tokens = len(Tokenizer().encode("A crow and a fox met by the river. " * 40))
    assert (found["corpus"], found["tokens"]) == ("text", n_tokens - 1)
    # Not the model's own corpus: the last tenth validates, as it would by default, not the 300 tokens of its run.
    assert figures(trained.folder, f"corpus.path={folder}")["tokens"] == int(n_tokens * 0.1) - 1


def test_a_run_knows_its_text_from_every_folder(tmp_path: Path) -> None:
    """Its place and how it was cut into documents: for an evaluation, and for a run that goes on."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, who in ((here, "fox"), (there, "crow")):
        folder.mkdir()
        (folder / "tales.txt").write_text("".join(f"On day {i} the {who} came.\n<|endoftext|>\n" for i in range(60)))
    options = (*TINY, "save=true", "corpus=text", "corpus.path=tales.txt", "sample.max_tokens=0", "trainer.max_steps=1")
    plain = train_here(here, *options)
    told = " ".join(plain.out.split())
    assert "note <|endoftext|> stands in the text 60 times" in told
    assert "corpus.document_separator='<|endoftext|>'" in told
    done = train_here(here, *options, "corpus.document_separator=<|endoftext|>")
    assert "note" not in done.out
    assert (done.results["corpus"]["documents"], plain.results["corpus"]["documents"]) == (60, 1)
    assert done.results["corpus"]["fingerprint"] != plain.results["corpus"]["fingerprint"]
    found = figures(there, f"checkpoint={done.run}")
    assert found["fingerprint"] == done.results["corpus"]["fingerprint"]
    assert found["loss"] == pytest.approx(done.results["val_loss"], abs=1e-5)
    longer = train_here(there, f"resume={done.run}", "trainer.max_steps=2")
    assert longer.code == 0, longer.err
    assert longer.results["corpus"] == done.results["corpus"]
    # Typed, the path is that of this folder: another text, cut as it says here.
    found = figures(there, f"checkpoint={done.run}", "corpus.path=tales.txt", "split=all")
    assert found["fingerprint"] not in (done.results["corpus"]["fingerprint"], plain.results["corpus"]["fingerprint"])


def test_a_corpus_that_has_changed_is_told(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("The hare and the mole shared a field. " * 60, encoding="utf-8")
    options = [
        *TINY,
        "corpus=text",
        "corpus.path=notes.txt",
        "data.val_fraction=0.3",
        "trainer.max_steps=1",
        "save=true",
    ]
    done = train_here(tmp_path, *options)
    assert done.code == 0, done.err
    n_val = len(Tokenizer().encode(notes.read_text(encoding="utf-8"))) * 3 // 10
    code, out, err = evaluate(tmp_path, "format=json")  # the corpus and its cut are the run's
    assert json.loads(out)["loss"] == pytest.approx(done.results["val_loss"], abs=1e-5)
    assert json.loads(out)["tokens"] == n_val - 1
    assert "note:" not in err
    (tmp_path / "copy.txt").write_bytes(notes.read_bytes())  # the same text by another name is the same text
    assert figures(tmp_path, "corpus=text", "corpus.path=copy.txt")["tokens"] == n_val - 1
    notes.write_text(notes.read_text(encoding="utf-8") + "And then it rained.", encoding="utf-8")
    code, _, err = evaluate(tmp_path)
    assert code == 0
    assert "the text of the corpus text is not the one that the model was trained on" in err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "corpus=fabels",
            "corpus=fabels is unknown: choose one of bin, fables, fineweb_edu, grammar, hf, mix, shakespeare, stdlib, ",
        ),
        ("corpus=a,b (c", "corpus=a,b (c is unknown"),
        ("corpus=text", "corpus=text needs a text"),
        ("corpus.path=nowhere.txt", "there is no file, folder or match"),
        ("corpus=fables corpus.path=x", "corpus.path= goes with corpus=text"),
        ("corpus_path=x", "did you mean corpus.path=?"),
        ("split=test", "split=test does not fit: choose one of val, train, all"),
        ("format=yaml", "choose one of table, json"),
        ("stride=0", "stride=0 is out of range: it must be at least 1"),
        ("stride=17", "stride=17 is out of range: it must be at most the model's context of 16"),
        ("batch_size=0", "batch_size=0 is out of range"),
        ("checkpoint=nowhere", "checkpoint=nowhere: there is no such file or folder"),
        ("device=abacus", "device=abacus is not to be had here"),
        ("device=meta", "device=meta is not to be had here"),
        ("task=nowhere.jsonl", "there is no task file"),
        ("task=x.jsonl stride=2", "give one or the other"),
        ("task=x.jsonl corpus=fables", "give one or the other"),
        ("corpus.path=small.txt", "too small: split=val has 0 of its 3 tokens"),
        ("corpus.path=empty.txt", "the text is empty"),
        ("to=small.txt/x.json", "cannot be written"),
        ("to=.", "to=. is a folder"),
        ("to=", "to= is empty"),
        ("task=", "task= is empty"),
        ("--checkpoint last", "there is no option --checkpoint: write checkpoint=VALUE"),
    ],
)
def test_mistakes_in_one_sentence(trained: Finished, typed: str, said: str) -> None:
    (trained.folder / "small.txt").write_text("A small text", encoding="utf-8")
    (trained.folder / "empty.txt").write_text("", encoding="utf-8")
    # Words of one mistake are told apart by their option's name: a value may have blanks in it.
    words = [typed] if typed.startswith("corpus=a") else typed.split()
    code, out, err = evaluate(trained.folder, *words)
    lines = [line for line in err.strip().splitlines() if not line.startswith("scoring")]
    assert code == 1
    assert said in lines[-1]
    assert len(lines) == 1
    assert out == "" or typed.startswith("to=")  # what was measured is not lost


def test_damaged_weights_are_told(trained: Finished) -> None:
    found = checkpoint.load(trained.run / "checkpoints" / "last.ckpt")
    found["state_dict"]["model.final_norm.shift"][0] = math.nan
    checkpoint.save(found, trained.folder / "nan.ckpt")
    code, out, err = evaluate(trained.folder, "checkpoint=nan.ckpt")
    assert (code, out) == (1, "")
    assert err.strip().splitlines()[-1].startswith("error: the loss is nan: the weights of")


def test_help_names_every_option() -> None:
    code, out, _ = evaluate(ROOT, "--help")
    assert code == 0
    for option in ("checkpoint", "corpus", "corpus.path", "split", "stride", "task", "batch_size", "format", "to"):
        assert f"\n  {option} (" in out
    assert "corpus_path" not in out


def test_it_starts_quickly() -> None:
    """Lightning and torchmetrics take seconds to import, and nothing here is trained."""
    code = "import sys, lab.evaluate; print({'lightning', 'torchmetrics'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
