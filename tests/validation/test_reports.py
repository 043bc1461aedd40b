"""Reports: complete, cut where they say so, valid in their formats, safe from what they quote."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from clean import clean, write, write_pictures
from pages import SCRIPT, check_page
from sarif_schema import SARIF

from spinetrack_synth.validation.engine import Report, validate
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read
from spinetrack_synth.validation.reporting import FORMATS, reporter
from spinetrack_synth.validation.reporting.lines import Lines

RULES = [r for r in choose(builtin_rules(), (), (), ()) if r.family != "body"]
NASTY = '</script><b onmouseover="x">&%\r\n::error::\x1b[31m]]>é"'


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Five errors of one kind, a warning, and names that try to break out of every format."""
    monkeypatch.chdir(tmp_path)
    data = clean()
    for annotation in data["annotations"][:5]:
        annotation["num_keypoints"] = 3
    data["annotations"][5]["keypoints"][27] = 10.5
    data["images"][2]["file_name"] = NASTY + ".png"
    data["categories"][0]["name"] = NASTY
    data["annotations"][5]["iscrowd"] = NASTY
    folder = write_pictures(tmp_path / "pictures", clean())
    return validate([read(write(tmp_path / "a.json", data), pictures=folder)], RULES)


def render(report: Report, name: str, *limit: int) -> str:
    return reporter(name)(report, *limit)


def test_text_groups_by_rule_the_worst_first_and_counts_what_it_cuts(report: Report) -> None:
    text = render(report, "text", 2)
    codes = re.findall(r"SPT\d{3}", re.sub(r"\x1b\[\d*m", "", text))
    assert codes.index("SPT110") < codes.index("SPT353") < codes.index("SPT307")
    assert "5 findings" in text
    assert "... 3 more (--max-findings 0 shows all)" in text
    assert "annotations[0].num_keypoints (id 4711, image 000000.png)" in re.sub(
        r"\x1b\[\d*m", "", text
    )
    assert "3 more" not in render(report, "text", 0)


def test_text_says_what_was_skipped_and_that_clean_is_clean(tmp_path: Path) -> None:
    text = render(validate([read(write(tmp_path / "a.json", clean()))], RULES), "text")
    assert "(SPT601 .. SPT703): no --images given" in text
    assert re.search(r"clean.*: \d+ rules ran", text)


@pytest.mark.parametrize("name", FORMATS)
def test_no_report_lets_through_what_a_file_name_smuggles_in(report: Report, name: str) -> None:
    text = render(report, name)
    assert "\x1b[31m]" not in text
    assert "\r" not in text
    assert "<b onmouseover" not in text or name in ("json", "sarif", "text", "github")
    assert "\n::error::" not in text


def test_json_holds_everything(report: Report) -> None:
    data = json.loads(render(report, "json"))
    assert data["summary"]["error"] == report.count(report.findings[0].severity.ERROR)
    assert len(data["findings"]) == len(report.findings)
    assert data["omitted"] == {}
    assert data["files"][0]["skeleton"] == "SpineTrack-37"
    cut = json.loads(render(report, "json", 2))
    assert cut["omitted"] == {"SPT353": 3}


