"""The words for mistakes that many exercises know: one name and one explanation each, true wherever it is used.

An exercise takes the pair and adds what is particular to it as `detail`, which is shown after the explanation::

    Misconception(*words.STRIDE_IGNORED, wrong, detail="With stride 2 about half of the positions remain.")

A mistake that only one exercise knows has its words there.
"""

# --- Where windows stand -------------------------------------------------------------------------------------------

STRIDE_IGNORED = (
    "stride ignored",
    "The stride says how far apart neighboring windows lie. Here they lie as if it were 1.")
STRIDE_IS_WINDOW = (
    "stride taken for the window's size",
    "Windows lie one stride apart, and the stride need not be the window's size: a smaller one makes windows overlap, "
    "a larger one leaves gaps.")
KERNEL_AS_STRIDE = (
    "the kernel size used as stride",
    "Windows lie one stride apart. Here they lie one kernel size apart, and never overlap, whatever the stride.")
STRIDE_ALONG_ROWS_ONLY = (
    "stride along the rows only",
    "The window moves by the stride along both axes; here it moves by one along the columns.")
STRIDE_ALONG_COLUMNS_ONLY = (
    "stride along the columns only",
    "The window moves by the stride along both axes; here it moves by one along the rows.")
STRIDE_ALONG_ONE_AXIS = (
    "stride along one axis only",
    "The window moves by the stride downwards and to the right; here only along one of the two.")
STRIDE_NOT_IN_POSITION = (
    "stride missing in the window's position",
    "The window of output (i, j) starts at row i * stride and column j * stride of the input with its padding. Here "
    "its place does not depend on the stride.")
WINDOW_AS_LARGE_AS_STRIDE = (
    "window as large as the stride",
    "The stride says how far the window moves. How many rows and columns it holds is told by kernel_size: look at "
    "where your slice ends.")
OUTPUT_TRANSPOSED = (
    "row and column of the output swapped",
    "The first place index i of the output belongs to the rows of the input and the second one, j, to the columns. "
    "Here they have changed places.")
POSITIONS_FORGOTTEN = (
    "positions forgotten",
    "Every position of the output counts. Here the result is that of a single one.")
ONLY_FIRST_POSITION = (
    "only the first position",
    "All positions count. Here only the first one does.")
POSITIONS_SWAPPED = (
    "rows and columns of positions swapped",
    "A position has a row and a column, in this order. Here they have changed places.")

# --- How many windows there are ------------------------------------------------------------------------------------

ONE_FORGOTTEN = (
    "one forgotten",
    "The division counts the steps of the window. Before its first step the window has a position too.")
ONE_POSITION_FEWER = (
    "one position too few",
    "The number of positions is the number of steps plus one: before its first step the window has a position too.")
ONE_ROW_AND_COLUMN_FEWER = (
    "one row and column too few",
    "Before its first step the window has a position too. Here the last row and the last column of the output are "
    "missing.")
NOT_ROUNDED = (
    "not rounded",
    "A count is a whole number. Here a fraction is left where the division leaves something over.")
ROUNDED_UP = (
    "rounded up",
    "Where something is left over, it is left out: a window that would hang over the border does not count.")
ROUNDED_TO_NEAREST = (
    "rounded to the nearest",
    "What nearly fits does not fit: the quotient is rounded down, not to the nearest number.")

# --- Padding -------------------------------------------------------------------------------------------------------

PADDING_IGNORED = (
    "padding ignored",
    "The window slides over the padded input, which is larger. Here the padding is left out.")
PADDING_COUNTED_ONCE = (
    "padding counted once",
    "Padding lies on both sides of the input, so P zeros on a side make an axis 2 P longer. Here they count once.")
PADDING_BEFORE_ONLY = (
    "padding before only",
    "The zeros come on all four sides; here they are above and to the left only.")
PADDING_AFTER_ONLY = (
    "padding after only",
    "The zeros come on all four sides; here they are below and to the right only.")
PADDING_ON_ONE_SIDE = (
    "all padding on one side",
    "The padded picture has the right size, but the picture has to lie in its middle, with as many zeros before as "
    "after.")
ROWS_PADDED_ONLY = (
    "rows padded only",
    "The zeros come on all four sides; here there are none to the left and right.")
COLUMNS_PADDED_ONLY = (
    "columns padded only",
    "The zeros come on all four sides; here there are none above and below.")
