"""Several files together, a previous release, ground truth, a baseline, settings, plugins."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from clean import clean, write, write_pictures
from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation import baseline as baselines
from spinetrack_synth.validation import registry
from spinetrack_synth.validation.baseline import Baseline
from spinetrack_synth.validation.engine import RULE_FAILED, Report, validate
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.registry import all_rules, builtin_rules, choose
from spinetrack_synth.validation.release import read
from spinetrack_synth.validation.rules import rule
from spinetrack_synth.validation.settings import find_settings

pytestmark = pytest.mark.slow

RULES = [r for r in choose(builtin_rules(), (), (), ()) if r.family != "body"]


def found(report: Report) -> list[tuple[str, str, str]]:
    return [(f.code, f.file.name, f.place.partition(" (")[0]) for f in report.findings]


# Leakage.


def other_split() -> dict[str, Any]:
    """Other people in other pictures, as clean as the first."""
    data = clean()
    for image in data["images"]:
        image["file_name"] = "val" + image["file_name"]
    for annotation in data["annotations"]:
        annotation["subject"] = "v" + annotation["subject"]
        points = annotation["keypoints"]
        for index in range(0, 111, 3):
            if points[index + 2]:
                points[index] += 0.25
    return data


def two_splits(tmp_path: Path, plant: Callable[[dict[str, Any]], None]) -> Report:
    train, val = clean(), other_split()
    plant(val)
    folder = write_pictures(tmp_path / "pictures", train)
    for number, image in enumerate(val["images"]):
        noise = np.random.default_rng(100 + number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        from PIL import Image

        if not (folder / image["file_name"]).exists():
            Image.fromarray(noise).resize((640, 480)).save(folder / image["file_name"])
    if (tmp_path / "copied").exists():
        (folder / val["images"][1]["file_name"]).write_bytes(
            (folder / train["images"][0]["file_name"]).read_bytes()
        )
    paths = [write(tmp_path / "train.json", train), write(tmp_path / "val.json", val)]
    return validate([read(path, pictures=folder) for path in paths], RULES)


def test_two_clean_splits_give_nothing(tmp_path: Path) -> None:
    assert found(two_splits(tmp_path, lambda val: None)) == []


def test_a_shared_subject_leaks(tmp_path: Path) -> None:
    report = two_splits(tmp_path, lambda val: val["annotations"][3].update(subject="s1-4711"))
    assert found(report) == [("SPT753", "val.json", "annotations[3].subject")]
    assert "'s1-4711' is in train.json too (1 here, 1 there)" in report.findings[0].message


def test_a_shared_sequence_leaks(tmp_path: Path) -> None:
    train, val = clean(), other_split()
    train["images"][0]["video_id"] = val["images"][2]["video_id"] = 7
    paths = [write(tmp_path / "train.json", train), write(tmp_path / "val.json", val)]
    report = validate([read(path) for path in paths], RULES)
    assert found(report) == [("SPT753", "val.json", "images[2].video_id")]


def test_a_shared_source_leaks(tmp_path: Path) -> None:
    train, val = clean(), other_split()
    train["images"][0]["flickr_url"] = val["images"][2]["flickr_url"] = "http://photos.example/1"
    paths = [write(tmp_path / "train.json", train), write(tmp_path / "val.json", val)]
    report = validate([read(path) for path in paths], RULES)
    assert found(report) == [("SPT754", "val.json", "images[2].flickr_url")]


def test_copied_labels_leak(tmp_path: Path) -> None:
    def copy_labels(val: dict[str, Any]) -> None:
        val["annotations"][3] = clean()["annotations"][3] | {"subject": "v"}

    report = two_splits(tmp_path, copy_labels)
    assert found(report) == [("SPT755", "val.json", "annotations[3]")]


def test_a_copied_picture_leaks(tmp_path: Path) -> None:
    (tmp_path / "copied").mkdir()
    report = two_splits(tmp_path, lambda val: None)
    assert found(report) == [("SPT751", "val.json", "images[1]")]


def test_a_picture_encoded_again_leaks(tmp_path: Path) -> None:
    from PIL import Image

    def encode_again(val: dict[str, Any]) -> None:
        picture = Image.open(tmp_path / "pictures/000000.png")
        picture.save(tmp_path / "pictures" / val["images"][1]["file_name"], compress_level=1)

    write_pictures(tmp_path / "pictures", clean())
    report = two_splits(tmp_path, encode_again)
    assert found(report) == [("SPT752", "val.json", "images[1]")]


# Drift.


def crowd_of(count: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> dict[str, Any]:
    """Many people, one a picture, at random places of it."""
    data = clean()
    rng = np.random.default_rng(seed)
    template = np.array(data["annotations"][0]["keypoints"]).reshape(37, 3)
    data["images"], data["annotations"] = [], []
    for number in range(count):
        points = template.copy()
        there = points[:, 2] > 0
        center = points[there, :2].mean(0)
        size = scale * rng.uniform(0.85, 1.15)
        points[there, :2] = (points[there, :2] - center) * size + center
        points[there, :2] += rng.normal(0, 2, (there.sum(), 2))
        points[7, 1] += shift
        low, high = points[there, :2].min(0), points[there, :2].max(0)
        data["images"].append({"id": number, "file_name": f"{number}.jpg", "width": 640,
                               "height": 480, "license": 1})  # fmt: skip
        box = [*(low - 10).tolist(), *(high - low + 20).tolist()]
        data["annotations"].append({
            "id": number + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
            "keypoints": points.ravel().tolist(), "num_keypoints": 36, "bbox": box,
            "area": 0.5 * box[2] * box[3],
        })  # fmt: skip
    data["info"]["version"] = str(seed)
    return data


def drift(tmp_path: Path, old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    previous = read(write(tmp_path / "old.json", old))
    dataset = read(write(tmp_path / "new.json", new), previous=previous)
    return [
        (f.code, f.place) for f in validate([dataset], choose(RULES, ("drift",), (), ())).findings
    ]


def test_another_sample_of_the_same_people_is_no_drift(tmp_path: Path) -> None:
    assert drift(tmp_path, crowd_of(150, 1), crowd_of(160, 2)) == []


def test_lost_records_are_drift(tmp_path: Path) -> None:
    assert drift(tmp_path, crowd_of(150, 1), crowd_of(100, 2)) == [
        ("SPT801", "images"),
        ("SPT801", "annotations"),
    ]


def test_a_keypoint_labelled_less_often_is_drift(tmp_path: Path) -> None:
    new = crowd_of(150, 2)
    for annotation in new["annotations"][::2]:
        annotation["keypoints"][12:15] = [0, 0, 0]
    assert drift(tmp_path, crowd_of(150, 1), new) == [("SPT802", "keypoint right_ear")]


def test_smaller_people_are_drift(tmp_path: Path) -> None:
    assert drift(tmp_path, crowd_of(150, 1), crowd_of(150, 2, scale=0.6))[0] == ("SPT803", "boxes")


def test_another_place_of_a_joint_is_drift(tmp_path: Path) -> None:
    assert drift(tmp_path, crowd_of(150, 1), crowd_of(150, 2, shift=-40)) == [
        ("SPT804", "keypoint left_elbow")
    ]


def test_other_categories_are_drift(tmp_path: Path) -> None:
    new = crowd_of(40, 2)
    new["categories"] = copy.deepcopy(new["categories"])
    new["categories"][0]["skeleton"].pop()
    assert drift(tmp_path, crowd_of(40, 1), new) == [("SPT805", "categories[0].skeleton (person)")]


def test_a_reused_id_is_drift(tmp_path: Path) -> None:
    new = crowd_of(40, 2)
    new["images"][3]["file_name"] = "other.jpg"
    assert drift(tmp_path, crowd_of(40, 1), new) == [
        ("SPT806", "images[3].file_name (id 3, other.jpg)")
    ]


def test_changes_under_the_same_version_are_told(tmp_path: Path) -> None:
    new = crowd_of(40, 2)
    new["info"]["version"] = "1"
    assert drift(tmp_path, crowd_of(40, 1), new) == [("SPT807", "info.version")]


# Ground truth.


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with ground truth, of people made of balls."""
    out = tmp_path_factory.mktemp("balls")
    config = DatasetConfig(scene="balls", count=4, size=(320, 240), seed=3, format="png")
    run_dataset(config, out, open_source=ball_source, open_renderer=lambda name: BallRenderer())
    return out


