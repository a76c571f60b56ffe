"""A pseudo-random order of `0 … size - 1`, none of it stored."""

import hashlib

__all__ = ["KeyedPermutation"]

_ROUNDS = 8


class KeyedPermutation:
    """A permutation of `range(size)` that is computed number by number.

    A balanced Feistel network over the next even number of bits, with keyed BLAKE2b as the round
    function; a result that is too large is encrypted again until it is not ("cycle walking"), at
    most four times on average. The same on every machine.

    Args:
        size: how many numbers there are, at least 1; may be far beyond 64 bits.
        seed: chooses the permutation, a non-negative integer.

    Example:
        >>> order = KeyedPermutation(10, seed=0)
        >>> sorted(order(i) for i in range(10)) == list(range(10))
        True

    References:
        Black & Rogaway (2002), "Ciphers with Arbitrary Finite Domains", section 3 (cycle walking)
        and the generalised Feistel construction of section 4, here with equal halves.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()

    def __call__(self, index: int) -> int:
        """Return the number at position `index`, `0 <= index < size`."""
        number = self._encrypt(index)
        while number >= self._size:
            number = self._encrypt(number)
        return number

    def _encrypt(self, number: int) -> int:
        left, right = number >> self._half, number & self._mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ self._mix(turn, right)
        return left << self._half | right

    def _mix(self, turn: int, half: int) -> int:
        width = (self._half + 7) // 8
        text = turn.to_bytes(1, "big") + half.to_bytes(width, "big")
        digest = b""
        while len(digest) < width:  # a space may be larger than one digest
            block = len(digest).to_bytes(4, "big") + text
            digest += hashlib.blake2b(block, key=self._key, digest_size=64).digest()
        return int.from_bytes(digest[:width], "big") & self._mask