ALL_AXES_PADDED = (
    "all four axes padded",
    "Padding surrounds each picture. Samples and channels made of zeros do not exist: pad the last two axes only.")
EDGE_VALUES = (
    "edge values instead of zeros",
    "Beyond the border of the picture there are zeros. Here values of the picture are repeated there.")
PADDING_KEPT = (
    "padding not cut off",
    "The result has the size of the picture without its padding: the entries for the zeros around it have to be cut "
    "off.")
CROPPED_AT_WRONG_PLACE = (
    "cropped at the wrong place",
    "The picture lies in the middle of its padding.")
EMPTY_WITHOUT_PADDING = (
    "empty without padding",
    "A slice p : -p is empty for p = 0, since -0 is 0 and not the end. Say where the slice ends by counting from the "
    "start.")
NEGATIVE_START = (
    "slice that starts before the picture",
    "With padding, the first windows begin at a negative row or column. In a slice a negative start counts from the "
    "end: let it begin at 0, or slide over a padded array.")

# --- Height and width ----------------------------------------------------------------------------------------------

SQUARE_INPUTS = (
    "only square inputs",
    "Height and width of a picture are two numbers. Here one of them seems to be used for the other.")
SQUARE_KERNELS = (
    "only square kernels",
    "A kernel has a height and a width. Here one of them seems to be used for both.")
SQUARE_WINDOWS = (
    "only square windows",
    "A window has a height and a width, kernel_size[0] and kernel_size[1]. Here one of them seems to be used for both.")
KERNEL_SWAPPED = (
    "kernel height and width swapped",
    "kernel_size is (height, width): the first number belongs to the rows.")
WINDOW_SWAPPED = (
    "window height and width swapped",
    "kernel_size is (height, width): the first number belongs to the rows.")
HEIGHT_AND_WIDTH_SWAPPED = (
    "height and width swapped",
    "The height comes first, then the width.")

# --- Samples, channels and filters ---------------------------------------------------------------------------------

FIRST_SAMPLE = (
    "only the first sample",
    "All samples of the batch are treated alike. Here only the first one counts.")
SAMPLES_SUMMED = (
    "samples summed",
    "Each sample has an output of its own: nothing is summed over the batch.")
FIRST_CHANNEL = (
    "only the first channel",
    "All channels count. Here only the first one does.")
LAST_CHANNEL = (
    "only the last channel counts",
    "The contributions of all channels are summed. Here each one replaces what was there before: look at where `=` "
    "stands and `+=` should.")
FIRST_CHANNEL_FOR_ALL = (
    "the first channel for all channels",
    "Channel c of a filter belongs to channel c of the window.")
CHANNELS_AVERAGED = (
    "channels averaged",
    "The contributions of the channels are summed, not averaged.")
ONE_FILTER = (
    "the same filter for every output",
    "Each feature map has its own filter: output k is computed with weight[k] and bias[k].")
FLIPPED = (
    "flipped kernel",
    "A filter is not flipped: its entry at the top left meets the entry at the top left of the window.")
KERNEL_TRANSPOSED = (
    "kernel transposed",
    "Row r of the filter belongs to row r of the window. Here rows and columns of the filter are swapped.")
MEAN_INSTEAD_OF_SUM = (
    "mean instead of sum",
    "A dot product is a sum of products; it is not divided by their number.")

# --- Biases --------------------------------------------------------------------------------------------------------

BIAS_FORGOTTEN = (
    "bias forgotten",
    "To every sum of products belongs a bias. Here it is left out.")
BIASES_FORGOTTEN = (
    "biases forgotten",
    "Biases belong to a layer as its weights do. Here they are left out.")
ONE_BIAS = (
    "one bias for all filters",
    "Each filter has a bias of its own.")
BIAS_PER_CHANNEL = (
    "bias added once per channel",
    "The bias belongs to the filter, not to its channels: it is added once to each output, after the sum over "
    "channels.")
BIAS_PER_WEIGHT = (
    "bias added once per weight",
    "The bias is added once to each output, after the sum. Here it stands inside of the sum: look at the brackets.")
BIAS_ALONG_WIDTH = (
    "bias added along the width",
    "NumPy lines up shapes from the last axis: a bias of shape (K,) added to (N, K, OH, OW) meets the columns, not the "
    "filters. How many axes have to stand behind the one for the filters?")
BIAS_ALONG_HEIGHT = (
    "bias added along the height",
    "NumPy lines up shapes from the last axis: a bias of shape (K, 1) added to (N, K, OH, OW) meets the rows, not the "
    "filters. How many axes have to stand behind the one for the filters?")

