"""A trained model continues texts: the real command, and what it prints."""

import io
import json
import math
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import ROOT, TINY, Finished, lab, train_here
from support.twin import hugging_face_twin

from lab import generate
from lab.commands.generation import LIMITS, Options
from lab.commands.options import parse
from lab.inference.sampling import Sampling
from lab.inference.sampling import generate as generate_ids
from lab.inference.text_stream import TextStream
from lab.interchange.pretrained import open_pretrained
from lab.model import GPTConfig, GPTModel
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("trained")
    done = train_here(folder, *TINY, "model.context_length=32", "trainer.max_steps=2", "save=true")
    assert done.code == 0
    return done


@pytest.fixture
def here(trained: Finished, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs lab.generate inside this process: exit code, standard output, standard error."""

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace") for _ in range(2))
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["generate", *arguments])
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8", errors="surrogateescape"))
            patched.chdir(trained.folder)
            code = 0
            try:
                generate.main()
            except SystemExit as stop:
                code = int(stop.code or 0)
        for stream in (out, err):
            stream.seek(0)
        return code, out.read(), err.read()

    return run


def test_the_command_prints_the_text_alone(trained: Finished) -> None:
    prompt = "Über 🦊, \"quoted\" = 'x' # (1, 2) {a} ${b}"
    utf8 = {"PYTHONIOENCODING": "utf-8"}
    done = lab(trained.folder, "generate", "checkpoint=last", f"prompt={prompt}", "max_tokens=5", "seed=1", env=utf8)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(prompt)
    assert len(done.out) > len(prompt) + 1


@pytest.mark.parametrize("text", NASTY)
def test_texts_arrive_as_typed(text: str, here: Any) -> None:
    code, out, err = here(f"prompt={text}", "max_tokens=0", f"stop={text}")
    assert (code, out, err) == (0, text + "\n", "")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_arrives_as_typed(text: str) -> None:
    options = parse([f"prompt={text}", f"stop={text}", f"stop=x{text}", f"checkpoint=x{text}"], Options, LIMITS)
    assert (options.prompt, options.stop, options.checkpoint) == (text, [text, f"x{text}"], f"x{text}")


def test_a_seed_gives_the_same_text_and_another_one_another(here: Any, trained: Finished) -> None:
    def text(*arguments: str) -> str:
        code, out, err = here("prompt=The fox", *arguments)
        assert (code, err) == (0, "")
        return out

    assert text("seed=1") == text("seed=1") != text("seed=2")
    assert text("temperature=0") == text("temperature=0", "seed=5")
    assert text(f"checkpoint={trained.run}", "seed=1") == text("seed=1")
    assert text("max_tokens=0") == "The fox\n"
    assert text("prompt=", "max_tokens=3", "seed=1") != "\n"  # from end-of-text on
    assert text("top_p=0.0001", "seed=1") == text("temperature=0")
    assert text("top_k=1", "seed=1") == text("temperature=0")
    assert text("top_k=null", "seed=1") != text("top_k=2", "seed=1")
    assert text("max_tokens=100", "seed=1").startswith(text("max_tokens=20", "seed=1")[:-1])  # past the context, too


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
    model, tokenizer = open_pretrained("last", trained.folder).model, Tokenizer()
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
            best = row.topk(4)
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


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("🦊ß日é"))
def test_characters_are_streamed_whole(text: str) -> None:
    stream = TextStream(Tokenizer())
    pieces = [stream.push(token) for token in Tokenizer().encode(text)]
    assert "".join(pieces) == text  # no character is broken: a broken one would be U+FFFD for good
    assert stream.finish() == ""
    assert (stream.text, stream.ended) == (text, "max_tokens")


@settings(max_examples=300)
@given(st.text("ab🦊", max_size=12), st.lists(st.text("ab🦊", min_size=1, max_size=4), max_size=3))
def test_stops_are_found_wherever_the_tokens_are_cut(text: str, stops: list[str]) -> None:
    tokenizer = Tokenizer()
    stream = TextStream(tokenizer, stops)
    pieces = []
    for character in text:  # one token for each letter, several for the fox
        for token in tokenizer.encode(character):
            pieces.append(stream.push(token))
            assert not any(stop in "".join(pieces) for stop in stops)
    pieces.append(stream.finish())
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(stop) for stop in stops)]
    expected = text
    if ends:  # the first that is complete; of several that end there, the longest
        begun = text[: ends[0]]
        expected = begun[: -max(len(stop) for stop in stops if begun.endswith(stop))]
    assert "".join(pieces) == stream.text == expected
    assert stream.ended == ("stop" if ends else "max_tokens")


def test_what_never_becomes_a_character_is_marked_at_the_end() -> None:
    fox = Tokenizer().encode("🦊")
    stream = TextStream(Tokenizer())
    assert [stream.push(token) for token in fox[:-1]] == [""] * (len(fox) - 1)
    assert stream.finish() == "\ufffd"


def test_end_of_text_ends_the_text() -> None:
    stream = TextStream(Tokenizer(), ["zz"])
    assert stream.push(Tokenizer().encode("z")[0]) == ""
    assert stream.push(Tokenizer().endoftext) == "z"  # no stop after all
    assert stream.ended == "end_of_text"
    assert stream.push(Tokenizer().encode("more")[0]) == stream.finish() == ""


def test_greedy_text_is_hugging_faces() -> None:
    """500 tokens, until the two best logits differ by less than the rounding of two ways to compute them."""
    torch.manual_seed(5)
    shape = GPTConfig(emb_dim=64, n_layers=3, n_heads=4, context_length=640, drop_rate=0.0, vocab_size=50257)
    model = GPTModel(shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)  # lively: an untrained model's best logits differ by too little
        model.position_embedding.weight.mul_(5)  # or it would soon repeat itself
    twin = hugging_face_twin(model).eval()
    for prompt in ([11, 50000, 7], [3], list(range(100, 190))):
        theirs = twin.generate(  # type: ignore[operator]
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=500,
            min_new_tokens=500,
            do_sample=False,
            use_cache=True,
            pad_token_id=50256,
            eos_token_id=None,
        )[0].tolist()
        (ours,) = generate_ids(model, [prompt], 500, Sampling(0))
        with torch.no_grad():
            best = model(torch.tensor([ours[:-1]]))[0].topk(2).values
        close = ((best[:, 0] - best[:, 1]) < 1e-4).nonzero().flatten()
        close = close[close >= len(prompt) - 1]
        sure = int(close[0]) + 1 if len(close) else len(ours)
        assert sure >= len(prompt) + 100
        assert ours[:sure] == theirs[:sure]
        assert len(set(ours[len(prompt) :])) > 20  # a text, not one token over and over


def test_the_prompt_loop_without_a_terminal(here: Any) -> None:
    lines = [
        "/temperature 0",
        "/max_tokens 4",
        "The fox",
        "",
        "/temperature warm",
        "/top_k 0",
        "/nonsense",
        "/settings",
        "/stop  the",
        "/help",
        "The crow",
        "/quit",
        "never",
    ]
    code, out, err = here("interactive=true", stdin="\n".join(lines).encode())
    assert code == 0
    first = here("prompt=The fox", "temperature=0", "max_tokens=4")[1]
    second = here(f"prompt={first[:-1]}", "temperature=0", "max_tokens=4")[1]  # an empty line goes on
    third = here("prompt=The crow", "temperature=0", "max_tokens=4", "stop= the")[1]
    assert out == first + second + third
    for said in (
        "temperature=warm does not fit",
        "top_k=0 is out of range",
        "there is no /nonsense",
        "temperature=0.0, top_k=50",
        "/quit",
    ):
        assert said in err


def test_a_line_that_is_no_text_does_not_end_the_prompt_loop(here: Any) -> None:
    lines = [
        b"/max_tokens 2",
        b"/seed 1",
        b"caf\xe9",
        b"\xed\xa0\x80",
        b"/stop caf\xe9",
        b"/\xff",
        b"The\0fox",
        b"The fox",
    ]
    code, out, err = here("interactive=true", stdin=b"\n".join(lines))
    assert code == 0
    assert err.count("not UTF-8") == 3
    assert "there is no /" in err
    assert out.startswith("The\0fox")
    assert "\nThe fox" in out
    assert (
        out.splitlines()[-1:] == here("prompt=The fox", "max_tokens=2", "seed=1")[1].splitlines()[-1:]
    )  # and no stop is set


@pytest.mark.parametrize("option", ["interactive=true", "prompt_file=-"])
def test_a_closed_standard_input_is_no_empty_text(option: str, trained: Finished) -> None:
    command = f"exec {shlex.quote(sys.executable)} -m lab.generate {option} <&-"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=trained.folder, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: standard input is closed")


def test_the_smallest_and_the_largest_numbers_are_numbers(here: Any) -> None:
    def text(*words: str) -> str:
        code, out, err = here("prompt=The fox", "seed=1", "max_tokens=3", *words)
        assert (code, err) == (0, "")
        return out

    likeliest = text("temperature=0")
    for words in (["temperature=1e-50"], ["temperature=5e-324"], ["top_p=1e-300"], ["temperature=1e300", "top_k=1"]):
        assert text(*words) == likeliest
    assert text("temperature=1e308", "top_k=1000000000000", "top_p=1e-300")


def test_the_prompt_loop_in_a_terminal(trained: Finished) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "lab.generate", "interactive=true", "temperature=0", "max_tokens=3"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=trained.folder, env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""

    def wait_for(text: bytes) -> None:
        nonlocal seen
        while text not in seen:
            seen += os.read(master, 65536)
        seen = seen.split(text, 1)[1]

    wait_for(b"> ")
    os.write(master, b"The fox\n")
    wait_for(b"The fox")  # the echo
    wait_for(b"The fox")  # the text
    wait_for(b"> ")
    os.write(master, b"\x1b[A\n")  # arrow up: the history brings the line back
    wait_for(b"The fox")
    wait_for(b"> ")
    os.write(master, b"\x04")  # Ctrl-D
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # Linux's way to say that the other side of a terminal is closed
        pass
    assert process.wait(300) == 0
    os.close(master)


def test_ctrl_c_ends_it_with_130_and_a_closed_pipe_quietly(trained: Finished) -> None:
    command = [sys.executable, "-m", "lab.generate", "prompt=The fox", "max_tokens=1000000"]
    options: dict[str, Any] = {
        "cwd": trained.folder,
        "env": {**os.environ, "PYTHONPATH": str(ROOT)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None
        assert process.stdout.read(30).startswith(b"The fox")
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (130, b"")
        assert rest.endswith(b"\n")
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(30).startswith(b"The fox")
        process.stdout.close()
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.stderr.read() == b""
        assert process.returncode == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("tempreature=1", "did you mean temperature=?"),
        ("temperature=-1", "temperature=-1 is out of range"),
        ("temperature=warm", "it must be a number"),
        ("top_k=0", "top_k=0 is out of range: it must be at least 1"),
        ("top_p=0", "top_p=0 is out of range"),
        ("top_p=1.1", "top_p=1.1 is out of range"),
        ("num_samples=0", "num_samples=0 is out of range"),
        ("max_tokens=1.5", "a whole number"),
        ("interactive=maybe", "it must be true or false"),
        ("format=xml", "choose text or json"),
        ("checkpoint=nowhere.ckpt", "checkpoint=nowhere.ckpt: there is no such file"),
        ("prompt", "'prompt' has no value"),
        ("--prompt=x", "there is no option --prompt: write prompt=x"),
        ("--max-tokens", "write max_tokens=VALUE"),
        ("The fox", "there is no option The fox"),
        ("", "no option without a name"),
        ("prompt_file=", "prompt_file= is empty"),
        ("seed=4294967296", "at most 4294967295"),
        ("temperature=1e400", "it must be a finite number"),
        ("prompt=caf\udce9", "type it as UTF-8"),
    ],
)
def test_mistakes_in_one_sentence(typed: str, said: str, here: Any) -> None:
    code, out, err = here(typed)
    assert (code, out.strip()) == (1, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_help_names_every_option(here: Any) -> None:
    code, out, _ = here("--help")
    assert code == 0
    for name in ("checkpoint", "prompt", "temperature", "top_k", "top_p", "num_samples", "stop", "interactive"):
        assert f"\n  {name} (" in out or f"\n  {name}  " in out, name
