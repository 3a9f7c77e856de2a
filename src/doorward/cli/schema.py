"""`doorward schema`: what a machine should know of the document, or of the admin API."""

import json

import click

from doorward.cli.options import asked, socket_option
from doorward.client.admin import Admin, at
from doorward.config.schema import json_schema


@click.command()
@click.option("--api", is_flag=True, help="The OpenAPI document of the running gateway's admin API instead.")
@socket_option
def command(admin: Admin, api: bool) -> None:
    """Print the JSON Schema of doorward.yaml, for editors."""
    found = asked(lambda: admin.get(at("openapi.json"))) if api else json_schema()
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