# --- Tables of windows, and products with them ---------------------------------------------------------------------

PATCHES_IN_ROWS = (
    "patches in rows",
    "Each patch is a column of the matrix, not a row.")
CHANNEL_FASTEST = (
    "channel as the fastest index",
    "A patch is listed as reshape does it: all taps of channel 0 first, then those of channel 1.")
KERNEL_COLUMNS_FIRST = (
    "kernel columns before rows",
    "Within a channel the patch is listed row by row; here column by column.")
POSITIONS_DOWNWARDS = (
    "positions counted downwards",
    "The positions come in reading order: along a row of the output first, then down. Here they run down first.")
FILTERS_AND_POSITIONS_MIXED = (
    "filters and positions mixed",
    "A reshape keeps the order of the entries. Where filters and positions have to change places, axes are moved.")
FILTERS_IN_ANOTHER_ORDER = (
    "filters flattened in another order",
    "The rows of im2col list channel, kernel row, kernel column. The filters have to be flattened in the same order.")

# --- The way back --------------------------------------------------------------------------------------------------

UPSTREAM_IGNORED = (
    "upstream gradient ignored",
    "How strongly the loss depends on an output is told by grad_out, and the chain rule multiplies by it. Here it is "
    "left out.")
OVERWRITTEN = (
    "overlapping windows overwritten",
    "Where windows overlap, one input can belong to several of them, and its gradient is the sum of what they send. "
    "Here a later window replaces what an earlier one has left there: look for `=` where `+=` belongs.")
DIVIDED_BY_WINDOWS = (
    "divided by the number of windows",
    "Where windows overlap, what they send is summed. Nothing is divided by their number.")
GRADIENTS_IN_ANOTHER_ORDER = (
    "gradients in another order",
    "The gradients are right, but they are not returned in the order that the text asks for.")
BIAS_GRADIENT_AVERAGED = (
    "gradient of the bias averaged",
    "The bias is added to every output of its map, in all samples: its gradient is the sum of those entries of "
    "grad_out, not their mean.")
LAST_SAMPLE_COUNTS = (
    "only the last sample counts",
    "All samples share the weights: their contributions are added. Here each sample replaces the one before it.")
FIRST_SAMPLE_COUNTS = (
    "only the first sample counts",
    "All samples of the batch contribute to the gradients of weights and biases, not only the first one.")
TIMES_INPUT = (
    "multiplied by the input",
    "The gradient is handed on as it is, or not at all. Here it is multiplied by an input.")

# --- Pooling -------------------------------------------------------------------------------------------------------

MINIMUM = (
    "minimum instead of maximum",
    "The largest entry counts, not the smallest.")
MAXIMUM_FROM_ZERO = (
    "maximum started at zero",
    "In a window that holds negative numbers only, the largest one is negative. Here zero wins: something starts at 0, "
    "or 0 is among the numbers that are compared.")
LARGEST_MAGNITUDE = (
    "largest magnitude",
    "Numbers are compared with their signs: -3 is smaller than 1. Here the absolute values decide.")
ONE_MAXIMUM_FOR_CHANNELS = (
    "one maximum for all channels",
    "Each channel is pooled on its own: a large value in one channel says nothing about another.")
ONE_MAXIMUM_FOR_PLANES = (
    "one maximum for all planes",
    "Each picture of the batch and each channel is pooled on its own. Here a window's maximum is taken over all "
    "samples and channels at once: a loop is missing, or the axes along which the maximum runs.")
DIVIDED_BY_WINDOW_SIZE = (
    "divided by the window's size",
    "Shares of 1 divided by the number of entries belong to average pooling.")
NOT_DIVIDED = (
    "not divided",
    "A mean is a sum divided by the number of entries of the window.")
EPSILON = (
    "an epsilon that changes the result",
    "A small number that is added somewhere must not show in the result.")
COUNTED_DOWNWARDS = (
    "counted down the columns",
    "The plane is counted row by row, as ravel does. Here it is counted column by column.")
COUNTED_FROM_ONE = (
    "counted from one",
    "Counting starts at 0, which is the index of the first entry.")
ENTRY_BY_HEIGHT = (
    "window's entry taken apart by its height",
    "A window of KH x KW has KW entries in a row: entry number a lies in row a // KW and column a % KW of the window.")

# --- Maps as vectors -----------------------------------------------------------------------------------------------

