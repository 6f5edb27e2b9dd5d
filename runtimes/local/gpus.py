"""The GPUs of this machine, as CUDA numbers them."""

from __future__ import annotations

import os
import re

DEVICE = re.compile(r"nvidia\d+")
VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpus() -> tuple[str, ...]:
    """Those that we may use: what the environment shows of them, else all."""
    shown = os.environ.get(VISIBLE)
    if shown is not None:
        return tuple(one.strip() for one in shown.split(",") if one.strip() not in ("", "-1"))
    count = sum(1 for name in os.listdir("/dev") if DEVICE.fullmatch(name)) if os.path.isdir("/dev") else 0  # noqa: PTH112, PTH208 on the no-change path
    return tuple(str(number) for number in range(count))
