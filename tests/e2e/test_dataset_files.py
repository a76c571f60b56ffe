import gzip
import pickle
import struct
import sys

import numpy as np
import pytest

from hypernets.adapters.dataset import DatasetError, load_images, loading
from hypernets.adapters.dataset.idx import IDX_PARTS, read_idx

IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    kind = f"{array.dtype.kind}{array.dtype.itemsize}"
    header = bytes([0, 0, IDX_CODES[kind], array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (50, 6, 6), dtype=np.uint8),
        np.repeat(np.arange(5, dtype=np.uint8), 10),
        rng.integers(0, 256, (10, 6, 6), dtype=np.uint8),
        np.arange(10, dtype=np.uint8) % 5,
    ]


@pytest.fixture
def idx_folder(tmp_path, arrays):
    for part, array in zip(IDX_PARTS, arrays, strict=True):
        (tmp_path / f"{part}.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return tmp_path


@pytest.mark.parametrize("dtype", IDX_CODES)
def test_an_idx_file_of_any_type_is_read_as_it_was_written(tmp_path, dtype):
    array = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    (tmp_path / "file").write_bytes(idx_bytes(array))
    read = read_idx(tmp_path / "file")
    assert read.dtype.kind == array.dtype.kind
    assert np.array_equal(read, array)


def test_a_folder_of_compressed_idx_files_is_a_data_set(idx_folder, arrays):
    data = load_images(idx_folder)
    assert np.array_equal(np.rint(data.x_test[..., 0] * 255), arrays[2])
    assert data.y_test.tolist() == arrays[3].tolist()
    assert (len(data.x_train), len(data.x_validation)) == (40, 10)


def test_a_folder_of_plain_idx_files_with_a_dot_in_their_names_is_one_too(tmp_path, arrays):
    for part, array in zip(IDX_PARTS, arrays, strict=True):
        (tmp_path / part.replace("-idx", ".idx")).write_bytes(idx_bytes(array))
    assert load_images(str(tmp_path)).class_count == 5


def test_a_folder_that_lacks_a_file_is_refused_by_name(idx_folder):
    (idx_folder / f"{IDX_PARTS[3]}.gz").unlink()
    with pytest.raises(DatasetError, match=r"there is no t10k-labels-idx1-ubyte; give another"):
        load_images(idx_folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"P5 6 6", r"must begin with 0, 0 and a known type; received '50 35 20 36'"),
        (b"", "must begin with 0, 0"),
        (b"\0\0\x08\x03\0\0", "16 bytes; received 6"),
        (idx_bytes(np.zeros((2, 3), dtype=np.uint8))[:-1], "18 bytes; received 17"),
        (b"\x1f\x8b broken", "must be readable"),
        (gzip.compress(b"\0" * 100, mtime=0)[:-9], "must be readable"),
    ],
)
def test_a_damaged_idx_file_is_refused_with_its_path(tmp_path, content, message):
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_an_npz_file_is_a_data_set(tmp_path, arrays):
    x, y, x_test, y_test = arrays
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    data = load_images(path)
    assert data.name == "mine"
    assert np.array_equal(np.rint(data.x_test[..., 0] * 255), x_test)


def test_an_npz_file_without_a_test_set_is_split_three_ways(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=arrays[0] / 255.0, y_train=arrays[1])
    data = load_images(path)
    assert [len(data.y_train), len(data.y_validation), len(data.y_test)] == [30, 10, 10]


def test_an_npz_file_that_lacks_an_array_is_refused_by_name(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=arrays[0], labels=arrays[1], x_test=arrays[2])
    with pytest.raises(DatasetError, match=r"received x_train, labels.*add y_train, y_test"):
        load_images(path)


class Explosive:
    def __reduce__(self):
        return (sys.exit, ("a file was executed",))


def test_an_npz_file_of_objects_is_refused_unexecuted(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=np.array([Explosive()], dtype=object), y_train=np.zeros(1, dtype=int))
    with pytest.raises(DatasetError, match="plain arrays"):
        load_images(path)


@pytest.mark.parametrize("content", [b"not an archive", pickle.dumps({"x_train": 1}), b""])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"whole archive of plain arrays"):
        load_images(path)


def test_a_single_npy_array_is_refused(tmp_path):
    path = tmp_path / "mine.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(DatasetError, match=r"whole archive of plain arrays"):
        load_images(path)


def test_a_name_that_is_nothing_is_refused_with_the_names_known():
    with pytest.raises(DatasetError, match=r"one of digits, mnist, fashion-.*received 'digit'"):
        load_images("digit")


def test_a_data_set_that_the_system_holds_is_found_without_keras(idx_folder, monkeypatch):
    idx_folder.rename(idx_folder.parent / "fashion-mnist")
    monkeypatch.setattr(loading, "SYSTEM_FOLDER", idx_folder.parent)
    monkeypatch.setitem(sys.modules, "keras", None)
    data = load_images("fashion-mnist")
    assert (data.name, len(data.y_test)) == ("fashion-mnist", 10)


def test_a_data_set_that_cannot_be_had_says_what_was_tried_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "SYSTEM_FOLDER", tmp_path)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(DatasetError) as caught:
        load_images("fashion-mnist")
    message = str(caught.value)
    assert f"(1) {tmp_path / 'fashion-mnist'} is not there" in message
    assert "(2) Keras is not installed (hypernets[keras] brings it)" in message
    assert "install the package dataset-fashion-mnist (Debian)" in message
    assert "x_train, y_train, x_test, y_test" in message


def test_digits_are_the_images_of_scikit_learn():
    data = load_images("digits", seed=1)
    assert data.image_shape == (8, 8, 1)
    assert data.class_count == 10
    assert len(data.y_train) + len(data.y_validation) + len(data.y_test) == 1797
    assert data.x_train.max() == 1.0


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DatasetError, match=r"scikit-learn.*install hypernets\[demo\]"):
        load_images("digits")
