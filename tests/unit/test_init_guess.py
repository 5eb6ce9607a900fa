"""What columns are taken for: each test holds a table that a naive rule would read wrongly."""

import pathlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

import driftline as dl
from driftline._init.facts import look
from driftline._init.guess import Guess, guess
from driftline._init.names import segment_rank, time_rank, words

pl = pytest.importorskip("polars")

NOW_US = 1_800_000_000_000_000  # January 2027
BEGIN = datetime(2026, 3, 1)
ROWS = 1200

Guesser = Callable[..., Guess]


def times(rows: int = ROWS, step: timedelta = timedelta(hours=2)) -> list[datetime]:
    return [BEGIN + i * step for i in range(rows)]


def spread(values: list[Any], rows: int = ROWS) -> list[Any]:
    """The values again and again."""
    return [values[i % len(values)] for i in range(rows)]


def shares(rows: int = ROWS) -> list[float]:
    return [(i * 7919 % 1009) / 1009 for i in range(rows)]


@pytest.fixture
def guessed(tmp_path: pathlib.Path) -> Guesser:
    def of(columns: Mapping[str, list[Any]] | None = None, *, time: str | None = None, **more: list[Any]) -> Guess:
        path = tmp_path / "log.parquet"
        pl.DataFrame({**(columns or {}), **more}).write_parquet(path)
        return guess(look([str(path)], now_us=NOW_US, time=time), now_us=NOW_US, time=time)

    return of


def ignored(made: Guess) -> list[str]:
    return [choice.value for choice in made.ignored]


def roles(made: Guess) -> dict[str, str]:
    return {role: choice.value for role, choice in made.roles.items()}


# Time


def test_the_time_of_a_row_is_none_of_a_person_or_a_contract(guessed: Guesser) -> None:
    born = [datetime(1960, 1, 1) + timedelta(hours=7 * i) for i in range(ROWS)]
    made = guessed(birth_date=born, valid_until=times(), updated_at=times(), scored_at=spread(times(600)))
    assert made.time.value == "scored_at"


def test_the_finer_of_two_times_is_the_time(guessed: Guesser) -> None:
    made = guessed(date=[t.date() for t in times()], created_at=times())
    assert made.time.value == "created_at"
    assert "rather than date" in made.time.why


def test_a_time_without_a_telling_name_is_found(guessed: Guesser) -> None:
    assert guessed(dteday=times(), amount=shares()).time.value == "dteday"
    assert guessed(a=times(), amount=shares()).time.value == "a"


def test_the_time_of_an_export_does_not_vary(guessed: Guesser) -> None:
    assert guessed(timestamp=[BEGIN] * ROWS, a=times()).time.value == "a"


def test_a_time_that_most_rows_lack_is_not_theirs(guessed: Guesser) -> None:
    sparse = [t if i % 3 == 0 else None for i, t in enumerate(times())]
    assert guessed(event_time=sparse, a=times()).time.value == "a"


def test_a_plan_reaches_into_the_future(guessed: Guesser) -> None:
    planned = [t + timedelta(days=900) for t in times()]
    assert guessed(event_time=planned, a=times()).time.value == "a"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_whole_numbers_since_1970_are_times_by_name(guessed: Guesser, unit: str) -> None:
    frame = pl.DataFrame({"t": times()})
    epoch = frame.select(pl.col("t").dt.timestamp("ns") if unit == "ns" else pl.col("t").dt.epoch(unit))["t"].to_list()
    made = guessed(ts=epoch, amount=epoch[::-1])
    assert made.time.value == "ts"
    assert made.first_us == int(BEGIN.timestamp() - datetime(1970, 1, 1).timestamp()) * 1_000_000
    assert made.window == guessed(ts=times()).window