def test_sarif_fits_its_schema(report: Report) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    log = json.loads(render(report, "sarif"))
    jsonschema.Draft7Validator.check_schema(SARIF)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(report.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    prints = [r["partialFingerprints"]["codeFileKey/v1"] for r in run["results"]]
    assert len(set(prints)) == len(prints)


@pytest.mark.skipif("SARIF_SCHEMA" not in os.environ, reason="SARIF_SCHEMA names no schema file")
def test_sarif_fits_the_published_schema(report: Report) -> None:
    """Against the whole schema (sarif-2.1.0.json of the SARIF SDK, or that of OASIS)."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(Path(os.environ["SARIF_SCHEMA"]).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for some in (report, replace(report, findings=())):
        assert [
            error.message for error in validator.iter_errors(json.loads(render(some, "sarif")))
        ] == []


@pytest.mark.skipif("JUNIT_XSD" not in os.environ, reason="JUNIT_XSD names no schema file")
def test_junit_fits_the_published_schema(report: Report) -> None:
    """Against junit-10.xsd of the Jenkins xUnit plugin."""
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(os.environ["JUNIT_XSD"]))
    for some in (report, replace(report, findings=())):
        schema.assertValid(etree.fromstring(render(some, "junit").encode()))


def test_the_schema_refuses_what_is_not_sarif(report: Report) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    log = json.loads(render(report, "sarif"))
    log["runs"][0]["results"][0]["severity"] = "bad"
    with pytest.raises(jsonschema.ValidationError, match="severity"):
        jsonschema.validate(log, SARIF)


def test_a_fingerprint_survives_moved_lines_and_moved_records(tmp_path: Path) -> None:
    data = clean()
    data["annotations"][2]["num_keypoints"] = 3
    prints = []
    for number, indent in enumerate((None, 2)):
        if number:
            data["annotations"].insert(0, data["annotations"].pop(4))
        path = tmp_path / "a.json"
        path.write_text(json.dumps(data, indent=indent))
        log = json.loads(render(validate([read(path)], RULES), "sarif"))
        (result,) = log["runs"][0]["results"]
        prints.append(result["partialFingerprints"])
    assert prints[0] == prints[1]


def test_lines_point_at_the_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"info": {},\n "images": [\n  {"id": 1},\n  {"id": 2}\n ],\n "annotations": []}'
    )
    lines = Lines(path)
    places = {"info.version": 1, "images": 2, "images[0] (id 1)": 3, "images[1].width": 4,
              "annotations": 6, "annotations[7]": 6, "elsewhere": 1}  # fmt: skip
    assert {place: lines.of(place) for place in places} == places
    path.write_text("{broken")
    assert Lines(path).of("images[0]") == 1


def test_github_annotations_are_single_lines_with_escapes(report: Report) -> None:
    lines = render(report, "github", 2).splitlines()
    pattern = re.compile(r"::(error|warning|notice) (file=[^,:]+,line=\d+,)?title=[^,:]+::.+")
    assert all(pattern.fullmatch(line) for line in lines)
    assert any(line.endswith("::3 more findings") for line in lines)
    assert any("file=a.json,line=1,title=SPT353 num-keypoints::" in line for line in lines)


def test_junit_has_the_elements_of_the_schema(report: Report) -> None:
    """As the Jenkins xUnit schema (junit-10.xsd) has them."""
    root = ElementTree.fromstring(render(report, "junit"))
    assert root.tag == "testsuites"
    failures = 0
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "skipped"} <= suite.attrib.keys()
        cases = list(suite)
        assert {case.tag for case in cases} == {"testcase"}
        assert int(suite.attrib["tests"]) == len(cases) == len(RULES)
        for case in cases:
            assert case.attrib.keys() == {"name", "classname", "time"}
            assert float(case.attrib["time"]) >= 0
            assert {child.tag for child in case} <= {"skipped", "failure", "system-out"}
        failed = suite.findall("testcase/failure")
        failures += len(failed)
        assert int(suite.attrib["failures"]) == len(failed)
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
        assert all({"message", "type"} <= failure.attrib.keys() for failure in failed)
    assert failures == len({f.code for f in report.findings})
    assert int(root.attrib["failures"]) == failures


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(report: Report) -> None:
    page = check_page(render(report, "html"))
    assert page.articles == len({f.row for f in report.findings if f.row is not None})
    assert page.pictures >= 4


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    data = clean()
    (category,) = data["categories"]
    category["name"] = category["supercategory"] = SCRIPT
    category["keypoints"] = [f"{name} {SCRIPT}" for name in category["keypoints"]]
    for image in data["images"]:
        image["file_name"] = SCRIPT + image["file_name"]
    for annotation in data["annotations"]:
        annotation["subject"], annotation["num_keypoints"] = SCRIPT, 3
    path = tmp_path / "<script>.json"
    page = render(
        validate([read(write(path, data)), read(write(tmp_path / "b", data))], RULES), "html"
    )
    assert check_page(page).articles > 0
    assert "&lt;script&gt;.json" in page and "<script" not in page
    assert "left_eye &lt;script&gt;alert" in page


def test_the_page_cuts_with_a_count(report: Report) -> None:
    assert "3 more" in render(report, "html", 2)


def test_the_page_draws_the_fitted_body(report: Report) -> None:
    from dataclasses import replace

    import numpy as np

    from spinetrack_synth.drawing.palette import FITTED_COLOR, hexadecimal

    finding = next(f for f in report.findings if f.row is not None)
    fitted = np.full((37, 2), 100.0) + np.arange(37)[:, None]
    with_body = replace(report, findings=(replace(finding, fitted=fitted),))
    stroke = f'stroke="{hexadecimal(FITTED_COLOR)}"'
    assert stroke in render(with_body, "html")
    assert stroke not in render(report, "html")


@pytest.mark.parametrize("written", ["polygons", "counts", "compressed"])
def test_the_page_draws_a_mask_that_is_meant(tmp_path: Path, written: str) -> None:
    from pycocotools import mask as coco_mask

    data = clean()
    polygon = [5, 5, 40, 5, 40, 60]
    runs = coco_mask.frPyObjects([polygon], 480, 640)[0]
    counts = [480 * 5 + 5, 55, 640 * 480 - 480 * 5 - 60]
    data["annotations"][0]["segmentation"] = {
        "polygons": [polygon],
        "counts": {"size": [480, 640], "counts": counts},
        "compressed": {"size": [480, 640], "counts": runs["counts"].decode()},
    }[written]
    report = validate([read(write(tmp_path / "a.json", data))], RULES)
    assert any(".segmentation" in finding.place for finding in report.findings)
    assert render(report, "html").count("data:image/png") == 1
    no_mask = replace(report, findings=report.findings[:0])
    assert "data:image/png" not in render(no_mask, "html")


@pytest.mark.parametrize(
    "segmentation",
    [[[1, 2]], [[1e9, 0, 0, 1e9, 1e9, 1e9]], {"size": [480, 640], "counts": "?"},
     {"size": [10**5, 10**5], "counts": [10**10]}, {"size": [480, 640], "counts": [1]}, None],
)  # fmt: skip
def test_a_mask_that_cannot_be_decoded_is_not_drawn(tmp_path: Path, segmentation: object) -> None:
    data = clean()
    data["annotations"][0]["segmentation"] = segmentation
    report = validate([read(write(tmp_path / "a.json", data))], RULES)
    assert any(".segmentation" in finding.place for finding in report.findings)
    assert "data:image/png" not in render(report, "html")


def test_a_clean_page_says_so(tmp_path: Path) -> None:
    text = render(validate([read(write(tmp_path / "a.json", clean()))], RULES), "html")
    assert '<span class="verdict clean">clean</span>' in text
    assert "Not checked" in text
