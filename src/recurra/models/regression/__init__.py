"""Networks that read a window of fixed length and tell numbers."""

from recurra.models.regression.network import WindowNetwork, WindowShape

__all__ = ["WindowNetwork", "WindowShape"]