@pytest.mark.parametrize("numbers", [range(736_389, 736_389 + ROWS), range(0, 172_800, 144)])
def test_days_of_a_calendar_and_seconds_of_an_experiment_are_no_times(guessed: Guesser, numbers: range) -> None:
    with pytest.raises(dl.errors.InputError) as caught:
        guessed({"time": list(numbers)}, amount=shares())
    assert "time is named like one, but" in str(caught.value)
    assert "no seconds since 1970" in str(caught.value)


def test_text_is_a_time_by_what_it_says(guessed: Guesser) -> None:
    made = guessed(note=[f"2 o'clock {i:09}" for i in range(ROWS)], ts=[t.isoformat() for t in times()])
    assert made.time.value == "ts"
    assert made.time.why.startswith("text in ISO 8601")


def test_text_that_is_no_time_is_told(guessed: Guesser) -> None:
    with pytest.raises(dl.errors.InputError, match="date is named like one, but its text is not ISO 8601"):
        guessed(date=[t.strftime("%d.%m.%Y") for t in times()])


def test_seconds_with_a_fraction_are_told(guessed: Guesser) -> None:
    with pytest.raises(dl.errors.InputError, match="timestamp is named like one, but holds float64"):
        guessed(timestamp=[1.7e9 + i for i in range(ROWS)])


def test_the_day_of_a_folder_is_a_time_too(guessed: Guesser) -> None:
    made = guessed(day=[str(t.date()) for t in times()], ts=times())
    assert made.time.value == "ts"
    assert ignored(made) == ["day"]


def test_a_named_time_is_taken(guessed: Guesser) -> None:
    made = guessed(ts=times(), updated_at=times(), time="updated_at")
    assert made.time.value == "updated_at"
    with pytest.raises(dl.errors.InputError, match="no column 'when'; columns are ts, amount"):
        guessed(ts=times(), amount=shares(), time="when")
    with pytest.raises(dl.errors.InputError, match="is float64"):
        guessed(ts=times(), amount=shares(), time="amount")


def test_no_time_says_which_columns_there_are(guessed: Guesser) -> None:
    with pytest.raises(dl.errors.InputError, match=r"(?s)columns are age, amount\n.*--time COLUMN"):
        guessed(age=spread([20, 30]), amount=shares())


def test_one_moment_is_no_log(guessed: Guesser) -> None:
    with pytest.raises(dl.errors.InputError, match="all rows have the same time, 2026-03-01 in column ts"):
        guessed(ts=[BEGIN] * ROWS)


def test_a_few_odd_times_do_not_make_the_window(guessed: Guesser) -> None:
    plain = guessed(ts=times(3000, timedelta(hours=1)))
    made = guessed(ts=[datetime(1970, 1, 1), *times(2999, timedelta(hours=1))])
    assert made.window.window == plain.window.window
    assert made.stray_times is not None
    assert "1970-01-01" in made.stray_times
    assert plain.stray_times is None


def test_the_zone_of_the_times_is_the_zone_of_the_days(guessed: Guesser) -> None:
    paris = pl.Series(times()).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Paris")
    assert guessed(ts=paris).timezone.value == "Europe/Paris"
    assert guessed(ts=times()).timezone.value == "UTC"


# Ids


def test_numbers_that_all_differ_are_no_ids(guessed: Guesser) -> None:
    made = guessed(ts=times(), ratio=[i / 3 for i in range(ROWS)], cents=[i * 1237 % 1_000_003 for i in range(ROWS)])
    assert "id" not in roles(made)
    assert ignored(made) == []


def test_the_id_of_the_row_comes_before_others(guessed: Guesser) -> None:
    own = [f"r{i}" for i in range(ROWS)]
    made = guessed(ts=times(), session_id=own, request_id=own, customer_id=spread(own[:1100]))
    assert roles(made)["id"] == "request_id"
    assert ignored(made) == ["session_id", "customer_id"]


def test_ids_of_few_things_are_watched(guessed: Guesser) -> None:
    made = guessed(ts=times(), id=[f"r{i}" for i in range(ROWS)], store_id=spread(list(range(12))))
    assert ignored(made) == []


