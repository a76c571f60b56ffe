"""Durable homes for the history of a search. Importing one loads no framework."""

from hypernets.adapters.store.folder_catalogue import FolderCatalogue
from hypernets.adapters.store.hdf5 import Hdf5Store

__all__ = ["FolderCatalogue", "Hdf5Store"]
