"""`python -m doorward` is `doorward`."""

from doorward.cli.main import main

main(prog_name="doorward")