def with_truth(balls: Path, tmp_path: Path, plant: Callable[[dict[str, Any], Any], Any]) -> Report:
    """The dataset with a fault planted in its JSON, or in its table of ground truth."""
    import pandas
    import pyarrow.parquet as pq

    source = balls / "annotations/person_keypoints_train.json"
    data = json.loads(source.read_text())
    table = pq.read_table(balls / "ground_truth/train.parquet")
    frame = table.to_pandas()
    changed = plant(data, frame)
    frame = changed if isinstance(changed, pandas.DataFrame) else frame
    for folder in ("annotations", "ground_truth"):
        (tmp_path / folder).mkdir()
    path = write(tmp_path / "annotations" / source.name, data)
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, schema=table.schema, preserve_index=False)
    pq.write_table(table, tmp_path / "ground_truth/train.parquet")
    rules = choose(RULES, ("ground truth", "identity", "schema", "visibility"), (), ())
    return validate([read(path)], rules)


def change(frame: Any, column: str, row: int, edit: Callable[[np.ndarray], None]) -> None:
    values = np.array(frame.at[row, column])
    edit(values)
    frame.at[row, column] = values


def edit_number(index: int, by: float) -> Callable[[np.ndarray], None]:
    def edit(values: np.ndarray) -> None:
        values[index] += by

    return edit


