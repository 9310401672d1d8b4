"""The shop's own commands; each is safe to run twice and at the same time."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import with_appcontext

from storefront import worker
from storefront.infra import clock


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, say what was done, stop.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Do what is due, for ever."""
    done = worker.run_due(clock.now())
    if once:
        click.echo(", ".join(f"{name}: {count}" for name, count in done.items()) or "nothing due")
        return


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(worker_command)
