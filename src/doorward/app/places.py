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
    pin = config.stdio.pin.model_copy(update={"paths": _placed(config.stdio.pin.paths, root)})
    update: dict[str, object] = {"command": (program, *arguments), "cwd": directory, "pin": pin}
    if (sandbox := config.stdio.sandbox) is not None:
        update["sandbox"] = sandbox.model_copy(update={"read": _placed(sandbox.read, root), "write": _placed(sandbox.write, root)})
    stdio = config.stdio.model_copy(update=update)
    return config.model_copy(update={"stdio": stdio})


def _placed(paths: tuple[str, ...], root: Path) -> tuple[str, ...]:
    return tuple(str((root / path).resolve()) for path in paths)
