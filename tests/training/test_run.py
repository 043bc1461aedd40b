"""Runs of a tiny network: what they leave, what stops them, how they go on."""

from __future__ import annotations

import csv
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from pages import check_page
from training_runs import JUDGED, draw_people, environment, started, write_config

torch = pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[train]'")

from safetensors.torch import load_file  # noqa: E402

from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.gap.evaluation import evaluate  # noqa: E402
from spinetrack_synth.gap.labels import read_labels  # noqa: E402
from spinetrack_synth.gap.predictions import predictions_of  # noqa: E402
from spinetrack_synth.gap.running import Source, evaluate_sources  # noqa: E402
from spinetrack_synth.skeleton import NAMES, SPINE  # noqa: E402
from spinetrack_synth.spinepose.model import predict_dataset  # noqa: E402
from spinetrack_synth.training.augmentation import PROBABILITIES  # noqa: E402
from spinetrack_synth.training.checkpoints import open_checkpoint  # noqa: E402
from spinetrack_synth.training.export import export  # noqa: E402
from spinetrack_synth.training.judging import figures_of, pose_model  # noqa: E402
from spinetrack_synth.training.loop import DivergedError  # noqa: E402
from spinetrack_synth.training.run import run  # noqa: E402
from spinetrack_synth.training.state import read_state  # noqa: E402