def test_a_counter_of_rows_is_an_id(guessed: Guesser) -> None:
    assert roles(guessed(ts=times(), instant=list(range(1, ROWS + 1)))) == {"id": "instant"}


def test_an_id_of_many_rows_is_known_by_its_estimate(guessed: Guesser) -> None:
    rows = 40_000
    made = guessed(ts=times(rows, timedelta(minutes=5)), id=[f"{i * 2654435761 % 2**32:08x}" for i in range(rows)])
    assert roles(made) == {"id": "id"}


def test_free_text_is_ignored_and_words_are_not(guessed: Guesser) -> None:
    made = guessed(
        ts=times(),
        comment=[f"the customer wrote a long letter, number {i % 900}" for i in range(ROWS)],
        surname=[f"name {i}" for i in range(ROWS)],
        city=spread([f"city {i}" for i in range(200)]),
    )
    assert sorted(ignored(made)) == ["comment", "surname"]


# What a model said


def test_prediction_and_probability(guessed: Guesser) -> None:
    made = guessed(ts=times(), y_pred=spread([0, 1]), y_pred_proba=shares())
    assert roles(made) == {"prediction": "y_pred", "probability": "y_pred_proba"}


def test_a_score_beyond_1_is_a_prediction(guessed: Guesser) -> None:
    assert roles(guessed(ts=times(), score=[300 + 500 * s for s in shares()])) == {"prediction": "score"}
    assert roles(guessed(ts=times(), score=shares())) == {"probability": "score"}


def test_scores_of_others_are_features(guessed: Guesser) -> None:
    made = guessed(ts=times(), credit_bureau_score=spread(list(range(300, 800))), app_score=shares())
    assert roles(made) == {}


def test_probabilities_of_classes_are_none_of_the_positive_class(guessed: Guesser) -> None:
    made = guessed(ts=times(), y_pred_proba_gold=shares(), y_pred_proba_blue=shares(), y_pred_proba_none=shares())
    assert roles(made) == {}
    assert "one for each class" in made.notes["probability"]
    made = guessed(ts=times(), proba_0=shares(), proba_1=shares())
    assert roles(made) == {"probability": "proba_1"}


def test_zeros_and_ones_are_no_probability(guessed: Guesser) -> None:
    assert roles(guessed(ts=times(), prob=spread([0, 1]))) == {}


def test_the_id_of_a_prediction_is_no_prediction(guessed: Guesser) -> None:
    made = guessed(ts=times(), prediction_id=[f"p{i}" for i in range(ROWS)], prediction=spread(["yes", "no"]))
    assert roles(made) == {"prediction": "prediction", "id": "prediction_id"}


def test_the_time_of_a_prediction_is_a_time(guessed: Guesser) -> None:
    made = guessed(prediction_time=times(), predicted_class=spread(["a", "b"]))
    assert made.time.value == "prediction_time"
    assert roles(made) == {"prediction": "predicted_class"}


def test_how_a_prediction_was_made_is_no_prediction(guessed: Guesser) -> None:
    made = guessed(
        ts=times(), prediction_latency_ms=spread([3, 4, 5]), pred_version=spread([1, 2]), churn_pred=shares()
    )
    assert roles(made) == {"prediction": "churn_pred"}
    # What names each row of its own is no class, and does not hide the class beside it.
    made = guessed(ts=times(), prediction=[f"p{i}" for i in range(ROWS)], pred_label=spread(["a", "b"]))
    assert roles(made)["prediction"] == "pred_label"


def test_labels_are_ignored(guessed: Guesser) -> None:
    made = guessed(ts=times(), clf_target=spread([0, 1]), work_actual=spread([0, 1, 1]), y_pred=spread([0, 1]))
    assert made.labels == ignored(made) == ["clf_target", "work_actual"]
    assert "labels come later" in made.ignored[0].why