CHANNELS_LAST = (
    "channels last",
    "Channels come before rows and columns, as in NCHW: all of channel 0 first, then channel 1. Here they come last, "
    "as in libraries whose pictures are NHWC.")
COLUMNS_FIRST = (
    "columns before rows",
    "Within a channel the vector goes along the first row, then along the second: the column counts fastest. Here the "
    "row does.")
FORTRAN_ORDER = (
    "axes counted in reverse",
    "The last axis counts fastest, the channel slowest. Here it is the other way round, as with order=\"F\".")
SCORES_LAST = (
    "scores along the last axis",
    "The result is (N, K, rows, columns): the axis of the scores comes second.")
SCORES_MIXED = (
    "scores and positions mixed",
    "The shape is right, but a reshape does not move an axis: the scores' axis has to be brought before the positions "
    "by transpose or moveaxis.")
MAP_SWAPPED = (
    "rows and columns of the map swapped",
    "The third axis of the result counts rows, the fourth columns.")
ONE_BIAS_FOR_OUTPUTS = (
    "one bias for all outputs",
    "Output k has its own bias, bias[k].")
PADDED_TO_KEEP_SIZE = (
    "padded to keep the size",
    "Nothing is padded here: the window stays within the input, and the result is smaller than it.")
CLASSES_INSTEAD_OF_SCORES = (
    "classes instead of scores",
    "All scores are asked for; which one is largest is looked up later.")
NEGATIVE_CUT_OFF = (
    "negative outputs cut off",
    "The activation is a layer of its own and comes after this one: negative outputs are kept here.")

# --- Layers of a network, and what they cost -----------------------------------------------------------------------

FIRST_LAYER = (
    "only the first layer",
    "All layers count. If you have a loop: does the return stand inside of it, and end it in its first round?")
LAST_LAYER = (
    "only the last layer",
    "All layers count, and what they give is summed. Does each one replace the sum so far? Look at where `=` stands "
    "and `+=` should.")
POOLING_LEFT_OUT = (
    "pooling left out",
    "Pooling changes the size of the maps as a convolution does: all layers after it see smaller ones.")
DEPTH_FORGOTTEN = (
    "depth forgotten",
    "A window is seen in its full depth: every channel has weights of its own.")
WORK_WITHOUT_POSITIONS = (
    "work without positions",
    "That is how many weights there are. Each of them works once at every position of the output.")
BIASES_AS_WORK = (
    "biases counted as multiply-adds",
    "Adding a bias needs no multiplication: count the weights' work only.")
COUNTED_APART = (
    "multiplications and additions counted apart",
    "One multiplication together with the addition that follows it is one multiply-add, not two.")
BIAS_FOR_EACH_WEIGHT = (
    "a bias for each weight",
    "A bias is added once, to the sum of all products, not to each of them.")
BIAS_FOR_EACH_CHANNEL = (
    "a bias for each channel of a filter",
    "A filter has one bias, which is added after the sum over its channels.")
BIASES_AMONG_WEIGHTS = (
    "biases counted as weights",
    "Weights and biases are asked for one by one.")
ONE_NUMBER_FOR_BOTH = (
    "one number for both",
    "Return weights and biases as two numbers.")
HEIGHT_AND_WIDTH_ADDED = (
    "height and width added",
    "H rows and W columns are H times W numbers, not H plus W.")
DEPTH_LOST = (
    "filters without depth",
    "A filter spans all channels of its input: it has C x H x W weights, not H x W. No weight may get lost.")
KERNEL_NOT_SQUARED = (
    "kernel not squared",
    "A kernel of size 3 has 3 rows of 3 weights in each channel, not 3 weights.")
GROUPS_IGNORED = (
    "groups ignored",
    "With groups a filter sees only the channels of its own group: it is not as deep as the input.")
GROUPS_TWICE = (
    "groups divided out twice",
    "Groups make each filter less deep; there are as many filters as before.")
AT_INPUT_POSITIONS = (
    "work at the input's positions",
    "A filter works once for each position of its *output*: with a stride, or without padding, there are fewer of "
    "those.")
BYTES = (
    "bytes instead of numbers",
    "Asked for are numbers, whatever memory each takes.")
STRIDES_ADDED = (
    "strides added",
    "A step of a later layer is as many steps of the layer before as its stride says, and each of those is a step of "
    "its own size in the picture: strides multiply.")
