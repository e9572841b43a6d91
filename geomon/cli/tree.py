"""The app that the commands hang on, with what holds for all of them."""

from typing import Annotated

import typer

from geomon.cli.speaking import Commands

HELP = """Satellite images become SDG indicators that can be checked against official statistics.

Every number is traced to its pixels, carries an interval, and says how much ground was seen."""
EPILOG = """[bold]Begin with[/]
  geomon demo                          everything, with a fictional country
  geomon list                          which indicators there are
  geomon plan 15.1.1 --zones admin.geojson --period 2020/2021
                                       what a run would read; reads no pixel
  geomon run 15.1.1 --zones admin.geojson --period 2020/2021
                                       the numbers

[bold]Exit codes[/]
  0    done
  1    refused or failed; the reason is said
  2    wrong usage
  3    done, but not whole: values are withheld, files not read or blocks lost
  130  stopped by Ctrl-C; finished blocks are kept

[bold]Environment[/]
  GEOMON_STORE      folder of the results, instead of ./geomon-store
  GEOMON_OFFICIAL   folder of the pinned official statistics, instead of ./geomon-official
  GEOMON_WORKSPACE  folders of your own indicators, desks and catalogs"""

app = typer.Typer(
    name="geomon",
    cls=Commands,
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def examples(*lines: str, more: str = "") -> str:
    """The end of a command's help."""
    shown = "\n".join(f"[dim]  $[/] {line}" for line in lines)
    return f"[bold]{'Examples' if len(lines) > 1 else 'Example'}[/]\n{shown}" + (f"\n\n{more}" if more else "")


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from geomon import __version__

        typer.echo(f"geomon {__version__}")
        raise typer.Exit


@app.callback()
def everywhere(
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show tracebacks instead of sentences; may stand anywhere.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """What holds for every command."""
