"""A small server of the tour on the official SDK: the shop's bank, whose one tool pays. The money is not real."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer


async def pay(to: str, euros: int) -> str:
    """Pays, as far as anybody can tell."""
    return f"Paid {euros} euros to {to}."


def main() -> None:
    """Serves on standard input and output."""
    server = MCPServer("bank", log_level="ERROR")
    server.add_tool(pay, name="pay", description="Pays an invoice of a supplier, in whole euros.")
    server.run()


if __name__ == "__main__":
    main()
