import sys

import pytest

from hypernets.adapters.demo import __main__ as command


def test_a_missing_tensorflow_is_explained(monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "TensorFlow, which is not installed; install hypernets[demo]" in captured.err


def test_a_missing_scikit_learn_is_explained(monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert command.main(["--data", "digits"]) == 2
    assert "needs scikit-learn, which is not installed" in capsys.readouterr().err


def test_data_that_are_not_there_are_explained(monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: object())
    assert command.main(["--data", "no such data"]) == 2
    assert "received 'no such data'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", "0"], "argument --trials: must be an integer >= 1; received '0'"),
        (["--epochs", "many"], "argument --epochs: must be an integer >= 1; received 'many'"),
        (["--seed", "-1"], "argument --seed: "),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
