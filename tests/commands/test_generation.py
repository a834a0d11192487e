"""From a prompt to printed text, or to lines of JSON."""

import json
import math
from typing import Any

import pytest
import torch
from support.commands import Finished

from lab.commands import generation
from lab.commands.generation import Generator
from lab.interchange.pretrained import open_pretrained
from lab.tokenizer import Tokenizer

NASTY = [
    "a, b, c",
    'say "so"',
    "it's",
    "((",
    "[1, 2] {a: b}",
    "x=y=z",
    "# not a comment",
    "12",
    "1e-3",
    "null",
    "true",
    "~",
    "two\nlines\n",
    "tab\there",
    "🦊 Über ß 日本",
    "${a} $x ${oc.env:HOME}",
    "back\\slash\\",
    "  blanks  ",
    "-m",
    "--help me",
    "<|endoftext|>",
    "%s {} %",
    "",
]


@pytest.mark.parametrize("text", NASTY)
def test_texts_arrive_as_typed(text: str, here: Any) -> None:
    code, out, err = here(f"prompt={text}", "max_tokens=0", f"stop={text}")
    assert (code, out, err) == (0, text + "\n", "")


def test_several_samples_at_once(here: Any) -> None:
    code, out, err = here("prompt=The fox", "num_samples=3", "seed=4", "max_tokens=9")
    assert code == 0
    singles = [here("prompt=The fox", f"seed={seed}", "max_tokens=9")[1] for seed in (4, 5, 6)]
    assert out == "\n".join(singles)
    assert err.splitlines() == [f"sample {n} of 3" for n in (1, 2, 3)]


def test_the_prompt_from_a_file_or_from_standard_input(here: Any, trained: Finished) -> None:
    (trained.folder / "beginning.txt").write_text("Once\nupon a time\n")
    for arguments in (("prompt_file=beginning.txt",), ("prompt_file=-",)):
        assert here(*arguments, "max_tokens=0", stdin=b"Once\nupon a time\n") == (0, "Once\nupon a time\n", "")
    marked = "\ufeffOnce\r\n".encode()  # as Notepad writes it: neither the mark nor the line break is text
    (trained.folder / "marked.txt").write_bytes(marked)
    for arguments in (("prompt_file=marked.txt",), ("prompt_file=-",)):
        assert here(*arguments, "max_tokens=0", stdin=marked) == (0, "Once\n", "")
    assert "is not UTF-8" in here("prompt_file=-", stdin=b"Once\xff")[2]
    assert "is not UTF-8 but UTF-16" in here("prompt_file=-", stdin="Once".encode("utf-16"))[2]
    assert "cannot be read" in here("prompt_file=nowhere.txt")[2]


def test_a_prompt_longer_than_the_context_is_cropped_and_that_is_said(here: Any) -> None:
    prompt = " one two three four" * 20
    code, out, err = here(f"prompt={prompt}", "temperature=0", "max_tokens=3")
    assert code == 0
    assert out.startswith(prompt)
    assert err == "the prompt has 80 tokens; the model sees the last 32\n"
    cropped = here(f"prompt={' one two three four' * 8}", "temperature=0", "max_tokens=3")[1]
    assert out.removeprefix(prompt) == cropped.removeprefix(" one two three four" * 8)


def test_json_has_the_models_own_probabilities(here: Any, trained: Finished) -> None:
    code, out, err = here(
        "prompt=The fox", "format=json", "max_tokens=6", "num_samples=2", "seed=3", "alternatives=4", "temperature=2"
    )
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    tokens, samples = [line for line in lines if "index" in line], [line for line in lines if "end" in line]
    assert [(line["sample"], line["index"]) for line in tokens] == [(s, i) for i in range(6) for s in (0, 1)]
    source, tokenizer = open_pretrained("last", trained.folder), Tokenizer()
    model, among = source.model, source.occurring
    assert among is not None
    for sample in samples:
        mine = [line for line in tokens if line["sample"] == sample["sample"]]
        assert "".join(line["text"] for line in mine) + sample["rest"] == sample["text"]
        assert sample["end"] == "max_tokens"
        ids = tokenizer.encode("The fox") + [line["token_id"] for line in mine]
        assert tokenizer.decode(ids) == "The fox" + sample["text"]
        with torch.no_grad():
            law = torch.log_softmax(model(torch.tensor([ids]))[0].double(), dim=-1)[-7:-1]
        for row, line in zip(law, mine, strict=True):
            assert line["log_prob"] == pytest.approx(float(row[line["token_id"]]), abs=1e-4)
            assert line["probability"] == pytest.approx(math.exp(line["log_prob"]))
            assert line["rank"] == int((row > row[line["token_id"]]).sum())
            assert line["entropy"] == pytest.approx(float(-(row.exp() * row).sum()), abs=1e-3)
            best = row.masked_fill(~among, -torch.inf).topk(4)
            assert [a["token_id"] for a in line["alternatives"]] == best.indices.tolist()
            assert [a["probability"] for a in line["alternatives"]] == pytest.approx(
                best.values.exp().tolist(), rel=1e-3
            )
            assert [a["text"] for a in line["alternatives"]] == [tokenizer.decode([int(i)]) for i in best.indices]


def test_a_stop_ends_the_text_before_it(here: Any) -> None:
    whole = here("prompt=The fox", "temperature=0", "max_tokens=12")[1].removesuffix("\n")
    stop = whole[len("The fox") + 9 :][:7]
    expected = whole[: whole.index(stop, len("The fox"))]
    assert here("prompt=The fox", "temperature=0", "max_tokens=12", f"stop={stop}", "stop=🦊")[1] == expected + "\n"
    last = json.loads(here("prompt=The fox", "temperature=0", "format=json", f"stop={stop}")[1].splitlines()[-1])
    assert (last["end"], "The fox" + last["text"]) == ("stop", expected)


def test_weights_in_int8_write_a_text_and_are_for_a_cpu(
    here: Any, trained: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.folder)
    code, out, err = here("prompt=The fox", "max_tokens=5", "weights=int8", "seed=1")
    assert (code, err) == (0, "")
    assert out.startswith("The fox")
    monkeypatch.setattr(generation, "torch_device", lambda: torch.device("cuda"))
    assert "error: weights=int8 is for the CPU, and this machine has cuda" in here("weights=int8")[2]


def test_weights_in_bf16_say_nearly_the_same(here: Any, trained: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.folder)
    ids = torch.tensor([Tokenizer().encode("The fox and the crow")])
    full, half = Generator("last").model.eval(), Generator("last", "bf16").model.eval()
    assert {p.dtype for p in half.parameters()} == {torch.bfloat16}
    with torch.no_grad():
        expected, found = full(ids), half(ids).float()
    assert not torch.equal(found, expected)
    # Eight bits of mantissa: each of the few roundings on the way is half a percent at most.
    assert (found - expected).abs().max() < 0.05 * expected.abs().max()
    assert here("prompt=The fox", "max_tokens=5", "weights=bf16", "seed=1")[0] == 0
    assert "weights=int4 does not fit: choose one of fp32, bf16, int8" in here("weights=int4")[2]
