import numpy as np
import pytest

from hypernets.adapters.dataset.error import DatasetError
from hypernets.adapters.dataset.image_data import RawImages, prepare
from hypernets.adapters.dataset.split import stratified_split


def raw(n_per_class=20, n_classes=5, **facts):
    y = np.repeat(np.arange(n_classes), n_per_class)
    x = np.arange(y.size * 12, dtype=np.float64).reshape(y.size, 4, 3) % 256
    return RawImages(**{"name": "made up", "x": x, "y": y, **facts})


def test_every_class_has_its_share_of_both_parts():
    labels = np.repeat([0, 1, 2], [40, 20, 8])
    first, second = stratified_split(labels, 0.25, seed=3)
    assert np.bincount(labels[second]).tolist() == [10, 5, 2]
    assert sorted([*first, *second]) == list(range(68))


def test_a_rare_class_is_in_both_parts():
    labels = np.array([0] * 50 + [1, 1])
    first, second = stratified_split(labels, 0.1, seed=0)
    assert np.bincount(labels[first]).tolist() == [45, 1]
    assert np.bincount(labels[second]).tolist() == [5, 1]


def test_the_same_seed_splits_alike_and_another_one_does_not():
    labels = np.repeat([0, 1], 50)
    same = [stratified_split(labels, 0.2, seed=1)[1].tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert set(stratified_split(labels, 0.2, seed=2)[1].tolist()) != set(same[0])


def test_a_class_of_one_example_cannot_be_split():
    with pytest.raises(DatasetError, match=r"two examples or more.*received 1 of class 7"):
        stratified_split(np.array([0, 0, 7]), 0.5, seed=0)


def test_nothing_cannot_be_split():
    with pytest.raises(DatasetError, match="received none"):
        stratified_split(np.array([], dtype=np.int64), 0.5, seed=0)


def test_images_are_scaled_given_a_channel_axis_and_split_three_ways():
    data = prepare(raw(), seed=0)
    parts = [data.x_train, data.x_validation, data.x_test]
    assert [part.shape for part in parts] == [(65, 4, 3, 1), (15, 4, 3, 1), (20, 4, 3, 1)]
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert max(part.max() for part in parts) == 1.0
    assert min(part.min() for part in parts) == 0.0
    assert np.bincount(data.y_test).tolist() == [4] * 5
    assert data.y_train.dtype == np.int64
    assert (data.image_shape, data.class_count) == ((4, 3, 1), 5)
    assert data.describe() == (
        "made up: images of 4x3x1 in 5 classes; 65 to fit, 15 to select by, 20 to test with"
    )


def test_no_image_is_in_two_parts_and_each_keeps_its_label():
    y = np.repeat(np.arange(5), 20)
    x = (np.arange(100) / 100.0).reshape(100, 1, 1) * np.ones((1, 2, 2))
    data = prepare(RawImages("made up", x, y), seed=4)
    images = np.concatenate([data.x_train, data.x_validation, data.x_test])[:, 0, 0, 0]
    labels = np.concatenate([data.y_train, data.y_validation, data.y_test])
    numbers = np.rint(images * 100).astype(int)
    assert sorted(numbers) == list(range(100))
    assert (labels == numbers // 20).all()


def test_a_test_set_of_the_source_stays_the_test_set():
    given = raw()
    data = prepare(raw(x_test=given.x[:7], y_test=given.y[:7]), seed=0)
    assert np.allclose(data.x_test[..., 0] * 255, given.x[:7])
    assert (len(data.x_train), len(data.x_validation)) == (80, 20)


def test_pixels_of_bytes_are_scaled_by_255_however_dark_they_are():
    data = prepare(raw(x=np.ones((100, 2, 2, 3), dtype=np.uint8)), seed=0)
    assert data.x_train.max() == np.float32(1 / 255)
    assert data.image_shape == (2, 2, 3)


def test_labels_in_a_column_are_flattened():
    assert prepare(raw(y=np.repeat(np.arange(5), 20)[:, np.newaxis]), seed=0).y_train.ndim == 1


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"x": np.zeros((100, 4))}, r"images must be numbers of the shape.*received.*\(100, 4\)"),
        ({"x": np.full((100, 2, 2), "a")}, r"images must be numbers.*received <U1"),
        ({"x": np.zeros((0, 2, 2))}, r"received float64 of the shape \(0, 2, 2\)"),
        ({"x": np.full((100, 2, 2), -1.0)}, r"pixels must lie in 0 to 1.*received -1.0"),
        ({"x": np.full((100, 2, 2), np.nan)}, r"pixels must lie in 0 to 1.*received nan"),
        ({"x": np.full((100, 2, 2), 70_000)}, r"pixels must lie.*received 70000"),
        ({"y": np.zeros((100, 5), dtype=int)}, r"one integer an image.*received int64.*\(100, 5\)"),
        ({"y": np.zeros(100)}, r"one integer an image; received float64"),
        ({"y": np.full(100, -1)}, r"labels must be >= 0; received -1"),
        ({"y": np.zeros(99, dtype=int)}, r"received 100 images and 99 labels"),
        (
            {"x_test": np.zeros((2, 5, 5)), "y_test": np.zeros(2, dtype=int)},
            r"one shape; received \(4, 3, 1\) to train with and \(5, 5, 1\)",
        ),
    ],
)
def test_what_is_no_set_of_labelled_images_is_refused(facts, message):
    with pytest.raises(DatasetError, match=message):
        prepare(raw(**facts), seed=0)
