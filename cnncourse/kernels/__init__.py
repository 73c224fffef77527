"""Numba-compiled loops behind cnncourse.functional; nothing else imports them.

Arrays arrive checked, contiguous and of one precision; nothing in here raises. Letters: N samples, C channels,
H and W height and width, K filters, R and S kernel rows and columns, P and Q output rows and columns; sh, dh, ph
(and sw, dw, pw) are stride, dilation and padding before the first row (column).
"""
