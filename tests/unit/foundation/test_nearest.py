from foundation.nearest import hint, nearest


def test_the_nearest_word_is_proposed_whatever_its_case():
    assert nearest("Evnet_ID", ["event_id", "ts"]) == "event_id"
    assert hint("folow", ["start", "follow"]) == "did you mean 'follow'?"


def test_without_a_near_word_all_are_listed_and_a_long_list_is_cut():
    assert hint("zzz", ["b", "a"]) == "known are: a, b."
    assert hint("zzz", [f"word{number:02}" for number in range(25)]).endswith("word19 and 5 more.")
