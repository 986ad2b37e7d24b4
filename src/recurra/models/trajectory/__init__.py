"""The trajectory network: a recurrent encoder of motion, a recurrent decoder of paths, and their distribution."""

from recurra.models.trajectory.network import TrajectoryNetwork, TrajectoryShape
from recurra.models.trajectory.outputs import (
    PathOutput,
    distance_loss,
    joint_log_likelihood,
    log_densities,
    read_output,
    step_log_likelihood,
)

__all__ = [
    "PathOutput",
    "TrajectoryNetwork",
    "TrajectoryShape",
    "distance_loss",
    "joint_log_likelihood",
    "log_densities",
    "read_output",
    "step_log_likelihood",
]
