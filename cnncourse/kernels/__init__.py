"""Numba-compiled loops behind cnncourse.functional; nothing else imports them.

These are the loops to read, one file for each operation; what they run on is in `cnncourse/machinery/`. The fast
convolution is told from the outside in: `plan.py` chooses the way, `convolution.py`, `input_gradient.py` and
`weight_gradient.py` go it, `patches.py` lays out what the filters see; `direct.py` is the same in plain loops.

Arrays arrive checked, contiguous and of one precision; nothing in here raises. Letters: N samples, C channels,
H and W height and width, K filters, R and S kernel rows and columns, P and Q output rows and columns; sh, dh, ph
(and sw, dw, pw) are stride, dilation and padding before the first row (column).
"""
