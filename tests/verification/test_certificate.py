"""certificate.json keeps to its schema, and claims nothing that was not checked."""

from pathlib import Path

import msgspec
import pytest

from pstgen import build
from pstgen.core.config import BuildConfig, VerifyConfig
from pstgen.core.records import BadInput, Finding
from pstgen.verification import certificate
from pstgen.verification.certificate import Certificate
from pstgen.verify import verify

SCHEMA = Path(__file__).parents[2] / "docs" / "certificate.schema.json"


def found(check, *problems, **figures):
    return Finding(check=check, summary=f"{check} was made", problems=problems, figures=figures)


def test_the_schema_in_docs_is_the_records():
    """`python -c "from pstgen import certificate; print(certificate.schema().decode(), end='')"` writes it."""
    assert SCHEMA.read_bytes() == certificate.schema()


def test_the_schema_asks_for_every_field_and_allows_no_other():
    told = msgspec.json.decode(SCHEMA.read_bytes())
    asked = told["$defs"]["Certificate"]
    fields = {field.name for field in msgspec.structs.fields(Certificate)}
    assert set(asked["properties"]) == fields
    assert set(asked["required"]) == fields - {"files", "seal"}
    assert asked["additionalProperties"] is False


def wrong(value, schema, defs, at="$"):
    """Where a value is not what a JSON schema says, of as much of the language as ours uses."""
    if "$ref" in schema:
        return wrong(value, defs[schema["$ref"].rpartition("/")[2]], defs, at)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    if not isinstance(value, kinds[schema["type"]]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    found = [f"{at}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    if schema["type"] == "object":
        for name, part in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            found += [f"{at}: has {name}"] if known is False else wrong(part, known, defs, f"{at}.{name}")
    elif schema["type"] == "array":
        found += [line for n, part in enumerate(value) for line in wrong(part, schema["items"], defs, f"{at}[{n}]")]
    return found


def test_a_certificate_that_was_written_is_valid_and_one_with_a_field_less_or_more_is_not(tmp_path):
    out = tmp_path / "pst"
    build.build(BuildConfig(source="world", scenes=60, size=64, candidates=10, wordings=1, out=out))
    verify(VerifyConfig(folder=out))
    told = msgspec.json.decode((out / certificate.NAME).read_bytes())
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    assert wrong(told, schema, schema["$defs"]) == []
    assert wrong(told | {"bytes": 1}, schema, schema["$defs"]) == ["$: has bytes"]
    assert wrong({k: told[k] for k in told if k != "says"}, schema, schema["$defs"]) == ["$: lacks says"]
    assert certificate.read(out).thresholds["probe_over"] == VerifyConfig().probe_over
    assert set(told["files"]) == set(certificate.WRITTEN)


def test_nothing_is_proven_by_a_check_that_was_not_made_or_found_something():
    assert certificate.proven([]) == []
    assert certificate.proven([found("pairs", "a pair of three")]) == []
    assert len(certificate.proven([found("pairs")])) == 1
    assert certificate.proven([found("labels"), found("targets", "one is missing")]) == []


def untested(check):
    return Finding(check=check, summary="too few", untested="too few")


@pytest.mark.parametrize(("checks", "statement"), certificate.PROVEN.items())
def test_nothing_is_proven_by_a_check_that_was_not_tested(checks, statement):
    sound = [found(check) for check in checks]
    assert certificate.proven(sound) == [statement]
    for n, check in enumerate(checks):
        assert certificate.proven([*sound[:n], untested(check), *sound[n + 1 :]]) == []


def test_what_was_not_tested_is_not_proven():
    lines = certificate.not_proven([untested("file_probe"), found("image_probe")])
    assert lines[:-1] == list(certificate.NOT_PROVEN)
    assert lines[-1] == "What the file probe would find, not tested: too few."


def test_it_is_said_how_many_checks_ran_and_which_did_not():
    assert certificate.ran([found("pairs"), found("labels", "wrong")]) == "all 2 checks ran"
    few = [found("pairs"), untested("audit"), untested("image_probe")]
    assert certificate.ran(few) == "1 of 3 checks ran (not tested: audit, image_probe)"


def test_a_finding_that_was_not_tested_is_read_back_as_such():
    coded = msgspec.json.encode(untested("audit"))
    assert msgspec.json.decode(coded, type=Finding).state == "not tested"


def test_what_was_tried_is_said_in_the_words_of_checks_and_attackers():
    findings = [
        found("pairs"),
        found("rebuild"),
        found("attackers", **{"majority/items": 0.5, "majority/items/low": 0.4}),
    ]
    told = certificate.tried(findings)
    assert set(told) == {"pairs", "rebuild", "attackers", "attackers/majority"}
    assert all(line.endswith((".", "?")) for line in told.values())


def test_a_folder_without_a_certificate_says_which_command_writes_it(tmp_path):
    with pytest.raises(BadInput, match="pstgen verify"):
        certificate.read(tmp_path)
