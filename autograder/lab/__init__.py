"""JupyterLab as `course lab` starts it: `python -m autograder.lab` takes the options of `jupyter lab`."""
