"""What is published about the admin API, written anew: `python -m tests.control.published`."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from doorward.control.openapi import openapi
from doorward.control.routes import Route
from tests.control.plane import plane

DOCUMENT = Path("docs/openapi.json")
PAGE = Path("docs/admin-api.md")
BEGIN, END = "<!-- operations: written by tests/control/published.py -->\n", "<!-- end of operations -->\n"


def document_text(routes: tuple[Route, ...]) -> str:
    """The OpenAPI document as it is committed."""
    return json.dumps(openapi(routes), indent=2, ensure_ascii=False) + "\n"


def page_text(page: str, routes: Iterable[Route]) -> str:
    """The page with its table of operations written anew between the two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [f"| `{route.method} {route.path}` | {_least(route)} | {route.summary} |" for route in routes]
    table = "\n".join(["| operation | least role | |", "| --- | --- | --- |", *rows])
    return f"{before}{BEGIN}\n{table}\n\n{END}{after}"


def _least(route: Route) -> str:
    return f"{route.role.name.lower()}{'' if route.within is None else ' of the team'}"


async def routes() -> tuple[Route, ...]:
    """The route table."""
    with tempfile.TemporaryDirectory() as directory:
        async with plane(Path(directory)) as it:
            return it.routes


def main(root: Path) -> int:
    """Writes both files."""
    table = asyncio.run(routes())
    (root / DOCUMENT).write_text(document_text(table), "utf-8")
    page = root / PAGE
    page.write_text(page_text(page.read_text("utf-8"), table), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