def test_places_and_classes_of_travel_are_no_labels(guessed: Guesser) -> None:
    travel = spread(["economy", "business"])
    made = guessed({"ts": times(), "x": shares(), "y": shares(), "class": travel, "fare": shares()})
    assert made.labels == []
    assert guessed({"ts": times(), "fare": shares(), "class": travel}).labels == ["class"]
    assert guessed(ts=times(), fare=shares(), y=spread([0, 1])).labels == ["y"]


def test_what_has_the_values_of_the_prediction_is_asked_about(guessed: Guesser) -> None:
    made = guessed(ts=times(), y_pred=spread([0, 1]), repaid=spread([1.0, 0.0, 0.0]), rooms=spread([1, 2, 3]))
    # Whole or not, the values are the same.
    assert made.perhaps_labels == ["repaid"]
    assert ignored(made) == []


def test_a_model_of_a_car_is_no_version(guessed: Guesser) -> None:
    cars = spread(["golf", "polo", "clio"])
    said = {"y_pred": spread([0, 1])}
    assert "version" not in roles(guessed(ts=times(), make=spread(["vw", "renault"]), model=cars, **said))
    assert "version" not in roles(guessed(ts=times(), model=cars))
    assert roles(guessed(ts=times(), model=spread(["churn-3", "churn-4"]), **said))["version"] == "model"
    assert roles(guessed(ts=times(), model_version=spread([3, 4])))["version"] == "model_version"
    assert "version" not in roles(guessed(ts=times(), model=[f"m{i}" for i in range(ROWS)], **said))


# Groups


def test_a_usual_group_with_rows_enough_is_a_segment(guessed: Guesser) -> None:
    rows = 90_000
    countries = spread(["FR", "FR", "DE", "NO"], rows)
    made = guessed(ts=times(rows, timedelta(minutes=2)), country=countries, sales_channel=spread(["a", "b"], rows))
    assert [choice.value for choice in made.segments] == ["country"]
    assert [choice.value for choice in made.suggested] == ["sales_channel"]


def test_groups_with_few_rows_or_many_values_are_none(guessed: Guesser) -> None:
    made = guessed(ts=times(), country=spread(["FR", "DE"]), region=spread([f"r{i}" for i in range(300)]))
    assert made.segments == []
    assert [choice.value for choice in made.suggested] == ["country"]
    made = guessed(ts=times(), country=["FR"] * ROWS, region_share=shares())
    assert made.suggested == []


def test_parts_of_the_date_follow_from_it(guessed: Guesser) -> None:
    made = guessed(ts=times(), yr=spread([0, 1]), mnth=spread(list(range(1, 13))), hr=spread(list(range(24))))
    assert made.window.window == "1 day" or made.window.window == "1 hour"
    assert ignored(made)[:2] == ["yr", "mnth"]
    # By name alone it would be a month: a length of a contract is none.
    made = guessed(ts=times(), month=spread([12, 24, 36]))
    assert ignored(made) == []


# Names


def test_words_of_names() -> None:
    assert words("requestId") == words("request-id") == words("Request ID") == words("REQUEST_ID") == ("request", "id")
    assert words("HTTPStatus2") == ("http", "status2")
    assert words("ländId") == ("länd", "id")
    assert words("") == words("_") == ()


def test_ranks_of_names() -> None:
    assert time_rank("eventTime") == 3
    assert time_rank("last_seen_at") == 0
    assert time_rank("amount") == 1
    assert segment_rank("country_code") == 2
    assert segment_rank("market_segment") == segment_rank("country_of_birth") == 1
    assert segment_rank("amount") == 0


def test_dates_are_times(guessed: Guesser) -> None:
    made = guessed(day=[date(2026, 1, 1) + timedelta(days=i // 3) for i in range(ROWS)])
    assert made.time.value == "day"
    assert made.window.window == "1 day"
