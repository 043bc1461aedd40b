"""``models``: the official networks in the user's cache."""

from __future__ import annotations

import click

from spinetrack_synth.cli.fetching import agree, licence_option, megabytes


@click.group(
    "models", short_help="List, fetch or remove official networks.", invoke_without_command=True
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, fetch or remove the official SpinePose networks and detectors.

    \b
    Examples:
      spinetrack-synth models
      spinetrack-synth models fetch small --accept-licence
      spinetrack-synth models remove small
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@command.command("list")
def show() -> None:
    """Which there are, where they lie, under which licence."""
    from spinetrack_synth.spinepose import zoo

    for official in zoo.OFFICIAL.values():
        state = zoo.state(official)
        where = f"{state.size_bytes / 1e6:.1f} MB, {state.path}" if state.path else "not fetched"
        note = " (of the spinepose package)" if state.of_package else ""
        click.echo(f"{official.name:14} {official.licence:13} {where}{note}")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@licence_option
@click.option("--changed", is_flag=True, help="Take the file although it differs from before.")
def fetch(names: tuple[str, ...], accept_licence: bool, changed: bool) -> None:
    """Fetch networks that are missing; a broken download goes on where it stopped."""
    from spinetrack_synth.spinepose import zoo

    for official in [zoo.by_name(name) for name in names]:
        with megabytes() as fetched:
            path = zoo.obtain(
                official,
                accept=lambda text: agree(accept_licence, text),
                progress=fetched,
                changed=changed,
            )
        click.echo(f"{official.name}: {path}")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(names: tuple[str, ...]) -> None:
    """Delete networks that were fetched; those of the spinepose package stay."""
    from spinetrack_synth.spinepose import zoo

    freed = sum(zoo.remove(official) for official in [zoo.by_name(name) for name in names])
    click.echo(f"freed {freed / 1e6:.1f} MB")
