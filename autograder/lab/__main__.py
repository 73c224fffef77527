"""Run JupyterLab, without what takes long at its start and serves nobody here."""

from autograder.startup import leave_out_address_grammar

leave_out_address_grammar()

from jupyterlab.labapp import main  # noqa: E402

main()
