"""im2col and col2im: the patches of a picture as columns of a matrix, and their sum back into a picture.

Row (c, r, s) of the matrix holds, for every output position, the input that kernel tap (r, s) of channel c meets
there. One row is thus the channel itself, shifted by the tap, every stride-th entry taken; where it would leave the
picture it is zero. col2im walks the same way and adds, so that an input that several patches share collects from all.
"""

from cnncourse.machinery.compiling import jit


@jit
def im2col(x, columns, R, S, P, Q, sh, sw, ph, pw, dh, dw):
    """Fill `columns` (N, C * R * S, P * Q), which is zero at first, from x (N, C, H, W)."""
    N, C, H, W = x.shape
    for n in range(N):
        for c in range(C):
            for r in range(R):
                for s in range(S):
                    row = columns[n, (c * R + r) * S + s]
                    for p in range(P):
                        i = p * sh + r * dh - ph
                        if 0 <= i < H:
                            for q in range(Q):
                                j = q * sw + s * dw - pw
                                if 0 <= j < W:
                                    row[p * Q + q] = x[n, c, i, j]


@jit
def col2im(columns, x, R, S, P, Q, sh, sw, ph, pw, dh, dw):
    """Add `columns` (N, C * R * S, P * Q) into x (N, C, H, W), which is zero at first."""
    N, C, H, W = x.shape
    for n in range(N):
        for c in range(C):
            for r in range(R):
                for s in range(S):
                    row = columns[n, (c * R + r) * S + s]
                    for p in range(P):
                        i = p * sh + r * dh - ph
                        if 0 <= i < H:
                            for q in range(Q):
                                j = q * sw + s * dw - pw
                                if 0 <= j < W:
                                    x[n, c, i, j] += row[p * Q + q]
