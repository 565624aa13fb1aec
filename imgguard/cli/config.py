"""`imgguard config`."""

import os

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Rows, emit

app = typer.Typer(help="The settings in force.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """The settings in force."""


@app.command()
def show(context: typer.Context, json: options.Json = False, home: options.Home = None) -> None:
    """Show every setting, where it comes from and what it means. Settings are environment variables."""
    settings = options.settings_for(context, home)
    if json:
        emit(settings.model_dump(mode="json"))
        return
    rows = Rows((Column("Setting", 30), Column("From", 11), Column("Value", 24), Column("Meaning", 0)))
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        source = "environment" if f"IMGGUARD_{name.upper()}" in os.environ else "default"
        if name == "home" and (home or context.find_root().params.get("home")):
            source = "--home"
        rows.add([f"IMGGUARD_{name.upper()}", source, "" if value is None else str(value), field.description or ""])
