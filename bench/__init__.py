"""What the course is measured against: one benchmark a file, each prints its table.

    course bench               list them
    course bench kernels       run one, from anywhere; further options go to it
    python -m bench.kernels    the same from the root of a checkout
"""
