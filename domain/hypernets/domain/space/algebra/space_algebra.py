"""The methods of a space that make smaller ones of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from hypernets.domain.architecture.architecture import Architecture
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["SpaceAlgebra"]


class SpaceAlgebra:
    """What a space can do to become a smaller one.

    Each method returns a new space, frozen and checked, and leaves the old one as it is: the
    authored program is copied, with other hyperparameters in the place of the narrowed ones. So the
    new space does all that any space does, and may be narrowed again. The functions of `Dynamic`
    and `Cascade`, and everything among the arguments that is no part of the language, are the same
    objects in both.

    A decision is called by its name, or by its label in a mapping. One that is left with a single
    value is no decision any more: it has that value.
    """

    def restrict(self, decisions: Mapping[str, Any] | None = None, /, **named: Any) -> "HyperSpace":
        """Return the space in which decisions take only some of their values.

        Args:
            decisions: name or label → what is kept: a list of values, or `(low, high)` for those
                from `low` to `high` (`Int`, `Real`, `Choice` of numbers). For a `MultipleChoice`, a
                list of options keeps the lists made of these, a list of lists only those.
            **named: likewise, by name.

        Raises:
            SpaceError: a name is unknown, a value is none of the decision's, a range is reversed,
                or nothing would be left.

        Example:
            >>> from hypernets.domain.space import Choice, HyperSpace, Identity, Real
            >>> space = HyperSpace()
            >>> with space.as_default():
            ...     first = Identity(units=Choice([16, 32, 64], name="units"))
            ...     _ = Identity(rate=Real(0.0, 0.5, step=0.1, name="rate"))(first)
            >>> space.count(), space.restrict(units=[16, 64], rate=(0.2, 0.4)).count()
            (18, 6)
        """
        from hypernets.domain.space.algebra.restriction import restrict

        return restrict(cast("HyperSpace", self), decisions, named)

    def fix(self, decisions: Mapping[str, Any] | None = None, /, **named: Any) -> "HyperSpace":
        """Return the space in which decisions are made: each has the value given.

        They are no decisions of the new space, but hold in every architecture. (`freeze` is another
        thing: it returns the frozen form of a space, with nothing decided.)

        Args:
            decisions: name or label → value.
            **named: likewise, by name.

        Raises:
            SpaceError: a name is unknown, or a value is none of the decision's.
        """
        from hypernets.domain.space.algebra.restriction import fix

        return fix(cast("HyperSpace", self), decisions, named)

    def exclude(self, decisions: Mapping[str, Any] | None = None, /, **named: Any) -> "HyperSpace":
        """Return the space in which decisions do not take some of their values.

        Args:
            decisions: name or label → what is left out, as `restrict` takes what is kept. Nothing
                can be left out of a continuous range; restrict it.
            **named: likewise, by name.

        Raises:
            SpaceError: a name is unknown, a value is none of the decision's, a range is reversed,
                or nothing would be left.
        """
        from hypernets.domain.space.algebra.restriction import exclude

        return exclude(cast("HyperSpace", self), decisions, named)

    def refine(
        self,
        architectures: Any,
        radius: int = 1,
        *,
        fraction: float = 0.1,
        unordered: Literal["seen", "all"] = "seen",
    ) -> "HyperSpace":
        """Return the neighbourhood of some architectures.

        What each decision keeps depends on its values in the given architectures. A decision that
        none of them makes keeps everything.

        - ordered (`Int`, `Real` with a step, a `Choice` of numbers in the order of size): what is
          at most `radius` places away from a value of theirs. The places of an `Or` or an
          `InputChoice` are numbers without an order.
        - continuous (`Real`): from the least of their values to the largest, and `fraction` of the
          width of the range beyond either; of the logarithm's for a logarithmic one.
        - unordered (any other): the values that they have; the options in use, for a
          `MultipleChoice`.

        Args:
            architectures: an architecture of this space, a trial or a mapping of decisions, or a
                list of these: `history.top(5)`, say.
            radius: places to either side.
            fraction: part of a continuous range to either side, from 0 to 1.
            unordered: `"all"` keeps every value of unordered decisions. With `"seen"`, a space
                that has no others is narrowed to one architecture around one.

        Raises:
            SpaceError: an architecture is of another space or not in this one, or a number makes no
                sense.
        """
        from hypernets.domain.space.algebra.neighbourhood import refine

        space = cast("HyperSpace", self)
        return refine(space, architectures, radius, fraction=fraction, unordered=unordered)

    def adopt(self, given: Any) -> "Architecture | None":
        """Return the architecture of this space that is the given one of a related space.

        Spaces are related that were narrowed from one space, or from that and the same one made
        anew. The architecture returned decides alike, so it builds the same network and has the
        same signature; decisions that are fixed in either space are left out or filled in.

        Args:
            given: an architecture, a trial, or a mapping of decisions. A record of a trial, without
                its architecture, is taken at its decisions; its signature and its training must
                be those of the architecture that they make here.

        Returns:
            The architecture, or `None` if it does not lie in this space.

        Raises:
            SpaceError: it is of a space that is not related, or nothing of the kind.
        """
        from hypernets.domain.space.algebra.adoption import adopt

        return adopt(cast("HyperSpace", self), given)