TIMES_OUTPUT = (
    "multiplied by the output",
    "A ReLU lets a gradient pass or stops it; how large its output was does not matter.")
AVERAGE = (
    "average instead of maximum",
    "The largest entry of each window is asked for, not the mean of all.")

# --- Memory --------------------------------------------------------------------------------------------------------

BATCH_FORGOTTEN = (
    "batch size forgotten",
    "Every picture of the batch has activations of its own: memory for them grows with the size of the batch.")
ELEMENTS = (
    "bytes per number forgotten",
    "This is how many numbers there are. How many bytes one of them takes is an argument of its own.")
BITS = (
    "bits instead of bytes",
    "The result is eight times too large: a byte has eight bits, and here bytes are counted.")
FOUR_BYTES = (
    "always four bytes",
    "Four bytes is single precision. The same numbers take two bytes each in half precision and eight in double: use "
    "the argument.")
ADAM_COUNTED_AS_MOMENTUM = (
    "Adam counted as momentum",
    "Adam remembers two numbers for each parameter: a mean of its gradients, as momentum does, and a mean of their "
    "squares, as RMSProp does.")
RMSPROP_COUNTED_AS_ADAM = (
    "RMSProp counted as Adam",
    "RMSProp remembers the mean of the squared gradients only, which is one number for each parameter.")
ONLY_ADAM_REMEMBERS = (
    "momentum and RMSProp remember nothing",
    "Momentum keeps a velocity for each parameter, RMSProp a mean square: both have to survive until the next step.")
SGD_REMEMBERS = (
    "plain SGD with a cache",
    "Plain gradient descent uses the gradient and forgets it: it keeps nothing from step to step.")
ALWAYS_THREE_TIMES = (
    "always three times",
    "Three times is right for optimizers that remember one number for each parameter. Not all do: look at the table.")
ADAM_WITH_THREE = (
    "Adam with three caches",
    "Adam remembers two numbers for each parameter. The gradient is counted already.")
CACHES_FORGOTTEN = (
    "caches forgotten",
    "Three of the four optimizers remember something for each parameter from step to step.")
BATCH_ON_PARAMETERS = (
    "batch size applied to the parameters",
    "All pictures of a batch share the same parameters: what belongs to the parameters does not grow with the batch.")
ACTIVATIONS_TWICE = (
    "activations counted twice",
    "Each result counts once. Gradients of activations come and go in the backward pass; they are not part of this "
    "account.")
INPUT_NOT_COUNTED = (
    "input not counted",
    "The pictures themselves are in memory too: the first layer needs them again in the backward pass.")
LENGTHS_ADDED = (
    "lengths added instead of multiplied",
    "An array holds the product of its lengths, not their sum.")
ONLY_TOTAL = (
    "only the total",
    "Asked for is one number for each part; their sum comes later.")
NOT_IN_BYTES = (
    "not in bytes",
    "The result is wanted in bytes; units come in when it is shown.")
BINARY_AND_DECIMAL_SWAPPED = (
    "binary and decimal swapped",
    "kB, MB and GB are powers of 1,000. KiB, MiB and GiB, with an i for binary, are powers of 1,024.")
KEPT_TWICE = (
    "kept ones counted twice",
    "What is kept is in memory already: the segment adds only what lies between two kept activations.")
SEGMENT_TOO_LONG = (
    "segment one too long",
    "Between two kept activations there are k - 1 others. Here the next kept one seems to be counted in the segment, "
    "too.")
SEGMENT_TOO_SHORT = (
    "segment one too short",
    "Between two kept activations there are k - 1 others; here one of them is missing.")
LAST_SEGMENT_LEFT_OUT = (
    "the last segment left out",
    "The chain need not end at the end of a segment: what comes after the last kept activation is a segment, too, "
    "perhaps a short one.")
FIRST_SEGMENT_ONLY = (
    "the first segment only",
    "It is the largest segment that decides, not the first one.")
LAST_SEGMENT_ONLY = (
    "the last segment only",
    "It is the largest segment that decides, not the last one.")
BYTES_FOR_ACTIVATIONS_ONLY = (
    "bytes for the activations only",
    "Parameters are numbers, too, and take as many bytes each as activations do.")

# --- Training ------------------------------------------------------------------------------------------------------

FILTERS_LAST = (
    "filters along the last axis of the output",
    "The output is (N, K, H, W): the filters' axis comes second, not last.")
ONLY_OUTPUT = (
    "only the output returned",
    "Two values are asked for: the output, and what the way back will need.")
