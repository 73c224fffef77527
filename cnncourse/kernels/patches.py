"""Blocks of the matrix whose columns are the patches that a filter sees.

Row (channel, tap) of that matrix holds, for every output position, the input that this tap meets there: the channel
itself, shifted by the tap, every stride-th number taken, zero beyond the border. So a row is copied, not gathered: a
piece of a row of positions is a piece of a row of inputs. Most pieces are short (7 numbers in the last layers of a
network), and looking where the border is costs more than the copy. Therefore the rows of a channel that the block needs
are first laid out once, with zeros beyond the border and, for a stride of two, even and odd columns apart; from there
every tap copies whole vectors without looking, and what it writes too much the next piece overwrites.
"""


from cnncourse.machinery.compiling import jit
from cnncourse.machinery.tiles import VECTOR_BYTES
from cnncourse.machinery.vectors import clear_bytes, copy_bytes, copy_every, copy_vectors

PITCH_BYTES = 13 * 64  # of a block's row: an odd number of cache lines, so that a column's lines get sets of their own
WIDTH_BYTES = PITCH_BYTES - 64  # whole tiles of 64 or 128 bytes; the rest is for what is written too much
LINES_BYTES = 48 << 10  # in which the rows of a channel are laid out


@jit
def part(memory, start, rows, columns, like):
    """Rows and columns of numbers like those of another array, from byte `start` of a thread's memory on."""
    return memory[start:start + rows * columns * like.itemsize].view(like.dtype).reshape(rows, columns)


@jit
def runs(first, last, P, Q, found):
    """Write positions first to last - 1 of all pictures as pieces of rows: (picture, row, column, length, 0); count."""
    count = 0
    while first < last:
        n, rest = first // (P * Q), first % (P * Q)
        p, q = rest // Q, rest % Q
        length = min(Q - q, last - first)
        found[count, 0], found[count, 1], found[count, 2], found[count, 3], found[count, 4] = n, p, q, length, 0
        count += 1
        first += length
    return count


@jit
def _copy_row(source, n, c, y, x, step, length, target):
    """Copy every `step`-th input of a row from column x on, zeros where there are none."""
    H, W = source.shape[2:]
    size = source.itemsize
    low, high = length, length
    if 0 <= y < H:
        low = 0
        while low < length and x + low * step < 0:
            low += 1
        while high > low and x + (high - 1) * step >= W:
            high -= 1
    if low > 0:
        clear_bytes(target, low * size)
    if high > low:
        copy_every(source.dtype.type(0), size, target + low * size,
                   source.ctypes.data + n * source.strides[0] + c * source.strides[1] + (y * W + x + low * step) * size,
                   step, high - low)
    if high < length:
        clear_bytes(target + high * size, (length - high) * size)


@jit
def _place(pieces, count, R, down, step_y):
    """Number the lines that the pieces need, those of a picture together, in pieces[:, 4]; how many there are."""
    lines = 0
    for piece in range(count):
        if piece > 0 and pieces[piece, 0] == pieces[piece - 1, 0]:
            pieces[piece, 4] = pieces[piece - 1, 4] + step_y
        else:
            pieces[piece, 4] = lines
        lines = pieces[piece, 4] + (R - 1) * down + 1
    return lines


@jit
def _lay_out(source, c, pieces, count, R, top, left, down, step_y, step_x, phases, pitch, lines):
    """Copy the rows of a channel that the pieces need into lines that were zero at first."""
    H, W = source.shape[2:]
    size = source.itemsize
    zero = source.dtype.type(0)
    done = 0
    for piece in range(count):
        n, y = pieces[piece, 0], pieces[piece, 1] * step_y - top
        start = pieces[piece, 4]
        stop = start + (R - 1) * down + 1
        for line in range(max(start, done), stop):
            row = y + line - start
            if not 0 <= row < H:
                continue
            for phase in range(phases):
                low = max(-((phase - left) // step_x), 0)
                number = min((W - 1 - phase + left) // step_x + 1, pitch) - low
                if number > 0:
                    copy_every(zero, size, lines.ctypes.data + ((line * phases + phase) * pitch + low) * size,
                               source.ctypes.data + n * source.strides[0] + c * source.strides[1]
                               + (row * W + low * step_x + phase - left) * size, step_x, number)
        done = stop


@jit
def fill(block, pieces, count, Q, source, channel, row, rows, window, lines):
    """Fill `rows` rows of a block from row `row` of the matrix on, row = channel * number of taps + tap.

    pieces: from `runs`, of rows of Q positions. window: kernel rows and columns, padding above and on the left,
    dilation down and across, stride down and across.
    """
    R, S, top, left, down, across, step_y, step_x = window
    size = source.itemsize
    reach = (S - 1) * across
    phases = min(step_x, reach + 1)
    pitch = Q + reach // step_x
    needed = (_place(pieces, count, R, down, step_y) * phases * pitch) * size + VECTOR_BYTES
    laid_out = R * S > 1 and needed <= lines.nbytes
    if laid_out:
        clear_bytes(lines.ctypes.data, needed)
    c, r, s = channel + row // (R * S), row % (R * S) // S, row % S
    fresh = True
    for index in range(rows):
        target = block.ctypes.data + index * block.strides[0]
        if laid_out:
            if fresh:
                _lay_out(source, c, pieces, count, R, top, left, down, step_y, step_x, phases, pitch, lines)
                fresh = False
            shift = (r * down * phases + s * across % step_x) * pitch + s * across // step_x
            for piece in range(count):
                at = pieces[piece, 4] * phases * pitch + pieces[piece, 2] + shift
                copy_vectors(target, lines.ctypes.data + at * size, pieces[piece, 3] * size)
                target += pieces[piece, 3] * size
        else:
            for piece in range(count):
                n, p, q, length = pieces[piece, 0], pieces[piece, 1], pieces[piece, 2], pieces[piece, 3]
                _copy_row(source, n, c, p * step_y + r * down - top, q * step_x + s * across - left, step_x, length,
                          target)
                target += length * size
        s += 1
        if s == S:
            r, s = r + 1, 0
        if r == R:
            c, r = c + 1, 0
            fresh = True


@jit
def copy_planes(block, pieces, count, source, channel, rows):
    """Fill `rows` rows of a block with pieces of as many channels of source (N, C, 1, P * Q)."""
    size = source.itemsize
    for index in range(rows):
        target = block.ctypes.data + index * block.strides[0]
        for piece in range(count):
            n, position, length = pieces[piece, 0], pieces[piece, 2], pieces[piece, 3]
            copy_bytes(target, source.ctypes.data + n * source.strides[0] + (channel + index) * source.strides[1]
                       + position * size, length * size)
            target += length * size
