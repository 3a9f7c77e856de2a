"""Where relative paths of the document lead: from its own directory, whatever the gateway was started in."""

from pathlib import Path

from doorward.config.model import Upstream


def anchored(config: Upstream, root: Path) -> Upstream:
    """An upstream's configuration with its program, directory and certificates made absolute; a bare program name is left to PATH."""
    if config.tls is not None:
        named = {field: str(root / path) for field, path in config.tls if path is not None}
        return config.model_copy(update={"tls": config.tls.model_copy(update=named)})
    if config.stdio is None:
        return config
    program, *arguments = config.stdio.command
    if "/" in program:
        program = str(root / program)
    directory = str(root / config.stdio.cwd) if config.stdio.cwd else str(root)
    stdio = config.stdio.model_copy(update={"command": (program, *arguments), "cwd": directory})
    return config.model_copy(update={"stdio": stdio})
