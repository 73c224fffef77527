"""What kernels run on: compiling, threads and vectors. Who wants to see how a layer is computed begins in `kernels/`.

- `compiling.py`: `jit`, which every kernel is decorated with: compiled at the first call, kept on disk.
- `threads.py`: `share` cuts the work of a kernel among threads; `memory` and `fresh` give it room to work in.
- `helpers.py`: one thread that waits for such work, wide awake for a while.
- `tiles.py`: the product of two small matrices in vector registers, the innermost loop of every fast convolution.
- `vectors.py`: copies, transposes and formulas on whole vectors, for the layouts around that product.
- `gates.py`: ReLU in place, in whole vectors.

The last three are written in LLVM's language, which Numba compiles to. Nothing in here knows of pictures or layers.
"""
