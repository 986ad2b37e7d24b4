"""A model as files: a folder that is written whole or not at all, and verified to the last byte before it is read.

    model/
      config.json         what the model is: plain JSON, numbers finite; never the name of a Python object
      model.safetensors   its tensors
      README.md           its card: task, data and its licence, scores, command
      manifest.json       schema version, SHA-256 and size of each file above, and the model hash over them

Nothing here is pickle, so reading a model folder from a stranger runs none of the stranger's code.
"""

from recurra.checkpoints._manifest import SCHEMA_VERSION
from recurra.checkpoints.loading import Checkpoint, load_checkpoint
from recurra.checkpoints.saving import check_output_folder, save_checkpoint

__all__ = ["SCHEMA_VERSION", "Checkpoint", "check_output_folder", "load_checkpoint", "save_checkpoint"]
