"""A call that does not fit is answered with one sentence."""

import pytest

from neurosim.base.calls import public
from neurosim.base.errors import NeurosimError


@public
def sample(first, second=2, *more_names, kind="a", size=1):
    return first, second, kind, size


@public
def plain(first, second=2, *, kind="a"):
    return first, second, kind


def test_a_call_that_fits_goes_through():
    assert plain(1, kind="b") == (1, 2, "b") and plain(second=3, first=1) == (1, 3, "a")
    assert sample(1, 2, 3, size=4) == (1, 2, "a", 4)
    assert plain.__name__ == "plain"


@pytest.mark.parametrize(
    ("args", "kwargs", "sentence"),
    [
        ((1,), {"knd": "b"}, "Unknown argument of plain 'knd': did you mean 'kind'?"),
        ((), {}, "plain needs first."),
        (
            (1, 2, 3),
            {},
            "plain takes at most 2 without a name, not 3; by name it takes first, second, kind.",
        ),
        ((1,), {"first": 2}, "plain got 'first' twice."),
    ],
)
def test_a_call_that_does_not_fit_is_one_sentence(args, kwargs, sentence):
    with pytest.raises(NeurosimError) as caught:
        plain(*args, **kwargs)
    assert str(caught.value) == sentence


def test_an_error_inside_is_left_as_it_is():
    @public
    def broken(value):
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        broken(1)
