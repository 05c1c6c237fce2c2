"""The JSON Schema against the same files as the reader."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ipsecsim.scenario import expanded_yaml, find, json_schema, names, read
from tests.unit.scenario.examples import ALL

EXAMPLES = Path(__file__).parent.parent.parent / "data" / "topology_examples"
UNSEEN = {
    **dict.fromkeys(["11", "15", "16", "25", "27", "34", "54", "57"], "a name that leads nowhere"),
    **dict.fromkeys(["18", "19", "20", "21", "35", "56", "59"], "the inside of a sentence, or a parameter"),
    **dict.fromkeys(["22", "23", "24", "28", "47", "50"], "what a number, network or proposal means"),
    **dict.fromkeys(["29", "46"], "an alias or tag is gone when the schema sees the value"),
}
READ = ("31", "41", "42", "43", "55")


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def load(text: str) -> object:
    """As an editor reads YAML 1.2: what JSON has no word for becomes text."""
    return json.loads(json.dumps(YAML(typ="rt", pure=True).load(text), default=str))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_it_accepts_every_good_example(validator, path):
    assert not list(validator.iter_errors(load(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("text", [*ALL.values(), *(expanded_yaml(read(text)) for text in ALL.values())])
def test_it_accepts_what_the_reader_accepts(validator, text):
    assert not list(validator.iter_errors(load(text)))


@pytest.mark.parametrize("name", names())
def test_it_accepts_the_library(validator, name):
    assert not list(validator.iter_errors(load(find(name).read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "broken").glob("[0-9]*.yaml")), ids=lambda path: path.stem
)
def test_it_refuses_the_broken_files_that_a_schema_can_see(validator, path):
    number = path.stem[:2]
    try:
        found = load(path.read_text(encoding="utf-8"))
    except YAMLError:
        assert number not in READ
        return
    refused = bool(list(validator.iter_errors(found)))
    assert refused is (number not in UNSEEN and number not in READ)


def test_every_reference_leads_somewhere():
    schema = json_schema()
    wanted = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert wanted == set(schema["$defs"])
