"""The one warning of TensorFlow that every search would print is kept quiet, and no other."""

import logging

from hypernets.adapters.keras.retracing import retracing_expected


def test_the_warning_about_retracing_is_quiet_meanwhile_and_only_that_one(caplog):
    logger = logging.getLogger("tensorflow")
    warning = "%s out of the last %s calls to %s triggered tf.function retracing. ..."
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        with retracing_expected():
            logger.warning(warning, 5, 5, "train_function")
            logger.warning("another matter")
        logger.warning(warning, 6, 6, "train_function")
    assert [record.getMessage()[:16] for record in caplog.records] == [
        "another matter",
        "6 out of the las",
    ]