def move_point(data: dict[str, Any], frame: Any) -> None:
    points = data["annotations"][1]["keypoints"]
    index = next(i for i in range(26, 37) if points[3 * i + 2])
    points[3 * index] += 1.5


def lose_point(data: dict[str, Any], frame: Any) -> None:
    """Forget a keypoint in the middle of the picture, and count the others."""
    points = data["annotations"][1]["keypoints"]
    index = next(i for i in range(37) if points[3 * i + 2])
    points[3 * index : 3 * index + 3] = [0, 0, 0]
    data["annotations"][1]["num_keypoints"] -= 1


def twice(frame: Any, row: int) -> Any:
    import pandas

    return pandas.concat([frame, frame.iloc[[row]]], ignore_index=True)


def exchange_sides(data: dict[str, Any], frame: Any) -> None:
    def edit(values: np.ndarray) -> None:
        points = values.reshape(37, 3)
        points[[11, 12]] = points[[12, 11]]

    change(frame, "keypoints_world", 1, edit)


def test_our_own_dataset_is_clean(balls: Path) -> None:
    path = balls / "annotations/person_keypoints_train.json"
    report = validate([read(path, pictures=balls / "images")], RULES)
    assert found(report) == []
    assert not [skip for skip in report.skipped if skip.rule.family == "ground truth"]


@pytest.mark.parametrize(
    ("plant", "code", "where"),
    [
        (lambda d, f: f.drop(index=1), "SPT551", "annotations[1].id"),
        (lambda d, f: d["annotations"].pop(1), "SPT551", "annotations"),
        (lambda d, f: d["annotations"][1].update(subject="x"), "SPT551",
         "annotations[1].subject"),
        (move_point, "SPT552", "annotations[1].keypoints"),
        (lambda d, f: change(f, "coordinates", 1, edit_number(8, 9.0)), "SPT553",
         "annotations[1]"),
        (lambda d, f: d["images"][0]["K"][0].__setitem__(2, 100.0), "SPT554", "images[0].K"),
        (lambda d, f: change(f, "keypoints_world", 1, edit_number(3 * 13 + 1, -0.2)), "SPT555",
         "annotations[1]"),
        (exchange_sides, "SPT556", "annotations[1]"),
        (lambda d, f: change(f, "K", 1, edit_number(0, np.nan)), "SPT557", "annotations[1]"),
        (lose_point, "SPT558", "annotations[1].keypoints"),
        (lambda d, f: twice(f, 1), "SPT551", "annotations[1].id"),
        (lambda d, f: d["annotations"].__setitem__(1, None), "SPT102", "annotations[1]"),
        (lambda d, f: d["annotations"][1].update(image_id=d["images"][2]["id"]), "SPT551",
         "annotations[1].image_id"),
    ],
)  # fmt: skip
def test_a_fault_against_the_ground_truth_is_found(
    balls: Path, tmp_path: Path, plant: Any, code: str, where: str
) -> None:
    report = with_truth(balls, tmp_path, plant)
    assert any(c == code and place.startswith(where) for c, _, place in found(report))
    assert {c for c, _, _ in found(report)} == {code}


