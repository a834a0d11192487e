"""Which files a path names, and what is read from them."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.data import corpus
from lab.data.corpus import documents
from lab.errors import LabError
from lab.files import user_code

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lay(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"this is {name}", encoding="utf-8")


def texts(*files: Path, separator: str | None = None) -> list[str]:
    return ["".join(document) for document in documents(files, separator)]


def test_a_function_of_ones_own_yields_documents(tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(
        "def texts():\n    yield 'one'\n    yield 'two'\n"
        "def odd():\n    yield 'one'\n    yield 2\n"
        "def half():\n    yield '\\ud800'\n"
        "def fails():\n    yield 'one'\n    raise KeyError('x')\n"
    )
    with user_code.allowed([tmp_path / "idea.py"]):
        found = corpus.own_documents("idea.py:texts")
        assert ["".join(document) for document in found] == ["one", "two"]
        for name, said in (
            ("odd", "yields int number 2, and not a text"),
            ("half", "half of a character stands in text 1"),
            ("fails", r"fails \(KeyError: 'x', idea\.py line 11\)"),
            ("none", r"there is no none in idea\.py"),
        ):
            with pytest.raises(LabError, match=said):
                list(corpus.own_documents(f"idea.py:{name}"))


def test_each_file_is_a_document(tmp_path: Path) -> None:
    lay(tmp_path, "a.txt", "b.md")
    assert texts(tmp_path / "b.md", tmp_path / "a.txt") == ["this is b.md", "this is a.txt"]


def test_line_ends_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\rthree\n")
    assert texts(tmp_path / "a.txt") == ["one\r\ntwo\rthree\n"]


@few
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.integers(1, 9), st.booleans())
def test_text_comes_through_whole_wherever_the_reads_end(
    tmp_path_factory: pytest.TempPathFactory, text: str, piece: int, bom: bool
) -> None:
    file = tmp_path_factory.mktemp("text") / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf" * bom + text.encode())
    expected = text if bom else text.removeprefix("\ufeff")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_PIECE", piece)
        assert texts(file) == [expected]


def test_characters_across_the_border_of_two_reads(tmp_path: Path) -> None:
    for shift in range(4):
        text = "x" * ((1 << 20) - shift) + "🦊é" + "y" * 10
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        pieces = list(next(documents([tmp_path / "a.txt"])))
        assert len(pieces) > 1
        assert "".join(pieces) == text


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbftext")
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "text"}')
    assert texts(tmp_path / "a.txt", tmp_path / "b.jsonl") == ["text", "text"]


def test_each_json_line_is_a_document(tmp_path: Path) -> None:
    stories = ["one\nwith two lines", "", "zwei 🦊", "\u2028 is no line end"]
    lines = [json.dumps({"text": stories[0], "title": "extra"}), json.dumps({"text": stories[1]}), "  "]
    lines += [json.dumps({"text": story}, ensure_ascii=False) for story in stories[2:]]
    (tmp_path / "a.JSONL").write_text("\n".join(lines), encoding="utf-8")
    assert texts(tmp_path / "a.JSONL") == stories


@few
@given(st.lists(st.text(), max_size=5), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_text_survives_in_json_lines(
    tmp_path_factory: pytest.TempPathFactory, stories: list[str], ascii_only: bool, end: str
) -> None:
    file = tmp_path_factory.mktemp("lines") / "a.jsonl"
    lines = [json.dumps({"text": story}, ensure_ascii=ascii_only) + end for story in stories]
    file.write_bytes("".join(lines).encode())
    assert texts(file) == stories


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        "null",
        '"text"',
        "{}",
        '{"txt": "a"}',
        '{"text": 7}',
        '{"text": null}',
        '{"text": ["a"]}',
        '{"text": "\\ud800"}',
        '{"text": "a"} {"text": "b"}',
        '{"text": ' + "[" * 100_000,
        '{"text": "a", "number": ' + "7" * 5000 + "}",
    ],
)
def test_a_bad_json_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "good"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(LabError, match=r"a\.jsonl, line 3: .*\{\"text\""):
        texts(file)


STORIES = ["one\nwith two lines", "", "zwei 🦊"]
OBJECTS = [{"text": story, "title": "extra"} for story in STORIES]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson", "A.JSON"])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        "\ufeff" + json.dumps(STORIES, ensure_ascii=False),
        "\n".join(map(json.dumps, OBJECTS)),
        "\n" + "\n\n".join(map(json.dumps, OBJECTS)) + "\n",
    ],
)
def test_json_is_told_by_its_content(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert texts(tmp_path / name) == STORIES


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_object_is_a_document(tmp_path: Path, indent: int | None) -> None:
    (tmp_path / "a.json").write_text(json.dumps(OBJECTS[0], indent=indent), encoding="utf-8")
    assert texts(tmp_path / "a.json") == STORIES[:1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"name": "settings"}', "line 1: expected a JSON object"),
        ('{\n"name": "settings"\n}', r"a\.json: expected a JSON object"),
        ('["a", {"text": 7}]', "element 2: expected a JSON object"),
        ('["a", "\\ud800"]', "element 2: half of a character"),
        ("[" * 100_000, "this is no JSON that can be read .it is nested too deep"),
        ("[" + "7" * 5000 + "]", "this is no JSON that can be read .it has a number with too many digits"),
        ('["a",', "this is no JSON that can be read"),
        ("a story", "this is no JSON that can be read"),
    ],
)
def test_other_json_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match=said) as caught:
        texts(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["txt", "log"])
def test_json_under_another_name_is_text(tmp_path: Path, ending: str) -> None:
    """Somebody may want a model that writes JSON."""
    (tmp_path / f"a.{ending}").write_text(json.dumps(OBJECTS), encoding="utf-8")
    assert texts(tmp_path / f"a.{ending}") == [json.dumps(OBJECTS)]


END = "<|endoftext|>"


def test_a_separator_ends_a_document_and_takes_its_line_break_along(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(f"one\n{END}\ntwo{END}\r\n\nthree{END}{END}four{END}\n".encode())
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": f"five{END}six"}), encoding="utf-8")
    files = (tmp_path / "a.txt", tmp_path / "b.jsonl")
    assert texts(*files, separator=END) == ["one\n", "two", "\nthree", "", "four", "", "five", "six"]
    assert END in texts(tmp_path / "a.txt")[0]


@few
@given(
    st.lists(st.text(st.sampled_from("ab-\r\n"), max_size=8), max_size=8),
    st.integers(1, 9),
    st.sampled_from(["-a-", "-"]),
)
def test_a_separator_is_found_wherever_the_reads_end(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], piece: int, separator: str
) -> None:
    text = separator.join(parts)
    file = tmp_path_factory.mktemp("text") / "a.txt"
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_PIECE", piece)
        assert texts(file, separator=separator) == re.split(re.escape(separator) + "(?:\r\n|\n)?", text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wide.txt", "A fox.".encode("utf-16")),
        ("wide.jsonl", '{"text": "a"}'.encode("utf-16")),
        ("latin1.txt", "ein schöner Text".encode("latin1")),
        ("latin1.jsonl", '{"text": "schön"}\n'.encode("latin1")),
        ("cut.txt", "🦊".encode()[:3]),
        ("utf16.txt", "\u0101\u0202".encode("utf-16")),
        ("late.txt", b"x" * (1 << 20) + b"\xff"),
        ("bom.txt", b"\xef\xbb"),
    ],
)
def test_what_is_not_utf8_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabError, match="not UTF-8") as caught:
        texts(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_the_place_of_a_bad_byte_is_about_right(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * ((1 << 20) + 500) + b"\xff" + b"y" * 100)
    with pytest.raises(LabError, match=f"near byte {(1 << 20) + 500}"):
        texts(tmp_path / "a.txt")


@pytest.mark.parametrize("position", [0, 5, (1 << 20) + 7])
def test_a_binary_file_is_named(tmp_path: Path, position: int) -> None:
    file = tmp_path / "image.txt"
    file.write_bytes(b"x" * position + b"\0rest")
    with pytest.raises(LabError, match=f"zero byte stands at position {position}") as caught:
        texts(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("name", ["gone.txt", "gone.jsonl"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabError, match="cannot be read") as caught:
        texts(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
