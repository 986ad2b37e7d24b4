"""The market network: corrects a log-HAR path, and puts out the distribution of returns and of log variance."""

from recurra.models.market.network import MarketNetwork, MarketOutput, MarketShape, PathTensors, zero_state

__all__ = ["MarketNetwork", "MarketOutput", "MarketShape", "PathTensors", "zero_state"]
