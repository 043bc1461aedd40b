"""The table of ablations: what each ingredient of training brings, with one budget and two seeds.

    python benchmarks/ablations.py --rendered R1 --rendered R2 --more R3 --held-out R4
        --photos PHOTOS --unlabelled people/boxes.json --teacher predictions.json
        --backgrounds photos --out FOLDER

Every row is a run of ``spinetrack-synth train``. What it brings is added to FOLDER/results.csv as
soon as it is known, and FOLDER/table.md written anew; the same command does what is missing, and a
run that was stopped goes on where it was. ``--rows`` names some rows (``--list`` tells them all);
``--lift NETWORK:START`` is a network that shows what rendered people are worth beside real ones.

| | |
|---|---|
| R1 to R4 | folders of ``render``; R4 of scenes that the others do not have |
| PHOTOS | ``lspe/`` and ``coco-mini/``, the repositories that ``real_photos.py`` names, with what \
``photos.py --write`` makes of them as ``judge.json`` and (LSPe) ``train.json`` |
| people/boxes.json | boxes of people on photos of your own, beside the photos |
| predictions.json | what the teacher says of them: ``predict people --boxes people/boxes.json \
--model TEACHER.onnx --out FOLDER`` |
| photos | without people |

LSPe states no terms: networks that have seen its people are for this table alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import ablation_figures as figures
import ablation_rows as plan
import numpy as np
import torch
from ablation_rows import Data, Rendered, Run, Section

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock
from spinetrack_synth.training.checkpoints import FILE as MODEL
from spinetrack_synth.training.checkpoints import begin_with, open_checkpoint
from spinetrack_synth.training.config import read_config
from spinetrack_synth.training.judging import judge, open_sets, pose_model
from spinetrack_synth.training.log import JUDGED, read_rows
from spinetrack_synth.training.loop import description, start_of
from spinetrack_synth.training.sources import SourceConfig, read_source

SEEDS = (0, 1)
COLUMNS = ("row", "seed", "digest", *figures.FIGURES)
HEADINGS = {
    "lspe_body": "body, LSPe", "coco_mini_body": "body, COCO-MINI", "rendered_spine": "spine",
    "rendered_feet": "feet", "order": "in order", "trunk": "along trunk", "mask": "in mask",
    "spacing": "spacing", "fitted": "fitted", "flip": "flip", "scale": "scale",
}  # fmt: skip
SHARES = ("order", "trunk", "mask", "fitted", "flip", "scale")
"""Told in per cent."""

Result = dict[str, str]
"""A line of results.csv: a run, and its figures, "" where they mean nothing."""


def complete(
    runs: Sequence[Run],
    results: Path,
    do: Callable[[Run], Mapping[str, float]],
    tell: Callable[[str], None],
) -> list[Run]:
    """Do the runs that have no line in a table of results yet, and add a line for each at once;
    those that failed with a UserError, and those that should begin with one of them."""
    failed: list[Run] = []
    for run in runs:
        done = read_results(results)
        if result_of(run, done) is not None:
            continue
        if run.begins is not None and result_of(run.begins, done) is None:
            tell(f"{run.name}: left out: it begins with {run.begins.name}, which is not done")
            failed.append(run)
            continue
        try:
            found = do(run)
        except UserError as error:
            tell(f"{run.name}: {error}")
            failed.append(run)
            continue
        line = {"row": run.row.name, "seed": str(run.seed), "digest": run.digest}
        line |= {name: f"{value:.6g}" for name, value in found.items()}
        write_results(results, [*done, line])
        tell(f"{run.name}: {', '.join(f'{name} {value:.3f}' for name, value in found.items())}")
    return failed


def read_results(path: Path) -> list[Result]:
    """The lines of a table of results; none where there is no file."""
    if not path.is_file():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def write_results(path: Path, lines: Sequence[Result]) -> None:
    """Write a table of results, so that it is the old or the new one at any moment."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_atomic(path, text.getvalue().encode(), durable=True)


def result_of(run: Run, results: Sequence[Result]) -> Result | None:
    """The line of a run, if it has been done with the same configuration."""
    wanted = (run.row.name, str(run.seed), run.digest)
    found = (line for line in results if (line["row"], line["seed"], line["digest"]) == wanted)
    return next(found, None)


