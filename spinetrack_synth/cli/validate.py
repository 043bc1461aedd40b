"""``validate``: the release gate for keypoint datasets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.validation.engine import Report

FORMATS = ("text", "json", "github", "sarif", "junit", "html")
FAIL_ON = ("error", "warning", "info", "never")


class Selectors(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """Codes, beginnings of codes, families or names, with commas between them."""

    name = "RULES"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


RULES = Selectors()


# Longer than sixty lines by its twelve options and what --help says.
@click.command("validate", short_help="Check keypoint annotations before they are released.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--images", type=FILE, metavar="DIR", help="Folder of the pictures: check them too.")
@click.option("--previous", type=FILE, metavar="OLD", help="The release before: tell what drifted.")
@click.option("--select", type=RULES, default=(), help="Run only these (SPT3, geometry, ALL).")
@click.option("--extend-select", type=RULES, default=(), help="Run these beside the others.")
@click.option("--ignore", type=RULES, default=(), help="Do not run these.")
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), help="Exit with 1 from this severity on.  [error]"
)
@click.option("--baseline", type=FILE, help="Findings that are accepted, with reason and expiry.")
@click.option("--write-baseline", type=FILE, help="Accept what is found now: write a baseline.")
@click.option(
    "--output-format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="How to report; may be repeated.  [text]",
)
@click.option(
    "--output-file",
    "outputs",
    type=FILE,
    multiple=True,
    help="Where the report goes; one for each format, in the same order (- is the terminal).",
)
@click.option(
    "--max-findings",
    type=click.IntRange(min=0),
    help="Findings of a rule to tell, 0 for all.  [10 in text, all in files]",
)
def command(
    files: tuple[Path, ...],
    images: Path | None,
    previous: Path | None,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    formats: tuple[str, ...],
    outputs: tuple[Path, ...],
    max_findings: int | None,
) -> None:
    """Check COCO keypoint files: schema, ids, geometry, visibility, left and right, anatomy,
    pictures, duplicates, leakage between splits, drift, metadata.

    A folder stands for the annotation files in it. Settings may also be given in
    [tool.spinetrack] of pyproject.toml or in spinetrack.toml. The exit code is 0 when nothing at
    or above --fail-on is found, 1 when something is, 2 when a file cannot be used.

    \b
    Examples:
      spinetrack-synth validate annotations.json
      spinetrack-synth validate OUT --images OUT/images
      spinetrack-synth validate train.json val.json --select leakage,SPT3 --fail-on warning
      spinetrack-synth validate annotations.json --output-format text \\
          --output-format sarif --output-file report.sarif
    """
    import os

    from spinetrack_synth.validation import baseline as baselines
    from spinetrack_synth.validation.engine import validate
    from spinetrack_synth.validation.findings import Work
    from spinetrack_synth.validation.registry import all_rules, choose
    from spinetrack_synth.validation.release import read_release
    from spinetrack_synth.validation.settings import Settings, find_settings

    targets = pair_outputs(formats, outputs)
    given = Settings(
        select, extend_select, ignore, baseline, images, previous, fail_on, max_findings
    )
    settings = find_settings(Path.cwd()).under(given)
    rules = choose(all_rules(), settings.select, settings.extend_select, settings.ignore)
    if settings.images is not None and not settings.images.is_dir():
        raise UserError(f"{settings.images}: no folder; --images names the folder of the pictures")
    datasets, others = read_release(files, pictures=settings.images, previous=settings.previous)
    for other in others:
        click.echo(f"{other.path}: left out, it holds no keypoints", err=True)
    with patient_bar("records") as show:
        report = validate(
            datasets,
            rules,
            severities=settings.severity,
            baseline=baselines.Baseline.read(settings.baseline) if settings.baseline else None,
            work=Work(show, os.cpu_count() or 1),
        )
    for name, path in targets:
        tell(report, name, path, settings.max_findings)
    if write_baseline:
        count = baselines.accept(write_baseline, (*report.findings, *report.accepted))
        click.echo(f"{count} findings accepted for {baselines.DAYS} days in {write_baseline}")
    elif report.fails(settings.failing):
        sys.exit(1)


def pair_outputs(
    formats: tuple[str, ...], outputs: tuple[Path, ...]
) -> list[tuple[str, Path | None]]:
    """Each format with its file. Given fewer files than formats, text needs none."""
    formats = formats or ("text",)
    wanting = formats
    if len(outputs) < len(formats) and "text" in formats:
        wanting = tuple(name for name in formats if name != "text")
    if len(wanting) != len(outputs) and not (len(formats) == 1 and not outputs):
        raise UserError(
            f"{len(formats)} output formats but {len(outputs)} output files: "
            "give one --output-file for each --output-format, in the same order"
        )
    files = iter(outputs)
    return [(name, next(files, None) if name in wanting else None) for name in formats]


def tell(report: Report, name: str, path: Path | None, limit: int | None) -> None:
    """Print a report, or write it to its file."""
    from spinetrack_synth.validation.reporting import reporter, write_report

    if path is not None and str(path) != "-":
        write_report(report, name, path, limit)
    else:
        render = reporter(name)
        click.echo(render(report) if limit is None else render(report, limit), nl=False)
