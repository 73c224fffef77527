"""Pictures for pages: an array as a PNG file in a data address."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def data_address(picture: np.ndarray) -> str:
    """A picture as an address that holds it.

    Parameters
    ----------
    picture : array of shape (C, H, W)
        One channel or three, from 0 (dark) to 1 (bright).

    Returns
    -------
    str
    """
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
