from hypothesis import given
from hypothesis import strategies as st

from hazwatch.restore import apart, together


@given(st.binary(), st.binary())
def test_engine_and_intake_share_a_body_and_come_apart_again(engine, intake):
    assert apart(together(engine, intake)) == (engine, intake)


def test_a_body_of_an_earlier_release_is_all_engine():
    assert apart(b"PK\x03\x04 an npz") == (b"PK\x03\x04 an npz", None)