def train(run: Run, folder: Path, threads: int) -> dict[str, float]:
    """The figures of a run that is trained by the command itself in its folder among all runs.
    Raises UserError where that fails."""
    config, out = folder / f"{run.name}.toml", folder / run.name
    write_atomic(config, run.config.encode())
    log = folder / f"{run.name}.log"
    command = [sys.executable, "-m", "spinetrack_synth", "train", str(config), "--out", str(out)]
    with log.open("a") as stream:
        ended = subprocess.run(
            command, stdout=stream, stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )  # fmt: skip
    if ended.returncode:
        raise UserError(f"train ended with code {ended.returncode}; its last lines are in {log}")
    last = {row["set"]: row for row in read_rows(out / JUDGED)}
    told = {name: last[judged][figure] for name, (judged, figure) in figures.JUDGED.items()}
    return {name: float(text) for name, text in told.items() if text}


def left_alone(run: Run, folder: Path) -> dict[str, float]:
    """The figures of a network as it starts, judged as ``train`` judges."""
    path = folder / f"{run.name}.toml"
    write_atomic(path, run.config.encode())
    config = read_config(path)
    torch.manual_seed(run.seed)
    described = description(config, 0)
    network, start = described.build(), start_of(config)
    if start is not None:
        begin_with(network, described, start)
    judged = {
        each.name: judge(network, config.network.input_hw, each).figures
        for each in open_sets(config.judging.sets)
    }
    return {name: judged[where][figure] for name, (where, figure) in figures.JUDGED.items()}


@cache
def photographed(folder: Path) -> list[figures.Photographed]:
    """The judged people on photos."""
    return [
        figures.photographed(folder / name / "judge.json", folder / name)
        for name in ("lspe", "coco-mini")
    ]


def figures_of(run: Run, folder: Path, data: Data, threads: int) -> dict[str, float]:
    """All figures of a run that mean something."""
    found = train(run, folder, threads) if run.row.trained else left_alone(run, folder)
    if run.row.knows_spine:
        network, described = open_checkpoint(folder / run.name / MODEL)
        model = pose_model(network, described.input_hw, run.name)
        return found | figures.figures_on_photos(model, photographed(data.photos))
    return {name: value for name, value in found.items() if name not in figures.OF_SPINE}


def cell(name: str, values: Sequence[float]) -> str:
    """The mean of the seeds, and half of their range where there are several."""
    if not values:
        return "–"
    mean, half = float(np.mean(values)), float(np.ptp(values)) / 2
    spread = len(values) > 1
    if name in SHARES:
        return f"{100 * mean:.1f}" + (f" ± {100 * half:.1f}" if spread else "") + " %"
    texts = [f"{value:.3f}".removeprefix("0") for value in (mean, half)]
    return " ± ".join(texts if spread else texts[:1])


def table(parts: Sequence[Section], runs: Sequence[Run], results: Sequence[Result]) -> str:
    """The parts of the table in Markdown, as far as there are results."""
    lines = []
    for part in parts:
        lines += [f"| {' | '.join([part.title, *HEADINGS.values()])} |"]
        lines += ["|---" * (1 + len(HEADINGS)) + "|"]
        for title, row in part.lines:
            found = [result_of(run, results) for run in runs if run.row == row]
            known = [line for line in found if line is not None]
            cells = [
                cell(name, [float(line[name]) for line in known if line[name]])
                for name in HEADINGS
            ]  # fmt: skip
            lines += [f"| {' | '.join([title, *cells])} |"]
        lines += [""]
    return "\n".join(lines)


def caption(steps: int, seeds: int, sets: Sequence[figures.Photographed], error: float) -> str:
    """What the table's figures are."""
    height, width = plan.INPUT_HW
    people = sum(len(each.people) for each in sets)
    masks = sum(bool(person.segmentation) for each in sets for person in each.people)
    fitted = sum(int(np.isfinite(each.torso_px).sum()) for each in sets)
    return f"""\
Every row: {steps} steps of {plan.BATCH_SIZE} people at {height}x{width}, {seeds} seeds; the mean, \
± half of the seeds' range. Seeds differ in the order of people, in augmentation and in new \
weights; who is taken is the same. A step that has several sources shares its people out among \
them. Body, spine and feet: mean OKS, true boxes, flip test; body on photos that took no part in \
training, spine and feet on rendered people of other scenes. The others on the same photos \
({people:,} people): whose spine points follow each other, and lie along the labelled trunk; \
points from sacrum to C7 inside the mask ({masks:,} people have one); how far gaps between spine \
points differ from the model's, in parts of these; and, in parts of the torso, how far spine \
points are from those of the body fitted to the labels ({fitted:,} people; on rendered people, \
whose labels are exact, that spine is itself {100 * error:.1f} % from the truth), and how far they \
go when the picture is mirrored or the box is 15 % larger (of each person the mean of nine points, \
of people the median). Not judged: on which level a point of a real spine lies, for nobody has \
labelled one. –: nobody has shown the network a spine.
"""


