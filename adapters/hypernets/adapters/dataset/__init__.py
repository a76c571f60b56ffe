"""Images to try a search on: bundled, known by name, or from local files."""

from hypernets.adapters.dataset.error import DatasetError
from hypernets.adapters.dataset.image_data import ImageData
from hypernets.adapters.dataset.loading import NAMES, load_images

__all__ = ["NAMES", "DatasetError", "ImageData", "load_images"]
