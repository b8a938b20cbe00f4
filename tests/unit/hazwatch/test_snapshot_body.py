from hypothesis import given
from hypothesis import strategies as st

from hazwatch.restore import MAGIC, apart, together


@given(st.tuples(st.binary(), st.binary(), st.binary()))
def test_engine_intake_and_colours_share_a_body_and_come_apart_again(parts):
    assert apart(together(parts)) == parts


def test_a_body_of_another_release_is_not_taken_for_one():
    assert apart(b"PK\x03\x04 an npz") is None
    assert apart(MAGIC + b"\xc1") is None