def annotations_of(folder: Path) -> Path:
    """The labels of a folder that ``render`` wrote."""
    found = sorted((folder / "annotations").glob("person_keypoints_*.json"))
    if len(found) != 1:
        raise UserError(f"{folder}/annotations: {len(found)} files of labels, expected one")
    return found[0].resolve()


def rendered_in(folder: Path) -> Rendered:
    """Pictures and people of a folder that ``render`` wrote."""
    path = annotations_of(folder)
    pictures = len(json.loads(path.read_bytes())["images"])
    return Rendered(path, pictures, len(read_source(SourceConfig(path))))


def data_of(asked: argparse.Namespace) -> Data:
    """What the arguments name. Raises UserError where something is not there."""
    data = Data(
        rendered=tuple(rendered_in(folder) for folder in asked.rendered),
        more=tuple(rendered_in(folder) for folder in asked.more or ()),
        held_out=annotations_of(asked.held_out),
        photos=asked.photos.resolve(),
        unlabelled=asked.unlabelled.resolve(),
        teacher=asked.teacher.resolve(),
        backgrounds=asked.backgrounds.resolve(),
    )
    parts = ("lspe/judge.json", "lspe/train.json", "coco-mini/judge.json")
    for path in (
        data.unlabelled,
        data.teacher,
        data.backgrounds,
        *map(data.photos.joinpath, parts),
    ):
        if not path.exists():
            raise UserError(f"{path}: there is no such file or folder")
    return data


def lift_of(text: str) -> tuple[str, str]:
    """A network and what it starts with, as they are typed."""
    network, colon, start = text.partition(":")
    if not (network and colon and start):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NETWORK:START")
    return network, start


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rendered", type=Path, action="append", required=True)
    parser.add_argument("--more", type=Path, action="append", metavar="FOLDER",
                        help="of these the last row of numbers learns too")  # fmt: skip
    for name in ("held-out", "photos", "unlabelled", "teacher", "backgrounds", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--lift", type=lift_of, action="append", metavar="NETWORK:START",
                        help="small:movenet")  # fmt: skip
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="these alone, in the usual order")
    parser.add_argument("--list", action="store_true", help="tell the rows, and do nothing")
    parser.add_argument("--steps", type=int, default=plan.STEPS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        print(__doc__)  # `make bench` starts every benchmark so
        return
    asked = parsed(given)
    end_on_sigterm()
    torch.set_num_threads(asked.threads)
    try:
        data = data_of(asked)
        parts = plan.sections(data, asked.lift or [("small", "movenet")])
        runs = plan.runs_of(plan.rows_of(parts), asked.seeds, asked.steps, data)
        unknown = set(asked.rows or ()) - {run.row.name for run in runs}
        if unknown:
            raise UserError(f"--rows {min(unknown)}: there is no such row; --list tells them")
        chosen = [run for run in runs if asked.rows is None or run.row.name in asked.rows]
        results = asked.out / "results.csv"
        if asked.list:
            for run in chosen:
                done = "done" if result_of(run, read_results(results)) else ""
                print(f"{run.row.name:24} seed {run.seed} {run.digest} {done}".rstrip())
            return
        asked.out.mkdir(parents=True, exist_ok=True)
        with file_lock(asked.out / ".lock", f"{asked.out}: another process works there"):
            failed = work(chosen, runs, parts, data, asked)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; run the same command to go on", file=sys.stderr)
        sys.exit(130)
    sys.exit(1 if failed else 0)


def work(
    chosen: Sequence[Run],
    runs: Sequence[Run],
    parts: Sequence[Section],
    data: Data,
    asked: argparse.Namespace,
) -> list[Run]:
    """Do what is missing of the chosen runs, and write the table after each; the failed ones."""
    folder, results = asked.out / "runs", asked.out / "results.csv"
    folder.mkdir(exist_ok=True)
    sets = photographed(data.photos)
    held_out = data.held_out.parent.parent / "images" / data.held_out.stem.rpartition("_")[2]
    error = figures.error_of_fitted(figures.photographed(data.held_out, held_out))
    told = caption(asked.steps, len(asked.seeds), sets, error)

    def show() -> str:
        text = f"{table(parts, runs, read_results(results))}\n{told}"
        write_atomic(asked.out / "table.md", text.encode())
        return text

    def tell(line: str) -> None:
        print(line, flush=True)
        show()

    failed = complete(
        chosen, results, lambda run: figures_of(run, folder, data, asked.threads), tell
    )
    print(show())
    return failed


if __name__ == "__main__":
    main()
