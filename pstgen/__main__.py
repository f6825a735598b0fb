"""`python -m pstgen`."""

from pstgen.cli import main

main(prog_name="pstgen")