def test_exchanged_labels_are_told_as_such(balls: Path, tmp_path: Path) -> None:
    def exchange(data: dict[str, Any], frame: Any) -> None:
        points = data["annotations"][1]["keypoints"]
        points[27:30], points[30:33] = points[30:33], points[27:30]

    (finding,) = with_truth(balls, tmp_path, exchange).findings
    assert finding.code == "SPT552"
    assert "the same point of the other side" in finding.message


def test_coordinates_that_are_wrong_in_the_whole_file_are_one_finding(tmp_path: Path) -> None:
    """Of all people, and whatever else their points then do."""
    data = clean()
    for record in data["annotations"]:
        points = record["keypoints"]
        points[0::3], points[1::3] = points[1::3], points[0::3]
    report = validate([read(write(tmp_path / "a.json", data))], RULES)
    assert [(code, place) for code, _, place in found(report)] == [("SPT311", "annotations")]
    assert "x and y are exchanged" in report.findings[0].message


def test_names_that_two_pictures_exchanged_are_found(tmp_path: Path) -> None:
    data = clean()
    data["images"] = [
        {**data["images"][0], "id": number, "file_name": f"{number:06d}.png"}
        for number in range(1, 13)
    ]
    data["annotations"] = []
    for number, record in enumerate(clean()["annotations"] * 2):
        data["annotations"].append({**record, "id": number + 1, "image_id": number + 1})
        data["annotations"][-1]["keypoints"] = [
            n + 0.01 * number if at % 3 < 2 and n else n for at, n in enumerate(record["keypoints"])
        ]
    assert found(validate([read(write(tmp_path / "a.json", data))], RULES)) == []
    first, second = data["images"][3], data["images"][7]
    first["file_name"], second["file_name"] = second["file_name"], first["file_name"]
    report = validate([read(write(tmp_path / "b.json", data))], RULES)
    assert [code for code, _, _ in found(report)] == ["SPT212", "SPT212"]


def test_damaged_ground_truth_is_one_finding(balls: Path, tmp_path: Path) -> None:
    report = with_truth(balls, tmp_path, lambda data, frame: None)
    assert found(report) == []
    (tmp_path / "ground_truth/train.parquet").write_bytes(b"PAR1 and no more")
    path = tmp_path / "annotations/person_keypoints_train.json"
    report = validate([read(path)], RULES)
    assert [code for code, _, _ in found(report)] == ["SPT551"]


# Baseline.


def faulty(tmp_path: Path) -> Path:
    data = clean()
    data["annotations"][2]["num_keypoints"] = 3
    data["annotations"][3]["iscrowd"] = 2
    return write(tmp_path / "a.json", data)


def test_a_baseline_accepts_what_it_names_until_it_expires(tmp_path: Path) -> None:
    dataset = read(faulty(tmp_path))
    first = validate([dataset], RULES)
    assert [f.code for f in first.findings] == ["SPT110", "SPT353"]
    today = datetime.date(2026, 3, 1)
    path = tmp_path / "baseline.json"
    assert baselines.write(path, first.findings[:1], "known since 1.0", today) == 1
    report = validate([dataset], RULES, baseline=Baseline.read(path, today))
    assert [f.code for f in report.findings] == ["SPT353"]
    assert [f.code for f in report.accepted] == ["SPT110"]
    later = today + datetime.timedelta(days=baselines.DAYS + 1)
    report = validate([dataset], RULES, baseline=Baseline.read(path, later))
    assert [f.code for f in report.findings] == ["SPT110", "SPT353", "SPT011"]
    assert "known since 1.0" in report.findings[-1].message