pytestmark = pytest.mark.slow
UNJUDGED = "[judging]"
Step = Callable[[int, int], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with people to learn from, some to judge on, a cache, and a run on one thread."""
    folder = tmp_path_factory.mktemp("training")
    draw_people(folder, "train", 10, 0)
    draw_people(folder, "val", 6, 1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPINETRACK_SYNTH_CACHE", str(folder / "cache"))
        train(write_config(folder / "plain.toml"), folder / "plain")
        yield folder
    torch.set_num_threads(threads)


def train(config: Path, out: Path, step: Step = lambda done, wanted: None) -> list[str]:
    """What a run tells; ``step`` is called after every step."""
    lines: list[str] = []

    @contextmanager
    def bar(unit: str) -> Iterator[Step]:
        yield step if unit == "steps" else lambda done, wanted: None

    run(config, out, bar, lines.append)
    return lines


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def losses(out: Path, term: str = "loss") -> list[float]:
    return [float(row[term]) for row in rows(out / "log.csv")]


def same_weights(a: Path, b: Path) -> bool:
    first, second = load_file(a / "model.safetensors"), load_file(b / "model.safetensors")
    assert first.keys() == second.keys() and len(first) > 10
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_leaves_network_card_page_and_logs(folder: Path) -> None:
    out = folder / "plain"
    assert {path.name for path in out.iterdir()} == {
        "config.toml", "state.pt", "model.safetensors", "log.csv", "judged.csv", "index.html",
        "README.md",
    }  # fmt: skip
    assert (out / "config.toml").read_bytes() == (folder / "plain.toml").read_bytes()
    assert [row["step"] for row in rows(out / "log.csv")] == [str(n) for n in range(1, 9)]
    judged = rows(out / "judged.csv")
    assert [(row["step"], row["set"], row["people"]) for row in judged] == [
        ("4", "val", "6"), ("8", "val", "6"),
    ]  # fmt: skip
    assert 0 < float(judged[-1]["spine_oks"]) < 1
    page = check_page((out / "index.html").read_text())
    assert page.articles == 6 and page.pictures == 6
    card = (out / "README.md").read_text()
    assert "| people | train | 10 people in 10 pictures | CC0-1.0 |" in card
    assert (
        "license: cc0-1.0" in card and f"| val | 6 | {float(judged[-1]['body_oks']):.3f} (" in card
    )


def test_a_network_that_has_seen_people_knows_them(folder: Path) -> None:
    """From random weights; ``benchmarks/training.py`` has 64 rendered people."""
    path = draw_people(folder, "known", 2, 0)
    nothing = "\n".join(f"{name} = 0" for name in PROBABILITIES)
    terms = "structure = 0\nsmoothness = 0\nheatmaps = 1"
    more = f"[judging]\n[losses]\n{terms}\n[augmentation]\n{nothing}"
    plan = {"steps": 50, "batch_size": 2, "learning_rate": 5e-3, "backbone_rate": 1}
    config = write_config(folder / "known.toml", more, **plan, ema_decay=0.9, warmup_steps=10)
    text = config.read_text().replace("[32, 32]", "[64, 64]")
    config.write_text(text.replace("keypoints_train", "keypoints_known"))
    train(config, folder / "known")
    network, told = open_checkpoint(folder / "known")
    labels, model = read_labels(path), pose_model(network, told.input_hw, "known")
    results = predict_dataset(
        model, labels.coco, folder / "images/known", flip_test=False, sub_bin=True
    )  # as it has seen them: not mirrored
    figures = figures_of(evaluate(labels, predictions_of(results, labels, "known")))
    assert min(figures["body_oks"], figures["spine_oks"]) > 0.95, figures
    heatmaps = losses(folder / "known", "heatmaps")
    assert heatmaps[-1] < 0.2 * heatmaps[0]


def test_judging_has_the_figures_of_evaluate(folder: Path) -> None:
    pytest.importorskip("onnx", reason="pip install 'spinetrack-synth[train]'")
    net, description = open_checkpoint(folder / "plain")
    export(net, description, folder / "plain.onnx")
    labels = read_labels(folder / "annotations/person_keypoints_val.json")
    source = Source(model=folder / "plain.onnx")
    (evaluation,) = evaluate_sources(labels, [source], lambda unit: nullcontext(None))
    judged = rows(folder / "plain/judged.csv")[-1]
    for name, value in figures_of(evaluation).items():
        assert float(judged[name]) == pytest.approx(value, abs=1e-6)
    assert evaluation.precision["body"]["AP"] == pytest.approx(float(judged["body_ap"]))
    similarity = evaluation.errors.similarity[:, list(SPINE)]
    assert float(judged["spine_oks"]) == pytest.approx(similarity.mean(), abs=1e-6)


def test_a_killed_run_goes_on_to_the_same_weights(folder: Path) -> None:
    config, out = folder / "plain.toml", folder / "killed"
    with started(config, out, environment(folder / "cache")) as process:
        while not (out / "log.csv").is_file() or not (out / "state.pt").is_file():
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    standing, _ = read_state(out / "state.pt", state_data(folder / "plain"))
    assert 0 < standing.step < 8
    train(config, out)
    assert same_weights(out, folder / "plain")
    assert losses(out) == losses(folder / "plain")
    assert (out / "judged.csv").read_text() == (folder / "plain/judged.csv").read_text()


def state_data(out: Path) -> str:
    return str(torch.load(out / "state.pt", weights_only=True)["data"])


@pytest.mark.exhaustive
def test_a_run_killed_again_and_again_ends_in_the_same_weights(folder: Path) -> None:
    config, out = folder / "plain.toml", folder / "killed-often"
    kills = 0
    for tenths in range(15, 400, 6):
        with started(config, out, environment(folder / "cache")) as process:
            try:
                process.wait(timeout=tenths / 10)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
        if process.returncode == 0:
            break
    assert kills > 1 and process.returncode == 0
    assert same_weights(out, folder / "plain") and losses(out) == losses(folder / "plain")


def test_two_processes_have_the_losses_of_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(folder / "pair.toml", UNJUDGED, steps=4)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with started(config, folder / "pair", environment(folder / "cache", RANK="1", **told)) as other:
        for name, value in (told | {"RANK": "0"}).items():
            monkeypatch.setenv(name, value)
        train(config, folder / "pair")
        out, err = other.communicate()
    assert (other.returncode, out, err) == (0, "", "")
    wanted = losses(folder / "plain")[:4]
    assert losses(folder / "pair") == pytest.approx(wanted, rel=1e-6, abs=1e-5)


def test_parts_of_a_batch_have_the_losses_of_the_whole(folder: Path) -> None:
    train(write_config(folder / "parts.toml", UNJUDGED, steps=4, accumulate=2), folder / "parts")
    assert losses(folder / "parts") == pytest.approx(
        losses(folder / "plain")[:4], rel=1e-6, abs=1e-5
    )


def test_a_backbone_at_rate_0_keeps_its_norms_statistics_too(folder: Path) -> None:
    config = write_config(folder / "still.toml", UNJUDGED, steps=1, backbone_rate=0)
    config.write_text(config.read_text().replace('"small"', '"spinepose-s"'))
    train(config, folder / "still")
    after, told = open_checkpoint(folder / "still")
    torch.manual_seed(0)  # the configuration's
    before = told.build().state_dict()
    changed = {n for n, t in after.state_dict().items() if not torch.equal(t, before[n])}
    assert changed and not any(name.startswith("backbone.") for name in changed)


def test_a_student_that_begins_as_its_teacher_has_nothing_to_learn(folder: Path) -> None:
    spine = [NAMES[place] for place in SPINE]  # a chain in answers alone
    taught = '[judging]\n[teacher]\nnetwork = "plain"\nleast_score = 0\nlicence = "mine"\n'
    taught += f"ignore = {spine}\n"
    taught += "[losses]\nlabels = 0\nstructure = 0\nsmoothness = 0\nspine_shape = 0"
    config = write_config(folder / "student.toml", taught, steps=2, learning_rate=1e-30)
    train(config, folder / "stranger")
    assert min(losses(folder / "stranger", "distillation")) > 1e-3
    text = config.read_text().replace("[network]", '[network]\nstart = "plain"')
    config.write_text(text.replace("licence =", "labelled = false\nlicence =", 1))
    train(config, folder / "student")
    assert losses(folder / "student", "distillation") == pytest.approx([0, 0], abs=1e-6)
    assert losses(folder / "student") == pytest.approx([0, 0], abs=1e-6)
    assert "labels" not in rows(folder / "student/log.csv")[0]
    card = (folder / "student/README.md").read_text()
    assert "| teacher | plain |  | mine |" in card and "distillation 2.5" in card
    assert "The licence of plain is not stated" in card  # of the weights to begin with
    assert "10 people in 10 pictures, without their labels" in card


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_sixteen_bits_stay_near_to_thirty_two(folder: Path, precision: str) -> None:
    config = write_config(folder / f"{precision}.toml", UNJUDGED, steps=2, precision=precision)
    train(config, folder / precision)
    found, wanted = (losses(folder / name, "labels")[:2] for name in (precision, "plain"))
    assert found == pytest.approx(wanted, rel=0.01) and found != wanted


def test_a_picture_that_is_gone_costs_a_line_and_no_step(folder: Path) -> None:
    out, picture = folder / "gone", folder / "images/val/000002.png"
    hidden = folder / "hidden.png"

    def lose(done: int, wanted: int) -> None:
        if done == 7:
            shutil.move(picture, hidden)

    with pytest.raises(UserError) as error:
        train(folder / "plain.toml", out, lose)
    assert "000002.png" in str(error.value) and "\n" not in str(error.value)
    assert read_state(out / "state.pt", state_data(folder / "plain"))[0].step == 8
    steps: list[int] = []
    shutil.move(hidden, picture)
    train(folder / "plain.toml", out, lambda done, wanted: steps.append(done))
    assert steps == [] and same_weights(out, folder / "plain")


def test_a_loss_that_is_no_number_stops_the_run_with_its_batch(folder: Path) -> None:
    out = folder / "diverged"
    config = write_config(folder / "diverged.toml", learning_rate=1e30, warmup_steps=0)
    with pytest.raises(DivergedError) as error:
        train(config, out)
    (kept,) = out.glob("diverged-*.npz")
    assert str(kept) in str(error.value) and "nan" in str(error.value)
    assert "\n" not in str(error.value)
    import numpy as np

    with np.load(kept) as batch:
        assert batch["images"].shape == (4, 32, 32, 3) and batch["points"].shape == (4, 37, 2)
    step = int(kept.stem.split("-")[1])
    standing, tensors = read_state(out / "state.pt", state_data(out))
    assert standing.step == step - 1
    assert all(v.isfinite().all() for v in tensors["network"].values() if v.is_floating_point())


def test_a_run_without_progress_ends_early(folder: Path) -> None:
    watched = JUDGED.replace("every = 4", 'every = 1\nwatch = "val.body_oks"\npatience = 2')
    config = write_config(folder / "early.toml", watched, learning_rate=1e-30, ema_decay=0)
    train(config, folder / "early")
    assert len(losses(folder / "early")) == 3
    assert "best in val.body_oks" in (folder / "early/README.md").read_text()
    assert "up to 1 of 8" in (folder / "early/README.md").read_text()
    train(config, folder / "early")  # it has ended
    assert len(losses(folder / "early")) == 3


def test_a_folder_keeps_to_its_run(folder: Path) -> None:
    other = write_config(folder / "other.toml", batch_size=2)
    with pytest.raises(
        UserError, match=r"another run \(optimisation.batch_size: 4 there, 2 here\)"
    ):
        train(other, folder / "plain")
    with pytest.raises(UserError, match="is not empty and holds no run of ours"):
        train(other, folder / "images")
    with pytest.raises(UserError, match=r"plain.toml: is a file; --out names a folder"):
        train(other, folder / "plain.toml")
    assert list((folder / "images").iterdir()) != []


def test_labels_that_changed_are_told(folder: Path) -> None:
    config = write_config(folder / "changing.toml", UNJUDGED, steps=2)
    labels = folder / "annotations/person_keypoints_train.json"
    before = labels.read_bytes()
    train(config, folder / "changing")
    try:
        labels.write_bytes(before.replace(b",2.0,", b",0.0,", 1))
        with pytest.raises(UserError, match="sources have changed since the run was begun"):
            train(config, folder / "changing")
    finally:
        labels.write_bytes(before)
