"""Addresses of services: what is ours in them, and what nobody may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels import known_channels
from alerts.channels.apprise_address import Address, parse, scrubbed
from alerts.drill import cap_status, marked
from domain.addresses import presentable


def test_language_and_form_are_ours_and_taken_out():
    assert parse("wecombot://KEY?hw_language=en&hw_form=short") == Address(
        "wecombot://KEY", "en", "short"
    )
    assert parse("dingtalk://T?format=text&hw_form=long") == Address(
        "dingtalk://T?format=text", None, "long"
    )
    assert parse("mailto://h?hw_language=zh-CN&to=a@b.cn").url == "mailto://h?to=a@b.cn"
    assert parse("feishu://TOKEN") == Address("feishu://TOKEN")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("wecombot://K?hw_language=fr", "hw_language is 'fr', expected zh-CN or en"),
        ("wecombot://K?hw_form=tiny", "hw_form is 'tiny', expected short or long"),
        ("KEY", "expected SERVICE://"),
        ("wecombot://K\n", "expected SERVICE://"),
    ],
)
def test_what_is_no_address_is_refused(address: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        parse(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("wecombot://693a91f6-7xxx", "wecombot://…"),
        ("dingtalk://SEC123@token", "dingtalk://…"),
        ("mailtos://li:p/w@mail.example.org?to=a@b.cn", "mailtos://…"),
        ("https://li:s3cret/x@desk", "https://…"),
        ("https://desk.example.org:8443/a", "https://desk.example.org:8443/…"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_of_an_address_that_is_all_key_only_the_service_is_shown(address: str, shown: str):
    assert presentable(address) == shown


secret = st.text("abcdefgh0123456789", min_size=6, max_size=20)


@given(secret, secret)
def test_no_part_of_a_key_is_left_in_a_sentence(one: str, other: str):
    url = f"dingtalk://{one}@{other}/?x={one}"
    text = scrubbed(f"no route to https://oapi/robot?access_token={other}&sign={one}", url)
    assert one not in text
    assert other not in text
    assert one not in presentable(url)


def test_of_mail_only_the_password_is_hidden():
    url = "mailto://li:s3cret@mail.example.org?to=zhang@example.org"
    assert (
        scrubbed("mail.example.org refused s3cret of li", url)
        == "mail.example.org refused *** of li"
    )


def test_drills_are_marked_once_and_are_exercises():
    assert marked({"drill": True, "text": "高报"})["text"] == "【演练 DRILL】高报"
    assert marked(marked({"drill": True, "text": "高报"}))["text"] == "【演练 DRILL】高报"
    assert marked({"text": "高报"}) == {"text": "高报"}
    assert (cap_status({"drill": True}), cap_status({})) == ("Exercise", "Actual")


def test_the_channels_that_a_contact_may_have():
    assert known_channels() == ("webhook", "mqtt", "log", "apprise")
