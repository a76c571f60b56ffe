"""A history in HDF5 files that survive a kill or a power cut at any instant.

store      what a search uses: `Hdf5Store`
writer     appending, and beginning a new segment when one is full
reader     what is stored, checked: used by writers, readers, verification and repair
repair     verifying, repairing and compacting
layout     the files of a folder
header     what a segment says about itself, under a checksum
image      the bytes of an empty segment
row        the fixed columns of one trial, under a checksum
disk       the few system calls that write
"""

from hypernets.adapters.store.hdf5.repair import repair, verify
from hypernets.adapters.store.hdf5.store import Hdf5Store
from hypernets.adapters.store.report import StoreReport

__all__ = ["Hdf5Store", "StoreReport", "repair", "verify"]