def test_a_suppression_of_nothing_is_stale_but_only_where_its_rule_ran(tmp_path: Path) -> None:
    dataset = read(write(tmp_path / "a.json", clean()))
    path = tmp_path / "baseline.json"
    entry = {"code": "SPT353", "file": "a.json", "key": "annotation:4713", "reason": "r",
             "expires": "2999-01-01"}  # fmt: skip
    write(path, {"suppressions": [entry, entry | {"file": "b.json"}]})
    report = validate([dataset], RULES, baseline=Baseline.read(path))
    assert [(f.code, f.place) for f in report.findings] == [("SPT010", "suppressions[0]")]
    some = choose(RULES, ("schema",), (), ())
    assert not validate([dataset], some, baseline=Baseline.read(path)).findings


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "not a JSON file"),
        ("[]", "no baseline"),
        ('{"suppressions": [3]}', "suppressions[0]: expected an object"),
        ('{"suppressions": [{"code": "SPT353", "file": "a", "key": "b", "expires": "2026-01-01"}]}',
         "suppressions[0].reason: missing"),
        ('{"suppressions": [{"code": "SPT353", "file": "a", "key": "b", "reason": "c"}]}',
         "suppressions[0].expires: missing"),
        ('{"suppressions": [{"code": "S", "file": "a", "key": "b", "reason": "c", '
         '"expires": "soon"}]}', "expected a date such as 2027-01-31"),
    ],
)  # fmt: skip
def test_a_baseline_without_reason_or_expiry_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        Baseline.read(path)
    assert message in str(caught.value)


# Choosing rules.


def test_the_longer_selector_wins() -> None:
    codes = [r.code for r in choose(RULES, ("SPT3",), (), ("SPT35", "num-keypoints"))]
    assert "SPT301" in codes and "SPT351" not in codes
    codes = [r.code for r in choose(RULES, ("visibility", "SPT301"), (), ("SPT3",))]
    assert codes == ["SPT301"]
    assert [r.code for r in choose(RULES, ("ALL",), (), ("SPT",))] == []


def test_a_selector_that_means_nothing_is_refused_with_a_hint() -> None:
    with pytest.raises(UserError, match="did you mean geometry"):
        choose(RULES, ("geometri",), (), ())


def test_rules_that_wait_to_be_selected_do() -> None:
    waiting = {r.code for r in builtin_rules() if not r.default}
    assert waiting and not waiting & {r.code for r in choose(builtin_rules(), (), (), ())}
    assert waiting <= {r.code for r in choose(builtin_rules(), (), tuple(waiting), ())}


def test_a_release_is_asked_for_card_checksums_version_and_licence(tmp_path: Path) -> None:
    data = clean()
    del data["info"]["version"]
    for image in data["images"]:
        del image["license"]
    (tmp_path / "deep").mkdir()
    path = write(tmp_path / "deep/a.json", data)
    rules = choose(builtin_rules(), ("metadata", "SPT902", "SPT904", "SPT905", "SPT906"), (), ())
    codes = [f.code for f in validate([read(path)], rules).findings]
    assert codes == ["SPT902", "SPT904", "SPT905", "SPT906"]
    (tmp_path / "README.md").write_text("# Who is in here")
    (tmp_path / "SHA256SUMS").write_text("")
    assert [f.code for f in validate([read(path)], rules).findings] == ["SPT902", "SPT904"]


def test_what_explains_a_finding_is_never_explained_by_it() -> None:
    """`unless` has no circles: of two faults one always remains."""
    rules = {r.code: r for r in builtin_rules()}
    after = {
        code: {c for c in rules if r.unless and c != code and c.startswith(r.unless)}
        for code, r in rules.items()
    }
    remaining = dict(after)
    while remaining:
        free = [code for code, needed in remaining.items() if not needed & remaining.keys()]
        assert free, f"a circle among {sorted(remaining)}"
        for code in free:
            del remaining[code]


def test_every_unless_means_a_rule() -> None:
    codes = [r.code for r in builtin_rules()]
    for each in builtin_rules():
        for prefix in each.unless:
            assert any(code.startswith(prefix) for code in codes), (each.code, prefix)


# Settings.


