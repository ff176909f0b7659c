"""JSON as text."""

from __future__ import annotations

import pytest

from refrain import json_text
from refrain.json_text import JsonError

DEEP = "[" * 50_000 + "]" * 50_000


@pytest.mark.parametrize(
    "text, expected",
    [
        ("{}", {}),
        (' { "a" : 1 } ', {"a": "1"}),
        (
            '{"a":"x","b":-1.50e+9,"c":true,"d":null}',
            {"a": '"x"', "b": "-1.50e+9", "c": "true", "d": "null"},
        ),
        ('{"a":[1, {"b":2}],"c":{ }}', {"a": '[1, {"b":2}]', "c": "{ }"}),
        ('{"a\\"\\u00e9":"\\n"}', {'a"é': '"\\n"'}),
        ('{"n":123456789012345678901234567890}', {"n": "123456789012345678901234567890"}),
        ('{"half":"\\ud800"}', {"half": '"\\ud800"'}),
        (f'{{"deep":{DEEP}}}', {"deep": DEEP}),
    ],
)
def test_members_are_as_they_are_written(text: str, expected: dict[str, str]) -> None:
    assert json_text.members(text) == expected


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "an object is expected"),
        ("[]", "an object is expected"),
        ("{", "a key is expected"),
        ('{"a"}', "`:` is expected"),
        ('{"a":}', "a value is expected"),
        ('{"a":1', "`,` or `}` is expected"),
        ('{"a":1,}', "a key is expected"),
        ('{"a":1 "b":2}', "`,` or `}` is expected"),
        ('{"a":1}x', "the object has ended"),
        ('{"a":1,"a":2}', "the field `a` is there twice"),
        ('{"a":1,"\\u0061":2}', "the field `a` is there twice"),
        ('{"a":01}', "a value is expected"),
        ('{"a":1.}', "a value is expected"),
        ('{"a":+1}', "a value is expected"),
        ('{"a":NaN}', "a value is expected"),
        ('{"a":[NaN]}', "NaN"),
        ('{"a":[-Infinity]}', "Infinity"),
        ('{"a":"\t"}', "column 7: Invalid control character"),
        ('{"a":"\\x"}', "Invalid"),
        ('{"a":["x]}', "Unterminated"),
        ('{"a":[1,]}', "column "),
        ('{"a":{"b":1,}}', "column 1"),
        ('{"\\ud800":1}', "half a character"),
        ('{"a":' + "[" * 50_000 + '{"b" 1}' + "]" * 50_000 + "}", "`:` is expected"),
        ('{"a":' + "[" * 50_000 + "1 2" + "]" * 50_000 + "}", "`,` or the end is expected"),
    ],
)
def test_what_is_no_object_is_refused(text: str, said: str) -> None:
    with pytest.raises(JsonError) as error:
        json_text.members(text)
    assert said in str(error.value)


def test_elements_are_as_they_are_written() -> None:
    assert json_text.elements(" [ ] ") == []
    assert json_text.elements('[1.0, "a,b" ,[2],{"c":[3]}]') == [
        "1.0",
        '"a,b"',
        "[2]",
        '{"c":[3]}',
    ]
    for text in ("", "{}", "[", "[1", "[1,]", "[1 2]", "[1]2"):
        with pytest.raises(JsonError):
            json_text.elements(text)


def test_texts_are_read_whole() -> None:
    assert json_text.string('"a\\u00e9\\ud83d\\ude00\\/"') == "aé😀/"
    for raw in ('"\\ud800"', "1", "", '"', "null"):
        assert json_text.string(raw) is None


def test_one_value_is_told_from_several() -> None:
    for text in ("1", " 1 ", DEEP, '"a"', "\n{}\n"):
        assert json_text.is_json(text)
    for text in ("", "1 2", "{", '"a', "[1]]"):
        assert not json_text.is_json(text)
    assert json_text.is_value("1") and not json_text.is_value(" 1")


def test_numbers_are_of_one_kind_or_of_the_other() -> None:
    one, whole, large = json_text.parse("[1.0,1,123456789012345678901234567890]")
    assert one != whole and whole == 1 and large != int(large)
    assert json_text.parse("[1.0,1.00]") == [one, one]
    deepest = "[" * 126 + "]" * 126
    assert json_text.parse(deepest) != []
    for text in ("1e999", '["\\ud800"]', DEEP, f"[{deepest}]", "x", "NaN"):
        with pytest.raises(JsonError):
            json_text.parse(text)
