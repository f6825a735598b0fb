"""certificate.json keeps to its schema, and claims nothing that was not checked."""

import shutil
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from pstgen.core import plugins
from pstgen.core.config import RebuildConfig, VerifyConfig
from pstgen.core.records import BadInput
from pstgen.dataset import sealing
from pstgen.verification import attack, certificate, checks
from pstgen.verification.certificate import Certificate
from pstgen.verification.findings import Finding, untested
from pstgen.verification.samples import Sample
from pstgen.verify import Rebuild, verify

SCHEMA = Path(__file__).parents[2] / "docs" / "certificate.schema.json"


def found(check, *problems):
    return Finding(check=check, summary=f"{check} was examined", problems=problems)


def test_the_schema_in_docs_is_the_records():
    """`python -c "from pstgen.verification import certificate; print(certificate.schema().decode(), end='')"` writes it."""
    assert SCHEMA.read_bytes() == certificate.schema()


def test_the_schema_asks_for_every_field_and_allows_no_other():
    definition = msgspec.json.decode(SCHEMA.read_bytes())["$defs"]["Certificate"]
    fields = {field.name for field in msgspec.structs.fields(Certificate)}
    assert set(definition["properties"]) == fields
    assert set(definition["required"]) == fields - {"files", "seal"}
    assert definition["additionalProperties"] is False


def test_a_certificate_that_was_written_is_valid_and_one_with_a_field_less_or_more_is_not(small_set, tmp_path):
    out = Path(shutil.copytree(small_set, tmp_path / "pst"))
    verify(VerifyConfig(folder=out))
    written = msgspec.json.decode((out / certificate.NAME).read_bytes())
    schema = Draft202012Validator(msgspec.json.decode(SCHEMA.read_bytes()))
    assert schema.is_valid(written)
    assert not schema.is_valid(written | {"bytes": 1})
    assert not schema.is_valid({key: written[key] for key in written if key != "says"})
    assert certificate.read(out).thresholds["probe_over"] == VerifyConfig().probe_over
    assert set(written["files"]) == set(certificate.WRITTEN)


def test_a_certificate_of_another_format_is_refused(tmp_path):
    written = {name: [] for name in ("anew", "tested", "not_tested", "on_trust", "proven", "not_proven", "findings")}
    for number in (1, 2, 4):
        changed = Certificate(
            format=number, pstgen="0", manifest="0" * 64, sound=True, says="", thresholds={}, tried={}, **written
        )
        (tmp_path / certificate.NAME).write_bytes(sealing.canonical(changed))
        with pytest.raises(BadInput, match=f"format {changed.format}; this pstgen reads format 3"):
            certificate.read(tmp_path)


def test_nothing_is_proven_by_a_check_that_did_not_run_or_found_something():
    assert certificate.proven([]) == []
    assert certificate.proven([found("pairs", "a pair of three")]) == []
    assert len(certificate.proven([found("pairs")])) == 1
    assert len(certificate.proven([found("labels"), found("targets", "one is missing")])) == 1


PROVING = [name for name in plugins.names("checks") if checks.proves(checks.load(name))]


@pytest.mark.parametrize("check", PROVING)
def test_nothing_is_proven_by_a_check_that_was_not_tested(check):
    assert certificate.proven([found(check)]) == [checks.proves(checks.load(check))]
    assert certificate.proven([untested(check, "too few")]) == []


def test_integrity_pairs_labels_targets_and_separation_prove_something():
    assert set(PROVING) == {
        *("integrity", "pairs", "cells", "words", "labels", "targets", "scores", "pages", "source", "separation")
    }


def test_what_was_not_tested_is_not_proven():
    lines = certificate.not_proven([untested("file_probe", "too few"), found("image_probe")])
    assert lines[:-1] == list(certificate.NOT_PROVEN)
    assert lines[-1] == "What the file probe would find, not tested: too few."


def test_it_is_said_how_many_checks_ran_and_which_did_not():
    assert certificate.ran([found("pairs"), found("labels", "wrong")]) == "all 2 checks ran"
    few = [found("pairs"), untested("audit", "too few"), untested("image_probe", "too few")]
    assert certificate.ran(few) == "1 of 3 checks ran (not tested: audit, image_probe)"


def test_a_finding_that_was_not_tested_is_read_back_as_such():
    coded = msgspec.json.encode(untested("audit", "too few"))
    assert msgspec.json.decode(coded, type=Finding).state == "not tested"


def test_what_was_tried_is_said_in_the_words_of_checks_and_attackers():
    samples = [Sample(f"{n}", f"{n}", f"{n}", "?", ("yes", "no"), 0) for n in range(4)]
    attacked = Finding(
        check="attackers", summary="", attacks=(attack.measure("majority", samples, [0] * 4, VerifyConfig()),)
    )
    findings, extra = [found("pairs"), attacked, found("rebuild")], {"rebuild": Rebuild(RebuildConfig())}
    tried = certificate.tried(findings, extra)
    assert set(tried) == {"pairs", "rebuild", "attackers", "attackers/majority"}
    assert all(line.endswith((".", "?")) for line in tried.values())
    assert certificate.proven(findings, extra)[-1].startswith("Built again from the manifest")


def test_a_folder_without_a_certificate_says_which_command_writes_it(tmp_path):
    with pytest.raises(BadInput, match="pstgen verify"):
        certificate.read(tmp_path)
