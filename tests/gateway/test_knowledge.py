"""The law behind right and wrong: reproducible, and in the ranges that make a benchmark worth running."""

import statistics

import pytest

from routemark.gateway.answers import say
from routemark.gateway.catalogue import BY_ID, CATALOGUE, FAMILIES
from routemark.gateway.knowledge import Knowledge, Known, chance_right, difficulty_of, is_right
from routemark.records import Question

RANGES = {"easy": (0.85, 0.95), "hard": (0.45, 0.70), "opt": (0.25, 0.60)}


def known(label, index, family):
    question = Question(id=f"{label}-{family}-{index}", difficulty=label, question="?", reference=1)
    return Known(question=question, spec=None, family=family, difficulty=difficulty_of(question), others=())


def pool(label, size=60):
    families = ("math", "reasoning") if label == "opt" else FAMILIES
    return [known(label, index, family) for family in families for index in range(size)]


@pytest.mark.parametrize("label", RANGES)
def test_accuracy_of_the_pool_suits_the_label_and_cheap_is_worse_than_dear(label):
    accuracy = {
        model.id: statistics.mean(is_right(model, item, seed=3, repeat=0) for item in pool(label))
        for model in CATALOGUE
    }
    low, high = RANGES[label]
    assert low <= statistics.mean(accuracy.values()) <= high
    assert accuracy["sim/colossus"] - accuracy["sim/pebble-nano"] >= 0.20


def test_draws_follow_the_logistic_law():
    model, item = BY_ID["sim/quill"], known("hard", 0, "math")
    share = statistics.mean(is_right(model, item, seed, repeat) for seed in range(50) for repeat in range(80))
    assert share == pytest.approx(chance_right(model, item), abs=0.03)


def test_ability_equal_to_difficulty_is_an_even_chance():
    item = Known(
        question=Question(id="x", difficulty="hard", question="?"),
        spec=None,
        family="math",
        difficulty=BY_ID["sim/quill"].ability["math"],
        others=(),
    )
    assert chance_right(BY_ID["sim/quill"], item) == 0.5


def test_prices_span_three_orders_of_magnitude_over_at_least_14_models():
    prices = [model.prompt_pico for model in CATALOGUE]
    assert len(CATALOGUE) >= 14
    assert max(prices) / min(prices) >= 1000
    assert all(model.id.startswith("sim/") and 2 <= len(model.endpoints) <= 3 for model in CATALOGUE)


def test_an_answer_depends_on_seed_model_question_and_repeat_alone():
    questions = [Question(id=str(i), difficulty="hard", question=f"Q{i}", reference=i + 5) for i in range(30)]
    forwards, backwards = Knowledge(questions), Knowledge(questions[::-1])
    for question in questions:
        messages = [{"role": "user", "content": question.question}]
        told = [say(BY_ID["sim/quill"], each.find(messages), 1, 7, 0) for each in (forwards, backwards)]
        assert told[0].text == told[1].text


def test_repeats_and_seeds_differ_somewhere():
    item = Knowledge([Question(id="q", difficulty="hard", question="Q", reference=5)]).find(
        [{"role": "user", "content": "Q"}]
    )
    assert len({say(BY_ID["sim/quill"], item, 1, 0, repeat).text for repeat in range(20)}) > 1
    assert len({say(BY_ID["sim/quill"], item, 1, seed, 0).text for seed in range(20)}) > 1


def test_a_question_is_found_whatever_system_prompt_stands_before_it():
    knowledge = Knowledge([Question(id="q", difficulty="easy", question="Q", reference=5)])
    user = {"role": "user", "content": [{"type": "text", "text": "Q"}]}
    assert knowledge.find([{"role": "system", "content": "Be brief."}, user]).question.id == "q"
    assert knowledge.find([{"role": "user", "content": "Q?"}]) is None


def test_conversations_that_end_alike_are_told_apart():
    def question(name, first):
        messages = [{"role": "user", "content": first}, {"role": "user", "content": "And then?"}]
        return Question(id=name, difficulty="easy", question="And then?", messages=messages, reference=1)

    knowledge = Knowledge([question("a", "One."), question("b", "Two.")])
    for name, first in (("a", "One."), ("b", "Two.")):
        assert knowledge.find(question(name, first).messages).question.id == name
