"""Trials in processes of their own."""

from hypernets.adapters.process.artifact import ArtifactFile
from hypernets.adapters.process.executor import ProcessExecutor

__all__ = ["ArtifactFile", "ProcessExecutor"]