def test_settings_are_found_upwards_and_relative_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.spinetrack]\nignore = ["SPT307"]\nimages = "pictures"\nfail-on = "warning"\n'
        'max-findings = 3\n[tool.spinetrack.severity]\nSPT301 = "info"\n'
    )
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = find_settings(below)
    assert settings.ignore == ("SPT307",)
    assert settings.images == tmp_path / "pictures"
    assert (settings.fail_on, settings.max_findings) == ("warning", 3)
    assert settings.severity == {"SPT301": Severity.INFO}
    (tmp_path / "a" / "spinetrack.toml").write_text('select = ["SPT1"]')
    assert find_settings(below).select == ("SPT1",)
    assert find_settings(below).ignore == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["SPT1"]', "did you mean select?"),
        ('select = "SPT1"', 'expected a list such as ["SPT3"]'),
        ('fail-on = "never ever"', "choose error, warning, info, never"),
        ("max-findings = -1", "expected a number"),
        ("images = 3", "expected a path"),
        ('[severity]\nSPT301 = "bad"', "choose info, warning, error"),
        ("select = [", "no TOML"),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "spinetrack.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        find_settings(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path / "spinetrack.toml") in str(caught.value)


def test_severities_can_be_changed(tmp_path: Path) -> None:
    report = validate([read(faulty(tmp_path))], RULES, severities={"SPT353": Severity.INFO})
    assert [f.severity for f in report.findings] == [Severity.ERROR, Severity.INFO]
    assert report.fails(Severity.ERROR)
    assert not report.fails(None)


# Plugins.


@rule(
    "HAT001",
    "no-hats",
    family="hats",
    severity=Severity.WARNING,
    reason="Hats hide the top of the head.",
    example='`"hat": true`',
)
def no_hats(dataset: Any) -> Any:
    """Somebody wears a hat."""
    for row, annotation in enumerate(dataset.annotations):
        if annotation.get("hat"):
            yield dataset.annotation_fault(row, "wears a hat")


def plug(monkeypatch: pytest.MonkeyPatch, loaded: Any) -> None:
    def load() -> Any:
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    entry = SimpleNamespace(name="hats", value="hats:no_hats", load=load)
    monkeypatch.setattr(
        registry, "metadata",
        SimpleNamespace(entry_points=lambda group: [entry] if group == registry.ENTRY_POINTS
                        else metadata.entry_points(group=group)),
    )  # fmt: skip


@pytest.mark.parametrize("loaded", [no_hats, [no_hats], (no_hats,)])
def test_rules_of_a_plugin_run_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loaded: Any
) -> None:
    plug(monkeypatch, loaded)
    data = clean()
    data["annotations"][1]["hat"] = True
    rules = choose(all_rules(), ("hats", "SPT1"), (), ())
    report = validate([read(write(tmp_path / "a.json", data))], rules)
    assert [(f.code, f.place) for f in report.findings] == [
        ("HAT001", "annotations[1] (id 4712, image 000000.png)")
    ]


@pytest.mark.parametrize(
    ("loaded", "message"),
    [
        (ImportError("no module named felt"), "cannot be loaded: ImportError: no module"),
        ("nothing", "holds no rules"),
        (replace(no_hats, code="SPT301"), "the code SPT301 is taken"),
    ],
)
def test_a_bad_plugin_is_named(monkeypatch: pytest.MonkeyPatch, loaded: Any, message: str) -> None:
    plug(monkeypatch, loaded)
    with pytest.raises(UserError, match="plugin hats") as caught:
        all_rules()
    assert message in str(caught.value)


def test_a_rule_that_stops_is_a_finding_and_the_others_run(tmp_path: Path) -> None:
    def stop(dataset: Any) -> list[Fault]:
        raise ZeroDivisionError("division by zero")

    broken = replace(no_hats, check=stop)
    report = validate([read(faulty(tmp_path))], [broken, *RULES])
    assert [f.code for f in report.findings] == [RULE_FAILED, "SPT110", "SPT353"]
    assert "HAT001 no-hats stopped: ZeroDivisionError" in report.findings[0].message


@pytest.mark.parametrize("code", ["hats", "H1", "SPT30", "spt301"])
def test_codes_have_letters_and_three_digits(code: str) -> None:
    with pytest.raises(UserError, match="expected letters and three digits"):
        rule(code, "x", family="x", severity=Severity.INFO, reason="", example="")
