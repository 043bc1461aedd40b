"""``serve``: an UnrealCV server."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import click

from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.cli.values import FILE, Size


@click.command("serve", short_help="Serve pictures to UnrealCV scripts.")
@click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; one that other machines reach needs a token.",
)
@click.option(
    "--token",
    envvar="SPINETRACK_SYNTH_TOKEN",
    show_envvar=True,
    metavar="TEXT",
    help="What clients must give first: `vset /session/token TEXT`.",
)
@click.option(
    "--out",
    type=FILE,
    default=".",
    metavar="DIR",
    help="Folder that clients may write pictures in, and nowhere else.  [default: this one]",
)
@click.option(
    "--scene",
    metavar="NAME|FILE",
    help="Begin with a shot of this scene standing there (see `spinetrack-synth scenes`).",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Which shot of the scene."
)
@click.option(
    "--size", type=Size(), default="640x480", show_default=True, help="Of camera 0, in pixels."
)
@click.option(
    "--quality",
    type=click.Choice(["draft", "normal", "final"]),
    default="normal",
    show_default=True,
)
def command(
    port: int,
    host: str,
    token: str | None,
    out: Path,
    scene: str | None,
    seed: int,
    size: tuple[int, int],
    quality: str,
) -> None:
    """Answer UnrealCV commands over TCP and a Unix socket, one client at a time, until stopped.

    Pictures come from the embedded renderer. docs/unreal-server.md lists the commands.

    \b
    Examples:
      spinetrack-synth serve --scene yoga
      spinetrack-synth serve --port 9010 --scene yoga --seed 3 --size 1280x720
    """
    from spinetrack_synth.compiled import ahead
    from spinetrack_synth.rendering import Quality
    from spinetrack_synth.rendering.server.folder import Folder
    from spinetrack_synth.rendering.server.listening import Doors
    from spinetrack_synth.rendering.server.serving import open_embedded, opening, serve

    def ready() -> None:
        if doors.open_to_others:
            click.echo(
                "Other machines reach this server: whoever has the token, which goes over the "
                f"network unencrypted, may write pictures in {folder.path}.",
                err=True,
            )
        click.echo(f"listening at {doors}")

    end_on_sigterm()
    with closing(Doors(host, port, token)) as doors, suppress(KeyboardInterrupt):
        folder = Folder(out)
        if scene:
            ahead.begin("render")
        renderer = open_embedded()
        serve(
            doors,
            opening(scene, seed, size),
            renderer,
            quality=Quality(quality),
            folder=folder,
            ready=ready,
        )
