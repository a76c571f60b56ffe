import gzip

import numpy as np
import pytest

from hypernets.adapters.dataset import DatasetError, load_images, loading

pytestmark = pytest.mark.keras


@pytest.fixture(autouse=True)
def empty_system(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "SYSTEM_FOLDER", tmp_path / "nothing")


def test_mnist_comes_from_keras(monkeypatch):
    from keras import datasets

    x = np.zeros((40, 28, 28), dtype=np.uint8)
    y = np.arange(40, dtype=np.uint8) % 10
    monkeypatch.setattr(datasets.mnist, "load_data", lambda: ((x, y), (x[:10], y[:10])))
    data = load_images("mnist")
    assert (data.image_shape, data.class_count, len(data.y_test)) == ((28, 28, 1), 10, 10)


def test_a_download_that_fails_is_explained(monkeypatch):
    from keras import datasets

    def load_data():
        raise Exception("URL fetch failure: no network\nmore")

    monkeypatch.setattr(datasets.fashion_mnist, "load_data", load_data)
    with pytest.raises(DatasetError, match=r"\(2\) keras.datasets could not load it: URL fetch"):
        load_images("fashion-mnist")


def test_a_damaged_package_of_the_system_is_not_the_end(tmp_path, monkeypatch):
    from keras import datasets

    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"nothing"))
    monkeypatch.setattr(loading, "SYSTEM_FOLDER", tmp_path)
    x, y = np.zeros((40, 28, 28), dtype=np.uint8), np.arange(40) % 10
    monkeypatch.setattr(datasets.fashion_mnist, "load_data", lambda: ((x, y), (x[:10], y[:10])))
    assert load_images("fashion-mnist").class_count == 10
