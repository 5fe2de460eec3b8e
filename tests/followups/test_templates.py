"""The words of messages: what can be filled in, what advertising may not say."""

import pytest

from followups import ad_words, message_sets
from followups.errors import Refused
from followups.models import MessagingSettings
from followups.models.messages import MessagePurpose
from followups.services import templates
from tests.factories import ClinicFactory, UserFactory


def save(clinic, body, *, purpose="care", **more):
    key = {"purpose": purpose, "language": "zh-hans", "channel": "sms"}
    return templates.save_template(clinic=clinic, by=UserFactory(), body=body, **key, **more)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("purpose", MessagePurpose.values)
def test_built_in_words_ask_for_what_there_is_and_break_no_rule(purpose, language):
    body = message_sets.built_in(purpose, language)
    assert not message_sets.unknown_in(body, purpose)
    assert ad_words.check(body, marketing=True) == ad_words.Finding()
    assert "{" not in message_sets.fill(body, message_sets.SAMPLES)


def test_what_is_not_known_stays_empty():
    assert (
        message_sets.fill("{name}您好，{day}，{doctor}医生等您。", {"name": "沈雨薇", "day": "今天"})
        == "沈雨薇您好，今天。"
    )


@pytest.mark.parametrize(
    ("text", "marketing", "refused", "flagged"),
    [
        ("我们的种植技术最 先进", True, ("最先进",), ()),
        ("我们的种植技术最先进", False, (), ("最先进",)),
        ("成功率100%", True, ("成功率", "100%"), ()),
        ("免费洗牙", True, (), ("免费",)),
        ("最近有空吗", True, (), ()),
    ],
)
def test_words_of_medical_advertising(text, marketing, refused, flagged):
    found = ad_words.check(text, marketing=marketing)
    assert set(found.refused) == set(refused)
    assert set(found.flagged) == set(flagged)


@pytest.mark.django_db
class TestSaving:
    def test_a_place_that_cannot_be_filled_is_refused_by_name(self):
        with pytest.raises(Refused, match=r"\{price\}") as caught:
            save(ClinicFactory(), "您好{name}，{price}元")
        assert caught.value.field == "body"

    def test_guarantees_are_refused_in_advertising_even_when_confirmed(self):
        with pytest.raises(Refused):
            save(ClinicFactory(), "保证治愈", purpose="campaign", confirmed=True)

    def test_flagged_words_are_saved_when_confirmed(self):
        clinic = ClinicFactory()
        with pytest.raises(Refused):
            save(clinic, "免费检查{text}")
        assert save(clinic, "免费检查{text}", confirmed=True).version == 1
        assert save(clinic, "检查{text}").version == 2

    def test_the_clinics_own_list_counts(self):
        clinic = ClinicFactory()
        MessagingSettings.objects.create(clinic=clinic, ad_words={"refused": ["特价"], "flagged": []})
        with pytest.raises(Refused):
            save(clinic, "特价{text}", purpose="campaign")
        assert save(clinic, "最好{text}", purpose="campaign")

    def test_own_words_are_used_only_while_active_and_by_their_clinic(self):
        clinic, other = ClinicFactory(), ClinicFactory()
        row = save(clinic, "自己的{text}", provider_code="SMS_7")
        key = ("care", "zh-hans", "sms")
        assert templates.Book([clinic.pk, other.pk]).words(clinic.pk, *key).provider_code == "SMS_7"
        assert templates.Book([clinic.pk, other.pk]).words(other.pk, *key).body == message_sets.ZH["care"]
        row.is_active = False
        row.save()
        assert templates.Book([clinic.pk]).words(clinic.pk, *key).body == message_sets.ZH["care"]
