"""What unfinished trials leave in a folder."""

from hypernets.adapters.checkpoint.checkpoint_file import CheckpointFile
from hypernets.adapters.checkpoint.checkpoint_folder import CheckpointFolder

__all__ = ["CheckpointFile", "CheckpointFolder"]
