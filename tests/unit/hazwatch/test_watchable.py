"""What a start does with a registry that holds a tag which the rules can't watch."""

from domain.alarms import Kind
from hazwatch.restore import watchable
from rules.compiling import compile_plan
from tests.support.builders import registry, tag


def test_one_tag_that_cannot_be_watched_does_not_blind_the_others():
    good = tag(1, limits={Kind.H: 8.0})
    bad = tag(2, limits={Kind.H: 8.0}, delay_on_s=1e11)
    left = watchable(registry(good, bad))
    assert set(left.tags) == {1}
    assert len(compile_plan(left)) == 1
