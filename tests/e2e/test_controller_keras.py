"""The controller's recurrent step and its gradient, against Keras."""

import numpy as np
import pytest

from hypernets.domain.searchers.policy.lstm import LstmPolicy

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.keras
SIZES, N_UNITS = [3, 2, 4], 6
SEQUENCE = [(0, 2), (2, 1), (1, 0), (2, 3)]


def test_the_controller_is_keras_s_lstm_and_so_is_its_gradient():
    policy = LstmPolicy(SIZES, N_UNITS, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for parameter in policy.parameters.values():
        parameter += rng.normal(0.0, 0.5, parameter.shape)
    weights = {
        name: tf.Variable(value, dtype="float64") for name, value in policy.parameters.items()
    }
    cell = keras.layers.LSTMCell(N_UNITS, dtype="float64")
    cell.build((1, N_UNITS))
    starts = [0, 3, 5, 9]
    with tf.GradientTape() as tape:
        state = [tf.zeros((1, N_UNITS), "float64"), tf.zeros((1, N_UNITS), "float64")]
        put_in, total, expected = starts[-1], 0.0, []
        for rank, token in SEQUENCE:
            x = weights["embedding"][put_in][None]
            z = x @ weights["kernel"] + state[0] @ weights["recurrent"] + weights["bias"]
            i, f, g, o = tf.split(z, 4, axis=1)
            memory = tf.sigmoid(f) * state[1] + tf.sigmoid(i) * tf.tanh(g)
            before, state = state, [tf.sigmoid(o) * tf.tanh(memory), memory]
            for variable, value in zip(
                cell.trainable_weights,
                (weights["kernel"], weights["recurrent"], weights["bias"]),
                strict=True,
            ):
                variable.assign(value)
            by_keras = cell(x, before)[0]
            assert np.allclose(by_keras, state[0], atol=1e-12)  # the step is that of Keras's cell
            place = slice(starts[rank], starts[rank + 1])
            logits = state[0] @ weights["output"][:, place] + weights["output_bias"][place]
            p = tf.nn.softmax(logits)[0]
            expected.append(p.numpy())
            total += tf.math.log(p[token])
            put_in = starts[rank] + token
    by_keras = tape.gradient(total, weights)
    state, by_logits = policy.begin(), []
    for token, p_keras in zip(SEQUENCE, expected, strict=True):
        p, state = policy.probabilities(state, token[0])
        state = policy.say(state, token)
        assert np.allclose(p, p_keras, atol=1e-12)
        by_logits.append(np.eye(len(p))[token[1]] - p)
    for name, gradient in policy.gradients(SEQUENCE, by_logits).items():
        found = by_keras[name]
        assert np.allclose(gradient, tf.convert_to_tensor(found), atol=1e-10), name
